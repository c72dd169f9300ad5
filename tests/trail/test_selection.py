"""Which records and files a selection keeps: what does not say its time or place is never lost."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from trailsieve.errors import UsageError
from trailsieve.trail.event import Event
from trailsieve.trail.selection import DELIVERY_SLACK, ListedFile, Selection

NOON = datetime(2026, 3, 14, 12, tzinfo=UTC)
ACCOUNT = "111122223333"
WHOLE_DAY = Selection.parse("2026-03-14", "2026-03-15", (), ())
PLACE = Selection.parse(None, None, [ACCOUNT], ["eu-west-1"])


@pytest.mark.parametrize("since", ["2026-03-15", "2026-03-16", "2026-03-15T01:00+01:00"])
def test_an_empty_range_is_refused(since: str) -> None:
    with pytest.raises(UsageError, match="the range is empty"):
        Selection.parse(since, "2026-03-15", (), ())


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (Event(eventTime="2026-03-14T00:00:00Z"), True),
        (Event(eventTime="2026-03-14T23:59:59Z"), True),
        (Event(eventTime="2026-03-15T00:00:00Z"), False),
        (Event(eventTime="2026-03-13T23:59:59Z"), False),
        (Event(eventTime="2026-03-15T00:30:00+01:00"), True),
        (Event(timestamp="2026-03-14T12:00:00.000Z"), True),
        (Event(timestamp="2020-09-14T00:44:22.000Z"), False),
        (Event(eventTime="2026-03-14T12:00:00Z", timestamp="2020-09-14T00:44:22.000Z"), True),
        (Event(), True),
        (Event(eventTime="some time"), True),
        (Event(eventTime=1773489600), True),
        (Event(eventTime={}), True),
    ],
)
def test_records_by_time(event: Event, wanted: bool) -> None:
    assert WHOLE_DAY.wants(event) == wanted


@pytest.mark.parametrize(
    ("account", "region", "wanted"),
    [
        (ACCOUNT, "eu-west-1", True),
        (ACCOUNT, "us-east-1", False),
        ("444455556666", "eu-west-1", False),
        (None, "eu-west-1", True),
        (None, "us-east-1", False),
        (None, None, True),
        (111122223333, ["eu-west-1"], True),
    ],
)
def test_records_by_place(account: object, region: object, wanted: bool) -> None:
    assert PLACE.wants(Event(recipientAccountId=account, awsRegion=region)) == wanted


def name(delivered: datetime) -> ListedFile:
    path = f"{ACCOUNT}_CloudTrail_eu-west-1_{delivered:%Y%m%dT%H%MZ}_aaaaaaaaaaaaaaaa.json.gz"
    return ListedFile(path, path, 1)


@pytest.mark.parametrize(
    ("until", "delivered", "skipped"),
    [
        ("2026-03-14T12:00Z", NOON + DELIVERY_SLACK, []),
        ("2026-03-14T12:00Z", NOON + DELIVERY_SLACK + timedelta(minutes=1), ["delivered long after --until"]),
        ("9999-12-31T23:59Z", NOON, []),
    ],
)
def test_a_file_may_be_delivered_some_time_after_its_events(
    until: str, delivered: datetime, skipped: list[str]
) -> None:
    told: list[str] = []
    kept = Selection.parse(None, until, (), ()).files([name(delivered)], told.append)
    assert (len(kept), told) == (1 - len(skipped), skipped)


def test_a_selection_of_everything_narrows_nothing() -> None:
    assert not Selection().narrows
    assert WHOLE_DAY.narrows
    assert PLACE.narrows
