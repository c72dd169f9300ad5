"""What an archive holds and what it cannot show is said, in particular when nothing was found."""

from __future__ import annotations

import pytest

from tests.investigation.night import call, told, user
from trailsieve.investigation.coverage import gaps
from trailsieve.investigation.model import CoveredHour


def hours(text: str, region: str = "eu-west-1") -> list[CoveredHour]:
    """Hours of a day with records: `0-5 7-9`."""
    spans = [span.partition("-") for span in text.split()]
    known = [hour for first, _, last in spans for hour in range(int(first), int(last or first) + 1)]
    return [CoveredHour("1111", region, f"2026-05-04T{hour:02}", 1, 5) for hour in known]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0-23", []),
        ("0-11 13-23", ["1111 eu-west-1 has no records from 2026-05-04T12:00Z to 2026-05-04T13:00Z"]),
        ("0-4 9-23", ["1111 eu-west-1 has no records from 2026-05-04T05:00Z to 2026-05-04T09:00Z"]),
        ("0 4 8 12 16 20 23", []),  # a place where little happens has no gaps
        ("0-3 6-7", []),  # too little to know its cadence
    ],
)
def test_gaps_are_hours_that_break_a_cadence(text: str, expected: list[str]) -> None:
    assert gaps(hours(text)) == expected


def test_a_place_that_falls_silent_before_the_others_has_a_gap() -> None:
    assert gaps([*hours("0-23"), *hours("0-12", "us-east-1")]) == [
        "1111 us-east-1 has no records from 2026-05-04T13:00Z to 2026-05-05T00:00Z"
    ]


def test_peace_is_told_with_what_was_read() -> None:
    first, *_, last = told(
        [call(user("mia"), n, "ec2:DescribeInstances") for n in range(9)]
    ).verdict.sentences
    assert first == "No rule matched, and nobody did anything decisive."
    assert "9 records of 1 account and 1 region" in last
    assert "no data events of S3" in last


def test_an_account_without_any_match_is_named() -> None:
    records = [
        call(user("mia"), 1, "cloudtrail:StopLogging", {"name": "main"}),
        call(user("bob"), 2, "s3:GetObject", recipientAccountId="777788889999"),
    ]
    assert "In 777788889999 there are records, but no rule matched any" in told(records).verdict.sentences[-1]


@pytest.mark.parametrize(
    ("later", "expected"),
    [
        (
            5,
            "Not known to be over: its last call was at 2026-05-04 00:01:00, 5 minutes before the archive ends",
        ),
        (60 * 5, "Quiet since 2026-05-04 00:01:00, 5 hours before the archive ends"),
        (60 * 24 * 9, "Quiet since 2026-05-04 00:01:00, 9 days before the archive ends"),
    ],
)
def test_whether_it_is_over(later: int, expected: str) -> None:
    records = [
        call(user("mia"), 1, "cloudtrail:StopLogging", {"name": "main"}),
        call(user("bob", address="192.0.2.4"), 1 + later, "s3:ListBuckets"),
    ]
    (sentence,) = (text for text in told(records).verdict.sentences if "archive ends" in text)
    assert sentence == f"{expected}; 1 change it made is not undone."
