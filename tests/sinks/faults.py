"""What becomes of alerts when receivers fail: each fault against each HTTP sink, with figures.

    python -m tests.sinks.faults        prints the table

A sink is driven by the worker that drives it in a run; only its pauses take no time here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from tests.servers.patience import stretched
from tests.servers.receiver import Lost, Reset, Status
from tests.sinks.opened import PAIRS, Pair
from trailsieve.engine.sink_worker import Clock, SinkWorker
from trailsieve.model import Alert

COUNT = 100
_DEADLINE = 60.0  # seconds


class Row(NamedTuple):
    """Figures of one fault at one sink.

    Attributes:
        accepted: alerts that the receiver has, each counted once.
        duplicates: what it has more than once, where it cannot know that by itself.
        refused: alerts that it will never take: they go to the dead letters.
        lost: all others.
    """

    sent: int
    accepted: int
    duplicates: int
    refused: int
    lost: int
    pauses: tuple[float, ...]
    error: str


@dataclass
class QuickClock(Clock):
    """Pauses are noted, not waited for.

    Attributes:
        on_pause: called at each pause with its number.
    """

    on_pause: Callable[[int], None] = lambda number: None
    pauses: list[float] = field(default_factory=list)

    def wait(self, told: threading.Event, duration: float) -> bool:
        self.pauses.append(duration)
        self.on_pause(len(self.pauses))
        return told.is_set()


def alerts(count: int = COUNT) -> list[Alert]:
    """Alerts with odd texts; the error code is a number, which the index of the tests insists on."""
    return [
        Alert(
            id=f"{number:032x}",
            rule="cis-aws-4.1",
            title="API call denied",
            severity="high",
            kind="match",
            time=f"2026-03-14T02:{number // 60 % 60:02}:{number % 60:02}Z",
            account="111122223333",
            region="eu-west-1",
            count=1,
            principal="arn:aws:iam::111122223333:user/mia",
            source_ip="203.0.113.77",
            user_agent=f"agent {number}\n<!channel> | = \\ \t\u202e\x00 é \U0001f600",
            event_name="ListSecrets",
            event_source="secretsmanager.amazonaws.com",
            error_code="7",
            records=(b'{"eventName": "ListSecrets",\n "n": %d}' % number,),
            position=f"file#{number}",
        )
        for number in range(count)
    ]


def drive(pair: Pair, given: Sequence[Alert], on_pause: Callable[[int], None] = lambda number: None) -> Row:
    """Delivers as a run does, and counts."""
    clock = QuickClock(on_pause)
    worker = SinkWorker(pair.sink, clock=clock)
    worker.put(given)
    assert worker.settled(stretched(_DEADLINE))
    worker.stop("")
    stored = pair.stored()
    refused = {refusal.alert.id for refusal in worker.refusals()}
    missing = {alert.id for alert in given} - set(stored) - refused
    return Row(
        sent=len(given),
        accepted=len(set(stored)),
        duplicates=len(stored) - len(set(stored)),
        refused=len(refused),
        lost=0 if worker.error else len(missing),  # with an error nothing is committed: they come again
        pauses=tuple(clock.pauses),
        error=str(worker.error or ""),
    )


_PAGE = b"<!DOCTYPE html><html><title>Log in</title></html>"


def _web_page(pair: Pair) -> Row:
    pair.receiver.faults.append(Status(200, {"Content-Type": "text/html; charset=utf-8"}, _PAGE))
    pair.receiver.faults.append(Status(200, {"Content-Type": "text/plain"}, _PAGE))
    return drive(pair, alerts())


def _down(pair: Pair) -> Row:
    pair.receiver.close()
    return drive(pair, alerts(), lambda number: pair.receiver.start() if number == 6 else None)


def _busy(pair: Pair) -> Row:
    pair.receiver.faults.extend([Status(503, {"Retry-After": "7"})] * 3)
    return drive(pair, alerts())


def _too_many(pair: Pair) -> Row:
    pair.receiver.faults.extend([Status(429, {"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}), Status(429)])
    return drive(pair, alerts())


def _reset(pair: Pair) -> Row:
    pair.receiver.faults.extend([Reset(), Reset()])
    return drive(pair, alerts())


def _lost(pair: Pair) -> Row:
    pair.receiver.faults.append(Lost())
    return drive(pair, alerts())


def _one_bad(pair: Pair) -> Row:
    from msgspec.structs import replace

    given = alerts()
    given[41] = replace(given[41], error_code="AccessDenied")
    pair.receiver.refuse = {given[41].id}
    return drive(pair, given)


def _too_large(pair: Pair) -> Row:
    pair.receiver.max_bytes = 20_000  # a quarter of what a hundred alerts take, or less
    return drive(pair, alerts())


FAULTS: dict[str, Callable[[Pair], Row]] = {
    "down, then up again": _down,
    "503 with Retry-After": _busy,
    "429": _too_many,
    "reset in mid-batch": _reset,
    "stored, response lost": _lost,
    "one bad of a hundred": _one_bad,
    "413": _too_large,
    "200 with a web page": _web_page,
}


def run(sink: str, fault: str) -> Row:
    """One cell of the table."""
    pair = PAIRS[sink]()
    try:
        return FAULTS[fault](pair)
    finally:
        pair.close()


def main() -> None:
    """Prints the table as Markdown."""
    print("| sink | fault | sent | accepted | duplicates | refused (dead letter) | lost |")
    print("| --- | --- | --: | --: | --: | --: | --: |")
    for sink in PAIRS:
        for fault in FAULTS:
            row = run(sink, fault)
            figures = (row.sent, row.accepted, row.duplicates, row.refused, row.lost)
            print(f"| {sink} | {fault} | {' | '.join(map(str, figures))} |")


if __name__ == "__main__":
    main()
