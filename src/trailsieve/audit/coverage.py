"""How a filter pattern relates to a control: by proof, and by the test events of the built-in rules.

A control has several readings, each a pattern with events of its own: the published pattern, other printed
variants, and the corrected pattern. A pattern covers the control if it matches everything that one of the
readings matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from typing import Literal

from trailsieve import jsontext
from trailsieve.logic.implication import implies, satisfiable
from trailsieve.logic.witness import find
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.nodes import JsonPattern, expressions_of, terms_of
from trailsieve.pattern.render import render_expression
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Rule

Kind = Literal["equivalent", "broader", "narrower", "misses", "never", "everything", "unknown"]
NEARLY_ALL = 0.9  # a pattern that matches this share of the harmless events says nothing
_LIKE = 0.2  # a pattern that is less like a control is not meant for it
_SINGLE_SIGN_ON = (
    '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") '
    '&& ($.userIdentity.type = "IAMUser") && ($.responseElements.ConsoleLogin = "Success") }'
)
# Printed in the benchmark (v1.4 to v5.0) and in Security Hub's CloudWatch.3 for accounts with single sign-on.
_ALSO_PRINTED = {"4.2": (_SINGLE_SIGN_ON, "the published pattern for accounts with single sign-on")}


@dataclass(frozen=True, slots=True)
class Reading:
    """One pattern of a control, with events that must match and events that must not."""

    name: str
    pattern: FilterPattern
    match: tuple[str, ...]
    ignore: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Control:
    """A control with its readings; the first is the published pattern."""

    number: str
    rule: Rule
    readings: tuple[Reading, ...]


@dataclass(frozen=True, slots=True)
class Coverage:
    """How a pattern relates to a control.

    Attributes:
        kind: `narrower` if the pattern misses events, but none of the test events; `misses` if it does.
        reading: the reading that the pattern was compared with.
        witness: an event that shows it: for `broader` and `everything` one that only the pattern matches, for
            the others one that the control requires and the pattern misses.
        reason: why the kind is `unknown`.
    """

    kind: Kind
    reading: Reading
    witness: str = ""
    reason: str = ""

    @property
    def covers(self) -> bool:
        """Whether the pattern matches everything the control requires, but not simply every event."""
        return self.kind in ("equivalent", "broader")


@cache
def controls() -> tuple[Control, ...]:
    """The fifteen controls, in order."""
    published, corrected = load_pack("cis-aws"), load_pack("cis-aws-tuned")
    found = []
    for rule in published.rules:
        number = rule.id.removeprefix("cis-aws-")
        readings = [_reading(rule, "the published pattern")]
        if number in _ALSO_PRINTED:
            text, name = _ALSO_PRINTED[number]
            readings.append(_reading(replace(rule, pattern=compile(text)), name))
        tuned = corrected.rule(f"cis-aws-tuned-{number}")
        if tuned is not None:
            readings.append(_reading(tuned, f"the corrected pattern ({tuned.id})"))
        found.append(Control(number, rule, tuple(readings)))
    return tuple(found)


def _reading(rule: Rule, name: str) -> Reading:
    """A rule as a reading; what a replaced pattern does not match moves to the events that must not match."""
    must, must_not = _inline(rule.tests.match), _inline(rule.tests.ignore)
    match = tuple(event for event in must if rule.pattern.matches(event))
    ignore = tuple(event for event in (*must, *must_not) if not rule.pattern.matches(event))
    return Reading(name, rule.pattern, match, ignore)


def _inline(events: Iterable[object]) -> Iterator[str]:
    return (jsontext.encode(event) for event in events if isinstance(event, dict))


@cache
def harmless() -> tuple[str, ...]:
    """The test events that no reading of any control matches."""
    readings = [reading for control in controls() for reading in control.readings]
    patterns = [reading.pattern for reading in readings]
    events = dict.fromkeys(event for reading in readings for event in reading.ignore)
    return tuple(event for event in events if not any(pattern.matches(event) for pattern in patterns))


def drowns(pattern: FilterPattern) -> bool:
    """Whether a pattern matches nearly every event, so that its alarm says nothing."""
    return sum(map(pattern.matches, harmless())) >= NEARLY_ALL * len(harmless())


@lru_cache(4096)
def relate(control: Control, pattern: FilterPattern) -> Coverage:
    """How a pattern relates to the reading of a control that it is closest to."""
    published = control.readings[0]
    if satisfiable(pattern).holds is False:
        return Coverage("never", published, published.match[0])
    if drowns(pattern):
        return Coverage("everything", published, min(filter(pattern.matches, harmless()), key=len))
    found = [_relate(reading, pattern) for reading in control.readings]
    return next((one for one in found if one.covers), None) or max(found, key=_closeness)


def _closeness(coverage: Coverage) -> int:
    return ("misses", "narrower", "unknown").index(coverage.kind)


def covers(control: Control, pattern: FilterPattern) -> bool:
    """Whether `relate` finds that a pattern covers a control; quick if it is far from that."""
    near = any(all(map(pattern.matches, reading.match)) for reading in control.readings)
    return near and relate(control, pattern).covers


def concerns(control: Control, pattern: FilterPattern) -> bool:
    """Whether a pattern seems to be meant for a control, or covers it anyway."""
    return meant(control, pattern) > _LIKE or covers(control, pattern)


def _relate(reading: Reading, pattern: FilterPattern) -> Coverage:
    missed = next((event for event in reading.match if not pattern.matches(event)), "")
    asked = implies(reading.pattern, pattern)
    if asked.holds:
        more = implies(pattern, reading.pattern)
        return Coverage("equivalent" if more.holds else "broader", reading, more.witness or "")
    if missed:
        return Coverage("misses", reading, asked.witness or missed)
    if asked.holds is None:
        return Coverage("unknown", reading, reason=asked.reason)
    return Coverage("narrower", reading, asked.witness or "")


def meant(control: Control, pattern: FilterPattern) -> float:
    """How much a pattern seems to be meant for a control; 0 if it seems to be meant for another one."""
    found = _likenesses(pattern)
    return found[control.number] if found[control.number] == max(found.values()) else 0.0


@lru_cache(4096)
def _likenesses(pattern: FilterPattern) -> dict[str, float]:
    return {control.number: _likeness(control, pattern) for control in controls()}


def _likeness(control: Control, pattern: FilterPattern) -> float:
    """Shared terms count more than shared events: an event of another control may be a denied call too."""
    reading = control.readings[0]
    seen = sum(map(pattern.matches, reading.match)) / len(reading.match)
    own, given = _terms(reading.pattern), _terms(pattern)
    shared = len(own & given) / len(own | given) if own | given else 0.0
    return 2 * shared + (0.0 if drowns(pattern) else seen)


def _terms(pattern: FilterPattern) -> set[str]:
    if not isinstance(pattern.tree, JsonPattern):
        return set()
    terms = (term for root in expressions_of(pattern.tree) for term in terms_of(root))
    return {render_expression(term).replace('"', "") for term in terms}


def joined(patterns: Iterable[FilterPattern]) -> FilterPattern | None:
    """A pattern that matches what any of these JSON patterns matches; None if one is not a JSON pattern."""
    found = list(patterns)
    if not all(isinstance(pattern.tree, JsonPattern) for pattern in found):
        return None
    inner = " || ".join(f"({pattern.text.strip()[1:-1].strip()})" for pattern in found)
    return compile(f"{{ {inner} }}", limits=False)


def affected(control: Control, source: str) -> str:
    """An event of a service that a control requires, or "" if it requires none.

    A control that names API calls only requires events of their services; one that does not, such as that of
    denied calls, requires events of every service.
    """
    reading = control.readings[0]
    for event in reading.match:
        record = jsontext.decode_object(event) or {}
        if record.get("eventSource") == source:
            return event
    other = compile(f'{{ $.eventSource = "{source}" && $.eventName = "AnyOtherCall" }}')
    return find([(reading.pattern, True), (other, True)]).witness or ""
