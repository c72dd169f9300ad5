"""A filter is judged by what it matches, not by its text."""

from __future__ import annotations

import pytest

from tests.audit.account import Recorded, metric_filter
from trailsieve.audit.coverage import Kind, controls, harmless, relate
from trailsieve.audit.model import Link
from trailsieve.audit.run import audit, chosen
from trailsieve.pattern.compiler import compile

CIS = controls()[0].rule.pattern
V12 = '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }'

# How filters for unauthorized API calls are written in accounts; a comparison of texts gets most of them wrong.
FILTERS: dict[str, tuple[str, Kind]] = {
    "the published text": (CIS.text, "equivalent"),
    "the text of v1.2": (V12, "broader"),
    "terms in another order": (
        '{ ($.eventName != "HeadBucket") && ($.sourceIPAddress != "delivery.logs.amazonaws.com") '
        '&& ($.errorCode = "AccessDenied*") || ($.errorCode = "*UnauthorizedOperation") }',
        "equivalent",
    ),
    "strictly broader": ('{ $.errorCode = "*Unauthorized*" || $.errorCode = "AccessDenied*" }', "broader"),
    "one regex for both": ("{ $.errorCode = %UnauthorizedOperation$|^AccessDenied% }", "broader"),
    "&& for ||": (
        '{ ($.errorCode = "*UnauthorizedOperation") && ($.errorCode = "AccessDenied*") }',
        "misses",
    ),
    "a call that does not exist": (f'{{ ({V12[1:-1]}) && ($.eventName = "NoSuchApi") }}', "misses"),
    "a code that does not exist": (
        '{ ($.errorCode = "*UnauthorizedAccess") || ($.errorCode = "AccessDenied*") }',
        "misses",
    ),
    "a contradiction": ('{ $.errorCode = "AccessDenied*" && $.errorCode NOT EXISTS }', "never"),
    "exclusions joined by ||": (
        f'{{ {V12[1:-1]} || ($.sourceIPAddress != "delivery.logs.amazonaws.com") '
        '|| ($.eventName != "HeadBucket") }',
        "everything",
    ),
    "no pattern at all": ("", "everything"),
    "known scanners left out": (
        f'{{ ({V12[1:-1]}) && ($.userIdentity.arn != "*scanner" || $.userIdentity.arn NOT EXISTS) }}',
        "narrower",
    ),
    "plain terms": ("?AccessDenied ?UnauthorizedOperation", "unknown"),
}


@pytest.mark.parametrize("case", FILTERS)
def test_what_a_filter_does_to_control_4_1(case: str) -> None:
    text, kind = FILTERS[case]
    pattern = compile(text, limits=False)
    found = relate(controls()[0], pattern)
    assert found.kind == kind
    if kind in ("misses", "narrower", "never"):
        assert CIS.matches(found.witness)
        assert not pattern.matches(found.witness)
    if kind in ("broader", "everything"):
        assert pattern.matches(found.witness)
        assert not CIS.matches(found.witness)


VERDICTS = {"equivalent": "pass", "broader": "pass", "narrower": "unknown", "unknown": "unknown"}


@pytest.mark.parametrize("case", FILTERS)
def test_the_verdict_of_the_audit_follows(case: str) -> None:
    text, kind = FILTERS[case]
    account = Recorded()
    account.filter_of("4.1")["filterPattern"] = text
    [found] = audit(account.snapshot(), chosen(["4.1"]))
    assert found.verdict == VERDICTS.get(kind, "fail")
    broken = found.chain.broken
    assert found.verdict == "pass" or (broken is not None and broken.name == "pattern")


def test_every_reading_of_every_control_meets_it() -> None:
    for control in controls():
        for reading in control.readings:
            assert relate(control, reading.pattern).covers, (control.number, reading.name)
            assert reading.match
            assert reading.ignore


def test_no_reading_of_a_control_meets_another() -> None:
    for control in controls():
        for other in controls():
            if other is not control:
                assert not relate(control, other.rule.pattern).covers, (control.number, other.number)


def test_the_harmless_events_are_many_and_varied() -> None:
    assert len(harmless()) >= 50
    assert not any(
        reading.pattern.matches(e) for e in harmless() for c in controls() for reading in c.readings
    )


def test_filters_that_only_together_match_all_pass() -> None:
    account = Recorded()
    whole = account.filter_of("4.1")
    whole["filterPattern"] = '{ $.errorCode = "*UnauthorizedOperation" }'
    other = metric_filter("other-half", '{ $.errorCode = "AccessDenied*" }')
    other["metricTransformations"] = whole["metricTransformations"]
    account.filters.append(other)
    [found] = audit(account.snapshot(), chosen(["4.1"]))
    assert found.verdict == "pass"
    assert "together" in _pattern(found.chain.links).message


def test_half_a_filter_needs_the_alarm_of_the_other_half() -> None:
    account = Recorded()
    account.filter_of("4.1")["filterPattern"] = '{ $.errorCode = "*UnauthorizedOperation" }'
    other = metric_filter("other-half", '{ $.errorCode = "AccessDenied*" }')
    other["metricTransformations"] = [{"metricName": "b", "metricNamespace": "b", "metricValue": "1"}]
    account.filters.append(other)
    [found] = audit(account.snapshot(), chosen(["4.1"]))
    assert found.verdict == "fail"
    assert found.chain.broken is not None
    assert found.chain.broken.name == "alarm"


def test_a_good_filter_beside_a_bad_one_is_enough() -> None:
    account = Recorded()
    bad = metric_filter("bad", '{ $.errorCode = "AccessDenied" && $.eventName = "NoSuchApi" }')
    account.filters.insert(0, bad)
    [found] = audit(account.snapshot(), chosen(["4.1"]))
    assert found.verdict == "pass"


def _pattern(links: tuple[Link, ...]) -> Link:
    return next(link for link in links if link.name == "pattern")
