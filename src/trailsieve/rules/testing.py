"""The tests that rules carry: events that a rule must match, and events that it must not."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from trailsieve import jsontext
from trailsieve.errors import UnreadableError, visible, visible_lines
from trailsieve.rules.rule import Pack, Rule
from trailsieve.trail.cloudtrail import split
from trailsieve.trail.compression import gunzip, is_gzip


@dataclass(frozen=True, slots=True)
class TestResult:
    """One event tried on one rule; `failure` is "" when it did as the rule says."""

    __test__ = False

    rule: str
    name: str
    place: str
    failure: str = ""
    untested: bool = False


def run_tests(pack: Pack) -> Iterator[TestResult]:
    """Runs all tests of a pack, rule by rule."""
    for rule in pack.rules:
        place = f"{rule.file}:{rule.line}"
        if not rule.tests.match and not rule.tests.ignore:
            yield TestResult(rule.id, "no tests", place, untested=True)
        for must_match, events in ((True, rule.tests.match), (False, rule.tests.ignore)):
            for number, event in enumerate(events, 1):
                yield from _try(rule, event, number, must_match, place)


def _try(
    rule: Rule, event: str | dict[str, Any], number: int, must_match: bool, place: str
) -> Iterator[TestResult]:
    name = f"{'match' if must_match else 'ignore'} {event if isinstance(event, str) else f'number {number}'}"
    try:
        texts = _texts(rule, event)
    except (OSError, UnreadableError) as error:
        yield TestResult(rule.id, name, place, f"cannot read it: {error}")
        return
    for position, text in enumerate(texts, 1):
        shown = name if len(texts) == 1 else f"{name}, event {position}"
        yield TestResult(rule.id, shown, place, _failure(rule, text, must_match))


def _texts(rule: Rule, event: str | dict[str, Any]) -> list[bytes]:
    if not isinstance(event, str):
        return [jsontext.encode(event).encode()]
    data = (rule.file.parent / event).read_bytes()
    texts = split(gunzip(data)[0] if is_gzip(data) else data, any_object=True).texts
    if not texts:
        raise UnreadableError("there is no event in it")
    return texts


def _failure(rule: Rule, text: bytes, must_match: bool) -> str:
    explanation = rule.pattern.explain(text)
    if explanation.matched == must_match:
        return ""
    wanted = "must match this event and does not" if must_match else "must not match this event and does"
    return f"{wanted}: {visible(text.decode('utf-8', 'replace'))}\n{explanation}"


def write_junit(results: list[TestResult], path: str | Path) -> None:
    """Writes results as JUnit XML, the form that CI systems read.

    XML 1.0 takes no control characters, not even escaped.
    """
    counts = {
        "tests": len(results),
        "failures": sum(bool(result.failure) for result in results),
        "skipped": sum(result.untested for result in results),
    }
    suite = ElementTree.Element(
        "testsuite", {"name": "trailsieve", **{name: str(count) for name, count in counts.items()}}
    )
    for result in results:
        names = {"classname": result.rule, "name": result.name, "file": result.place}
        case = ElementTree.SubElement(
            suite, "testcase", {name: visible_lines(text) for name, text in names.items()}
        )
        if result.failure:
            message = visible_lines(result.failure)
            ElementTree.SubElement(case, "failure", message=message.partition("\n")[0]).text = message
        if result.untested:
            ElementTree.SubElement(case, "skipped", message="the rule has no tests")
    ElementTree.ElementTree(suite).write(path, encoding="utf-8", xml_declaration=True)
