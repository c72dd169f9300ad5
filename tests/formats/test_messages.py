"""Messages for chats: texts of a record can neither link, mention nor format."""

from __future__ import annotations

import json
import re
from typing import Any

from hypothesis import given
from msgspec.structs import replace

from tests.formats.alerts import ALARM, MATCH, OVER, alerts
from trailsieve.formats import native, pagerduty, size_limit, slack, teams
from trailsieve.model import Alert


def strings(value: Any, kind: str = "") -> list[tuple[str, str]]:
    """All texts with the `type` of the object that they stand in."""
    if isinstance(value, dict):
        return [pair for inner in value.values() for pair in strings(inner, value.get("type", kind))]
    if isinstance(value, list):
        return [pair for inner in value for pair in strings(inner, kind)]
    return [(kind, value)] if isinstance(value, str) else []


@given(alerts)
def test_slack_gives_no_text_of_a_record_a_meaning(alert: Alert) -> None:
    message = json.loads(slack.encode(alert))
    section = message["attachments"][0]["blocks"][0]["text"]
    assert section["verbatim"] is True
    for text in (message["text"], section["text"]):
        assert not set("<>") & set(text)
        assert not re.search("&(?!amp;|lt;|gt;)", text)
    for block in message["attachments"][0]["blocks"][1:]:
        assert len(block["fields"]) <= 10
        assert {field["type"] for field in block["fields"]} == {"plain_text"}
    assert all(len(text) <= 3000 for _, text in strings(message))


@given(alerts)
def test_teams_shows_texts_of_a_record_without_markdown(alert: Alert) -> None:
    card = json.loads(teams.encode(alert))["attachments"][0]["content"]
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert {kind for block in card["body"] for kind, _ in strings(block["inlines"])} == {"TextRun"}


@given(alerts)
def test_pagerduty_has_what_it_asks_for(alert: Alert) -> None:
    event = json.loads(pagerduty.encode(alert, "key"))
    assert event["event_action"] in ("trigger", "resolve")
    assert 0 < len(event["payload"]["summary"]) <= 1024
    assert event["payload"]["severity"] in ("info", "warning", "error", "critical")
    assert 0 < len(event["dedup_key"]) <= 255
    assert event["payload"]["source"]


def test_an_alarm_that_is_over_resolves_the_incident_that_it_opened() -> None:
    opened, closed = pagerduty.document(ALARM, "key"), pagerduty.document(OVER, "key")
    assert (opened["event_action"], closed["event_action"]) == ("trigger", "resolve")
    assert opened["dedup_key"] == closed["dedup_key"]
    assert pagerduty.document(MATCH, "key")["dedup_key"] == MATCH.id


def test_an_alert_is_made_smaller_only_when_it_must_be() -> None:
    assert size_limit.encode_within(MATCH, native.encode, 10_000) == native.encode(MATCH)
    without = json.loads(
        size_limit.encode_within(replace(MATCH, records=(b"1" * 20_000,)), native.encode, 10_000)
    )
    assert (without["records"], without["records_omitted"]) == ([], 1)
    assert without["user_agent"] == MATCH.user_agent
    big = replace(ALARM, user_agent="A" * 20_000, records=(b"1" * 20_000,))
    small = json.loads(size_limit.encode_within(big, native.encode, 10_000))
    assert small["user_agent"] == "A" * 1023 + "…"
    assert {small[name] for name in ("id", "rule", "count")} == {ALARM.id, ALARM.rule, 41}
