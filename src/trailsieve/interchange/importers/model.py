"""What an import found: metric filters and alarms in the shape in which AWS describes them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.errors import UsageError

MAX_BYTES = 64 * 2**20  # of one file; a plan of thousands of resources has a tenth of it

FILTER, ALARM = "aws_cloudwatch_log_metric_filter", "aws_cloudwatch_metric_alarm"  # Terraform's types
COMPOSITE = "aws_cloudwatch_composite_alarm"
KINDS = (FILTER, ALARM, COMPOSITE)


class Unresolved(str):
    """A text that is only known once it is deployed; what is known of it reads as it was written."""

    __slots__ = ()


class Resource(NamedTuple):
    """One instance of a Terraform resource, with the provider's argument names."""

    address: str
    kind: str
    values: Json


class Item(NamedTuple):
    """One metric filter or alarm, and where it stands."""

    origin: str
    content: Json


@dataclass(slots=True)
class ImportResult:
    """What was read.

    Attributes:
        filters: as `describe-metric-filters` has them.
        alarms: as `MetricAlarms` of `describe-alarms` has them.
        unsupported: what was seen and cannot be carried over, one sentence each.
    """

    filters: list[Item] = field(default_factory=list)
    alarms: list[Item] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)

    def add(self, other: ImportResult) -> None:
        """Takes over what another file has."""
        self.filters += other.filters
        self.alarms += other.alarms
        self.unsupported += other.unsupported


def composite(origin: str, name: object, rule: object) -> str:
    """What is said of a composite alarm."""
    return f"{origin}: composite alarm {name} ({rule}): a rule watches no other alarms"


def text_of(path: Path) -> str:
    """The text of a file.

    Raises:
        UsageError: it cannot be read, or is far too large.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: larger than {MAX_BYTES // 2**20} MiB; is it the right file?")
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None


def joined(parts: Iterable[object]) -> str:
    """Texts as one; it is unresolved when one of them is."""
    parts = list(parts)
    kind = Unresolved if any(isinstance(part, Unresolved) for part in parts) else str
    return kind("".join(map(str, parts)))
