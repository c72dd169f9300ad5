"""What every import works with: metric filters and alarms with the field names of AWS's API."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.errors import UsageError

MAX_BYTES = 64 * 2**20  # of one file; a plan with thousands of resources has a tenth

FILTER, ALARM = "aws_cloudwatch_log_metric_filter", "aws_cloudwatch_metric_alarm"  # Terraform's types
COMPOSITE = "aws_cloudwatch_composite_alarm"
KINDS = (FILTER, ALARM, COMPOSITE)


class Unresolved(str):
    """A text that is known only after deployment; the unknown parts are kept as written: `${Topic}`."""

    __slots__ = ()


class Resource(NamedTuple):
    """One instance of a Terraform resource, with the provider's argument names."""

    address: str
    kind: str
    values: Json


class Item(NamedTuple):
    """One metric filter or alarm, and the file and resource that it comes from."""

    origin: str
    content: Json


@dataclass(slots=True)
class ImportResult:
    """The metric filters and alarms of one or more files.

    Attributes:
        filters: with the field names of `describe-metric-filters`.
        alarms: with the field names of `MetricAlarms` in `describe-alarms`.
        unsupported: what cannot be carried over, one sentence each.
    """

    filters: list[Item] = field(default_factory=list)
    alarms: list[Item] = field(default_factory=list)
    unsupported: list[str] = field(default_factory=list)

    def add(self, other: ImportResult) -> None:
        """Adds the result of another file."""
        self.filters += other.filters
        self.alarms += other.alarms
        self.unsupported += other.unsupported


def composite(origin: str, name: object, rule: object) -> str:
    """The sentence about a composite alarm, which no rule can express."""
    return f"{origin}: composite alarm {name} ({rule}): rules cannot watch other alarms"


def text_of(path: Path) -> str:
    """The text of a file.

    Raises:
        UsageError: it cannot be read, or is larger than 64 MiB.
    """
    try:
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(f"{path}: larger than {MAX_BYTES // 2**20} MiB; is it the right file?")
        return path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None


def json_of(path: Path) -> Any:
    """The content of a JSON file.

    Raises:
        UsageError: it cannot be read, is larger than 64 MiB, or is not JSON.
    """
    try:
        return orjson.loads(text_of(path))
    except ValueError as error:
        raise UsageError(f"{path}: cannot be read as JSON: {error}") from None


def joined(parts: Iterable[object]) -> str:
    """The concatenated texts; `Unresolved` if one of them is."""
    parts = list(parts)
    kind = Unresolved if any(isinstance(part, Unresolved) for part in parts) else str
    return kind("".join(map(str, parts)))
