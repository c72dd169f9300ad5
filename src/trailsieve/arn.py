"""Amazon resource names.

Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference-arns.html
"""

from __future__ import annotations

from typing import NamedTuple


class Arn(NamedTuple):
    """`arn:partition:service:region:account:resource`; missing parts are ""."""

    partition: str = ""
    service: str = ""
    region: str = ""
    account: str = ""
    resource: str = ""


def parse(text: object) -> Arn:
    """The parts of an ARN; every part is "" if the text is not an ARN."""
    parts = str(text).split(":", 5)
    return Arn(*parts[1:]) if len(parts) == 6 and parts[0] == "arn" else Arn()


def name_in(text: str) -> str:
    """The name in an ARN: `mia` of `arn:aws:iam::111122223333:user/path/mia`; other text is not changed."""
    if not text.startswith("arn:"):
        return text
    parts = parse(text)
    if parts.service == "s3":
        return parts.resource
    if parts.service == "iam":
        return parts.resource.rpartition("/")[2] or text
    name = parts.resource.removesuffix(":*").replace("/", ":").partition(":")[2]
    return name or parts.resource or text


def log_group(text: object) -> str:
    """The log group's name in `arn:…:log-group:NAME:*`, or "" for any other text."""
    kind, _, name = parse(text).resource.partition(":")
    return name.removesuffix(":*") if kind == "log-group" else ""
