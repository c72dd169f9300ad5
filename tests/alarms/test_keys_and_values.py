"""What alarms count beside matches: different values of a field, for each combination of several fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.alarms.worlds import alerts, event, reference_of, rule
from trailsieve.alarms.datapoint import Period
from trailsieve.alarms.sentence import of_condition
from trailsieve.model import Alert
from trailsieve.rules.alarm import MAX_DISTINCT, PLAIN, Alarm

ADDRESS = reference_of("$.sourceIPAddress")
WHO, WHERE, WHAT = (reference_of(f"$.{name}") for name in ("userIdentity.arn", "awsRegion", "eventName"))


def from_addresses(*addresses: Any) -> list[dict[str, Any]]:
    return [event(n, n, sourceIPAddress=address) for n, address in enumerate(addresses)]


def raised(threshold: float, *addresses: Any, **more: Any) -> list[Alert]:
    alarm = Alarm(threshold=threshold, period=60, count_distinct=ADDRESS, **more)
    return alerts(rule(alarm), *from_addresses(*addresses), live=False)


@pytest.mark.parametrize(
    ("addresses", "count"),
    [
        (("a", "b", "c"), 3),
        (("a", "a", "b", "a"), 2),
        (("a", None, "b", {}, [], ""), 2),  # what has no value does not count
        ((1, "1", 1.5, True, "true"), 3),  # values are compared as text
        (("x" * 2000, "x" * 2000, "x" * 1999 + "y"), 2),
    ],
)
def test_different_values_are_counted(addresses: tuple[Any, ...], count: int) -> None:
    [alert] = raised(count, *addresses)
    assert alert.context
    assert (alert.context.value, alert.count) == (count, len(addresses))
    assert raised(count + 1, *addresses) == []


def test_the_alert_says_what_was_counted() -> None:
    [alert] = raised(2, "192.0.2.1", "192.0.2.2")
    assert alert.context
    assert alert.context.reason == (
        "distinct $.sourceIPAddress 2 in the last period; 1 of 1 periods of 1 minute had "
        "distinct $.sourceIPAddress >= 2, 1 needed"
    )
    assert alert.summary == (
        "user/mia made 2 denied ListUsers calls from 2 addresses in 1 minute; 2 different sourceIPAddress"
    )


def test_no_value_at_all_is_no_datapoint() -> None:
    assert raised(1, None, comparison="<=") == []
    assert len(raised(1, "a", comparison="<=")) == 1


def test_a_period_does_not_remember_more_values_than_a_threshold_can_ask_for() -> None:
    period = Period()
    for number in range(MAX_DISTINCT + 5):
        period._add_text(str(number))
    assert period.value("DistinctCount", PLAIN) == MAX_DISTINCT


def test_a_condition_in_words() -> None:
    alarm = Alarm(threshold=3, period=300, count_distinct=ADDRESS, by=(WHO, WHERE))
    assert of_condition(alarm) == (
        "distinct $.sourceIPAddress >= 3 in 1 of 1 periods of 5 minutes, by $.userIdentity.arn, $.awsRegion"
    )


# --- several fields ---


def by(*fields: Any, records: list[dict[str, Any]], threshold: int = 1) -> list[dict[str, str]]:
    """The dimensions of the alerts."""
    found = alerts(rule(Alarm(threshold=threshold, period=60, by=fields)), *records, live=False)
    return [alert.dimensions for alert in found]


def test_each_combination_has_an_alarm_of_its_own() -> None:
    places = ["eu-west-1", "us-east-1", "eu-west-1", "eu-west-1"]
    names = ["mia", "mia", "tom", "mia"]
    records = [event(n, n, names[n], awsRegion=places[n]) for n in range(4)]
    arn = "arn:aws:iam::111122223333:user/mia"
    assert by(WHO, WHERE, records=records, threshold=2) == [
        {"$.userIdentity.arn": arn, "$.awsRegion": "eu-west-1"}
    ]
    assert len(by(WHO, WHERE, WHAT, records=records)) == 3


def test_dimensions_have_the_order_of_the_fields() -> None:
    record = event(1, 0, awsRegion="eu-west-1")
    [first], [second] = by(WHO, WHERE, records=[record]), by(WHERE, WHO, records=[record])
    assert (list(first), list(second)) == ([WHO.text, WHERE.text], [WHERE.text, WHO.text])


def test_a_field_that_is_absent_is_left_out_of_the_key() -> None:
    records = [
        event(1, 0, awsRegion="eu-west-1"),
        event(2, 1, awsRegion=None),
        event(3, 2),
        event(4, 3, awsRegion={"not": "a value"}),
        event(5, 4, userIdentity=None, awsRegion="eu-west-1"),
        event(6, 5, userIdentity=None),
    ]
    arn = "arn:aws:iam::111122223333:user/mia"
    found = by(WHO, WHERE, records=records)
    assert sorted(found, key=str) == sorted(
        [{WHO.text: arn, WHERE.text: "eu-west-1"}, {WHO.text: arn}, {WHERE.text: "eu-west-1"}, {}], key=str
    )
