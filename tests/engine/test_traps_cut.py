"""A file that ends early, or is broken in the middle, keeps the records that are whole and says what is missing."""

from __future__ import annotations

import gzip

import pytest

from tests.engine.plain import Found, examine, found, log_file, rules

RULES = rules(stop='{ $.eventName = "StopLogging" }')
TEXT = b'{"eventVersion":"1","eventName":"StopLogging","resources":[{"a":[{}]}],"pad":"%s"}' % (b"x" * 300)


def stops(count: int) -> Found:
    return [(index, "stop") for index in range(1, count + 1)]


@pytest.mark.parametrize("whole", [0, 1, 5, 60, 200])
@pytest.mark.parametrize(
    "end",
    [
        b'{"eventVersion":"1","eventName":"Stop',
        b'{"eventVersion":"1","resources":[{"a":[{}]}',  # by accident like the end of a file
        b'{"eventVersion":"1","resources":[{"a":"unclosed]}',
    ],
)
def test_a_file_that_ends_inside_a_record(whole: int, end: bytes) -> None:
    """Whichever way it was read, quickly or slowly, the whole records count."""
    cut = log_file([*[TEXT] * whole, end])[:-2]
    findings = examine(gzip.compress(cut), RULES)
    assert found(findings) == stops(whole)
    assert findings.records == whole
    (problem,) = findings.problems
    assert problem.reason.startswith("truncated JSON")
    assert problem.warning == bool(whole)


@pytest.mark.parametrize("records", [1, 100])
def test_what_follows_the_records_is_named(records: int) -> None:
    """Here between the records and a member that ends like a file."""
    data = log_file([TEXT] * records)[:-1] + b',"more":[{}]}'
    findings = examine(gzip.compress(data), RULES)
    assert found(findings) == stops(records)
    assert all(problem.warning for problem in findings.problems)


def test_a_file_without_records() -> None:
    findings = examine(gzip.compress(b'{"Records":[]}'), RULES)
    assert (findings.records, findings.alerts, findings.problems) == (0, [], [])
