"""Which objects a message may name. Whoever may send to the queue chooses the text of its messages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from trailsieve import arn
from trailsieve.trail.envelope_contents import ObjectName
from trailsieve.trail.layout import is_trail_key

_OPERATORS = {"arnequals", "arnlike", "stringequals", "stringlike"}


@dataclass(frozen=True, slots=True)
class AllowedObjects:
    """The buckets whose objects may be read.

    Attributes:
        buckets: names, or `bucket/prefix` for a part of one.
        any_key: whether an object may have a key outside CloudTrail's layout.
    """

    buckets: tuple[str, ...]
    any_key: bool = False

    def reason_to_refuse(self, name: ObjectName) -> str:
        """Why an object must not be read; "" if it may be."""
        places = [place.partition("/") for place in self.buckets]
        if not any(name.bucket == bucket and name.key.startswith(prefix) for bucket, _, prefix in places):
            return f"refused: {name.url} is in none of the allowed buckets ({', '.join(self.buckets)})"
        if not self.any_key and not is_trail_key(name.key):
            return f'refused: {name.url} is not a key of CloudTrail; key_layout = "any" allows others'
        return ""


def buckets_in(policy: str) -> list[str]:
    """The buckets that a queue's policy names as senders in `aws:SourceArn`, except those with wildcards.

    Source: docs.aws.amazon.com/AmazonS3/latest/userguide/grant-destinations-permissions-to-s3.html
    """
    found = {
        parsed.resource
        for value in _source_arns(orjson.loads(policy) if policy else {})
        if (parsed := arn.parse(value)).service == "s3" and parsed.resource
    }
    return sorted(bucket for bucket in found if not set(bucket) & set("*?$/"))


def _source_arns(policy: dict[str, Any]) -> Iterator[Any]:
    for statement in _each(policy.get("Statement")):
        if statement.get("Effect") != "Allow":
            continue
        for operator, conditions in statement.get("Condition", {}).items():
            for key, values in conditions.items():
                if operator.lower() in _OPERATORS and key.lower() == "aws:sourcearn":
                    yield from _each(values)


def _each(value: Any) -> Iterable[Any]:
    """One value or a list of them, as policies write either."""
    return value if isinstance(value, list) else [] if value is None else [value]
