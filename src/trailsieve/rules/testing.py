"""Runs the tests of patterns: what a rule must match, must not match, and extract.

`analysis.rule_tests` also runs the tests of alerts, which need the whole engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from trailsieve import jsontext, junit
from trailsieve.errors import UnreadableError, visible
from trailsieve.rules.rule import Rule
from trailsieve.rules.rule_tests import ExtractTest, TestEvent
from trailsieve.trail.cloudtrail import split
from trailsieve.trail.compression import gunzip, is_gzip

_JSON_NAMES = (".json", ".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class TestResult:
    """The result of one event; `failure` is "" if the test passed."""

    __test__ = False

    rule: str
    name: str
    place: str
    failure: str = ""
    untested: bool = False


@dataclass(frozen=True, slots=True)
class RuleTest:
    """One entry in a rule's tests; `run` yields a result for each of its events."""

    rule: Rule
    name: str
    run: Callable[[], Iterator[TestResult]]


def untested(rule: Rule) -> TestResult:
    """The result for a rule without tests."""
    return TestResult(rule.id, "no tests", place_of(rule), untested=True)


def place_of(rule: Rule) -> str:
    """File and line of the rule."""
    return f"{rule.file}:{rule.line}"


def pattern_tests(rule: Rule) -> Iterator[RuleTest]:
    """The tests of a rule's pattern in the order match, ignore, extract."""
    for must_match, events in ((True, rule.tests.match), (False, rule.tests.ignore)):
        for number, event in enumerate(events, 1):
            shown = event if isinstance(event, str) else f"number {number}"
            name = f"{'match' if must_match else 'ignore'} {shown}"
            yield RuleTest(rule, name, partial(_try, rule, event, name, must_match))
    for number, test in enumerate(rule.tests.extract, 1):
        name = f"extract number {number}"
        yield RuleTest(rule, name, partial(_try_extract, rule, test, name))


def _try(rule: Rule, event: TestEvent, name: str, must_match: bool) -> Iterator[TestResult]:
    try:
        texts = texts_of(rule, event)
    except (OSError, UnreadableError) as error:
        yield TestResult(rule.id, name, place_of(rule), f"cannot read it: {error}")
        return
    for position, text in enumerate(texts, 1):
        shown = name if len(texts) == 1 else f"{name}, event {position}"
        yield TestResult(rule.id, shown, place_of(rule), _failure(rule, text, must_match))


def texts_of(rule: Rule, event: TestEvent) -> list[bytes]:
    """The log events of an entry in the tests.

    Raises:
        OSError: its file cannot be read.
        UnreadableError: its file is not in a known format, or has no event.
    """
    if not isinstance(event, str):
        return [_inline(rule, event)]
    data = (rule.file.parent / event).read_bytes()
    data = bytes(gunzip(data)[0] if is_gzip(data) else data)
    if rule.pattern.reads_records or event.removesuffix(".gz").endswith(_JSON_NAMES):
        texts = split(data, any_object=True).texts
    else:
        texts = data.splitlines()
    if not texts:
        raise UnreadableError("it has no events")
    return texts


def _inline(rule: Rule, event: dict[str, object]) -> bytes:
    text = event.get("text")
    if isinstance(text, str) and event.keys() == {"text"} and not rule.pattern.reads_records:
        return text.encode()
    return jsontext.encode(event).encode()


def _failure(rule: Rule, text: bytes, must_match: bool) -> str:
    if rule.pattern.matches(text) == must_match:
        return ""
    wanted = "should match this event but does not" if must_match else "should not match this event but does"
    return f"{wanted}: {visible(text.decode('utf-8', 'replace'))}\n{rule.pattern.explain(text)}"


def _try_extract(rule: Rule, test: ExtractTest, name: str) -> Iterator[TestResult]:
    failure = _failure(rule, test.text.encode(), must_match=True)
    if not failure:
        values = rule.pattern.extract(test.text)
        wrong = [
            f"{key} must be {_shown(wanted)} and is {_shown(values.get(key))}"
            for key, wanted in test.values.items()
            if values.get(key) != wanted
        ]
        failure = "\n".join([f"does not extract what it must: {visible(test.text)}", *wrong]) if wrong else ""
    yield TestResult(rule.id, name, place_of(rule), failure)


def _shown(value: str | None) -> str:
    return "absent" if value is None else jsontext.encode(value)


def as_junit(results: Sequence[TestResult]) -> bytes:
    """The results as JUnit XML."""
    return junit.document("trailsieve", [_case(result) for result in results])


def _case(result: TestResult) -> junit.Case:
    names = result.rule, result.name, result.place
    if result.untested:
        return junit.Case(*names, "skipped", "the rule has no tests")
    return junit.Case(*names, "failure" if result.failure else "passed", result.failure)
