"""Amazon resource names."""

from __future__ import annotations

from typing import NamedTuple


class Arn(NamedTuple):
    """`arn:partition:service:region:account:resource`; parts that are missing are ""."""

    partition: str = ""
    service: str = ""
    region: str = ""
    account: str = ""
    resource: str = ""


def parse(text: object) -> Arn:
    """The parts of an ARN; all are "" when it is none."""
    parts = str(text).split(":", 5)
    return Arn(*parts[1:]) if len(parts) == 6 and parts[0] == "arn" else Arn()


def log_group(text: object) -> str:
    """The name of the log group of `arn:…:log-group:NAME:*`."""
    kind, _, name = parse(text).resource.partition(":")
    return name.removesuffix(":*") if kind == "log-group" else ""
