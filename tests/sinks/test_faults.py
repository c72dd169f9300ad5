"""Receivers that fail lose no alert: the table of `tests.sinks.faults`, held."""

from __future__ import annotations

import pytest

from tests.servers import shared
from tests.sinks.faults import COUNT, FAULTS, alerts, drive, run
from tests.sinks.opened import NEEDS, PAIRS

# These know an alert by its id, and keep it once however often it comes.
KNOW_IDS = {"opensearch", "webhook"}
every_sink = pytest.mark.parametrize("sink", shared.parameters([*PAIRS], NEEDS))


@every_sink
@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_lost(sink: str, fault: str) -> None:
    row = run(sink, fault)
    print(sink, fault, row)
    assert row.error == ""
    assert row.lost == 0
    assert row.sent == COUNT
    assert row.refused == (fault == "one bad of a hundred")
    assert row.accepted == COUNT - row.refused
    if sink in KNOW_IDS or fault != "stored, response lost":
        assert row.duplicates == 0


@every_sink
def test_a_pause_that_is_asked_for_is_kept(sink: str) -> None:
    assert run(sink, "503 with Retry-After").pauses == (7, 7, 7)
    # The date that it gives first has passed: no pause. Then it gives none: ours, from half a second on.
    (own,) = run(sink, "429").pauses
    assert 0.25 <= own <= 1


@pytest.mark.parametrize("sink", [sink for sink in PAIRS if sink != "opensearch"])
def test_a_wrong_token_ends_it_at_once_and_is_not_shown(sink: str) -> None:
    pair = PAIRS[sink](wrong=True)
    try:
        row = drive(pair, alerts())
        assert row.accepted == 0
        assert row.pauses == ()
        assert row.error
        assert "wrong-token-0000" not in row.error
        assert len(pair.receiver.requests) <= 2
    finally:
        pair.close()


@every_sink
def test_nothing_of_an_alert_is_changed_or_added_on_the_way(sink: str) -> None:
    pair = PAIRS[sink]()
    try:
        given = alerts(3)
        pair.sink.deliver(given)
        assert pair.stored() == [alert.id for alert in given]
        shown = str(pair.receiver.stored) if pair.receiver.stored else ""
        if shown:
            assert shown.count("\\u202e") >= len(given)
        for request in pair.receiver.requests:
            assert not [name for name in request.headers if "channel>" in name]
    finally:
        pair.close()


@every_sink
def test_an_alert_of_a_megabyte_arrives_in_short(sink: str) -> None:
    from msgspec.structs import replace

    pair = PAIRS[sink]()
    try:
        big = replace(alerts(1)[0], user_agent="A" * 6_000_000, records=(b'{"a":"%s"}' % (b"A" * 6_000_000),))
        row = drive(pair, [*alerts(3)[1:], big])
        assert (row.accepted, row.refused, row.lost) == (3, 0, 0)
    finally:
        pair.close()
