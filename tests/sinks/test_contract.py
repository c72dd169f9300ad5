"""What the engine asks of every sink. A new sink is one more line of SINKS."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from msgspec.structs import replace

from tests.servers import shared
from tests.sinks.opened import NEEDS, PAIRS
from trailsieve.formats import native
from trailsieve.model import Alert
from trailsieve.ports import Sink
from trailsieve.sinks.memory import MemorySink
from trailsieve.sinks.stream import StreamSink


def alert(number: int) -> Alert:
    """An alert whose fields are as odd as records make them."""
    return Alert(
        id=f"id-{number}",
        rule="rule",
        title='A "title" with\nline breaks \u2028 and \U0001f600',
        severity="high",
        kind="match",
        time=None,
        account=None,
        region="eu-west-1",
        count=1,
        records=(b'{"eventName": "X",\n "odd": "\xff"}',),
    )


ALERTS = [alert(number) for number in range(5)]


@dataclass(frozen=True)
class Opened:
    """A sink and a way to ask its receiver for the ids it has accepted, in their order."""

    sink: Sink
    received: Callable[[], list[str]]


def memory() -> Opened:
    sink = MemorySink()
    return Opened(sink, lambda: [alert.id for alert in sink.alerts])


def stream() -> Opened:
    target = io.BytesIO()
    return Opened(
        StreamSink(target, native.encode),
        lambda: [json.loads(line)["id"] for line in target.getvalue().splitlines()],
    )


def paired(name: str) -> Callable[[], Opened]:
    """A sink that speaks HTTP, opened on its receiver."""

    def opened() -> Opened:
        pair = PAIRS[name]()
        return Opened(pair.sink, pair.received)

    return opened


SINKS: dict[str, Callable[[], Opened]] = {
    "memory": memory,
    "stream": stream,
    **{name: paired(name) for name in PAIRS},
}
every_sink = pytest.mark.parametrize("open_sink", shared.parameters(SINKS, NEEDS))


@every_sink
def test_what_was_delivered_is_there_at_once_and_in_order(open_sink: Callable[[], Opened]) -> None:
    opened = open_sink()
    for end in range(1, len(ALERTS) + 1):
        opened.sink.deliver(ALERTS[end - 1 : end])
        assert opened.received() == [alert.id for alert in ALERTS[:end]]


@every_sink
def test_many_at_once(open_sink: Callable[[], Opened]) -> None:
    opened = open_sink()
    opened.sink.deliver(ALERTS)
    assert opened.received() == [alert.id for alert in ALERTS]


@every_sink
def test_nothing_to_deliver_is_nothing_delivered(open_sink: Callable[[], Opened]) -> None:
    opened = open_sink()
    opened.sink.deliver([])
    assert opened.received() == []


@every_sink
def test_an_alert_may_be_delivered_again(open_sink: Callable[[], Opened]) -> None:
    """After a crash it is; a receiver may keep it once or twice, and knows it by its id."""
    opened = open_sink()
    opened.sink.deliver(ALERTS[:2])
    opened.sink.deliver(ALERTS[:3])
    assert list(dict.fromkeys(opened.received())) == [alert.id for alert in ALERTS[:3]]


@every_sink
def test_a_final_alert_is_accepted_after_the_provisional_one_with_its_id(
    open_sink: Callable[[], Opened],
) -> None:
    """A sink that overwrites keeps one of them; others have both, and know them by their id."""
    opened = open_sink()
    early = replace(alert(7), kind="alarm", state="ALARM", provisional=True)
    final = replace(early, provisional=False, confirms=True)
    for delivered in (early, final, final):
        opened.sink.deliver([delivered])
    received = opened.received()
    assert {identity.removesuffix("-provisional") for identity in received} == {"id-7"}


@every_sink
def test_a_check_delivers_nothing(open_sink: Callable[[], Opened]) -> None:
    opened = open_sink()
    answer = opened.sink.check()
    assert answer
    assert answer.isprintable()
    assert opened.received() == []


@every_sink
def test_closing_twice_is_closing_once_and_keeps_what_was_accepted(open_sink: Callable[[], Opened]) -> None:
    opened = open_sink()
    opened.sink.deliver(ALERTS)
    opened.sink.close()
    opened.sink.close()
    assert opened.received() == [alert.id for alert in ALERTS]
