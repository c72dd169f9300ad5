"""What the template and the scripts show of an investigation, computed."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from trailsieve import arn
from trailsieve.errors import counted
from trailsieve.investigation.model import Identity, Investigation, Step, Suspect
from trailsieve.investigation.stories import is_folded, key_steps
from trailsieve.model import SEVERITIES, Target
from trailsieve.report import attack, columns

_UUID = re.compile(r"\b([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_STORIES = 25  # suspects with a story
_STEPS = 1_500  # of all stories
_PRINCIPALS = 2_000


def data(
    investigation: Investigation, table: dict[str, Any], found: Sequence[attack.Technique]
) -> dict[str, Any]:
    """What the scripts need, as plain data."""
    return {
        "alerts": table,
        "rules": {
            rule.rule: {
                "title": rule.title,
                "severity": SEVERITIES.index(rule.severity),
                "pattern": rule.pattern,
                "alerts": rule.alerts,
            }
            for rule in investigation.fired
        },
        "severities": SEVERITIES,
        "bands": columns.bands(investigation.alerts),
        "lanes": [_lane(suspect) for suspect in investigation.suspects[:_STORIES]],
        "principals": msgspec.to_builtins(investigation.principals[:_PRINCIPALS]),
        "hours": [
            [hour.account, hour.region, hour.hour, hour.files, hour.records] for hour in investigation.hours
        ],
        "layer": attack.layer(found, f"trailsieve {investigation.first[:10]}"),
        "first": columns.seconds(investigation.first),
        "last": columns.seconds(investigation.last),
    }


def _lane(suspect: Suspect) -> dict[str, Any]:
    """A suspect's steps as points in time."""
    points = [
        [
            columns.seconds(step.first),
            SEVERITIES.index(step.severity) if step.severity else -1,
            step.event_name,
        ]
        for step in suspect.steps
    ]
    return {"name": suspect.name, "points": [point for point in points if point[0] is not None]}


def stories(suspects: Sequence[Suspect]) -> list[tuple[Suspect, list[Step], int]]:
    """The suspects whose stories the page has, each with its steps and the number of those left out."""
    found, room = [], _STEPS
    for suspect in suspects[:_STORIES]:
        steps = suspect.steps[:room]
        room -= len(steps)
        found.append((suspect, steps, len(suspect.steps) - len(steps) + suspect.omitted_steps))
    return found


def when(time: str, investigation: Investigation) -> str:
    """A time as short as the investigation's length allows: `02:16:03`, or with the day."""
    if columns.seconds(time) is None:
        return time or "unknown time"
    day, clock = time[:10], time[11:19]
    return clock if investigation.first[:10] == investigation.last[:10] == day else f"{day[5:]} {clock}"


def stamp(time: str) -> int | str:
    """A time as seconds since 1970; "" if it is not one."""
    found = columns.seconds(time)
    return "" if found is None else found


def period(first: str, last: str) -> str:
    """`2026-03-14 02:16 to 03:17 UTC`."""
    if columns.seconds(first) is None or columns.seconds(last) is None:
        return "no times known"
    end = last[11:16] if first[:10] == last[:10] else f"{last[:10]} {last[11:16]}"
    return f"{first[:10]} {first[11:16]} to {end} UTC"


def last_part(name: str) -> str:
    """The end of an ARN or name, which tells most: `mia`, `ci-deploy/session`."""
    resource = arn.parse(name).resource
    return resource.partition("/")[2] or resource or name


def target_text(target: Target) -> str:
    """`user mia`, `bucket logs and 3 more`."""
    name = _UUID.sub(r"\1…", last_part(target.name))
    more = f" and {target.more:,} more" if target.more else ""
    return f"{target.kind} {name}{more}".strip()


def identity_of(suspect: Suspect, step: Step) -> Identity:
    """Who made a step."""
    known = (identity for identity in suspect.identities if identity.name == step.identity)
    return next(known, Identity(step.identity, step.identity, ()))


def digest(pattern: str) -> str:
    """The beginning of a pattern's SHA-256, which tells two versions of a rule apart."""
    return hashlib.sha256(pattern.encode()).hexdigest()[:16]


def bare_name(identity: str) -> str:
    """`mia` for `user/mia`."""
    kind, _, name = identity.partition("/")
    return name if kind in ("user", "role") and name else identity


HELPERS: dict[str, Callable[..., Any]] = {
    "digest": digest,
    "bare_name": bare_name,
    "counted": counted,
    "identity_of": identity_of,
    "stories": stories,
    "is_folded": is_folded,
    "key_steps": key_steps,
    "when": when,
    "stamp": stamp,
    "period": period,
    "last_part": last_part,
    "target_text": target_text,
}
