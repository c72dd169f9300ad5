"""How alerts are handed to sinks: in batches, again, in time, to those that want them, and given up at last."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest

from trailsieve.engine.accepted import Accepted
from trailsieve.engine.dead_letters import AlertDeadLetters
from trailsieve.engine.delivery import Delivery, StoppedError
from trailsieve.engine.heartbeat import HEARTBEAT, Heartbeat
from trailsieve.engine.routing import Routing
from trailsieve.engine.sink_worker import Clock, Refusal, SinkWorker
from trailsieve.errors import DeliveryError, SinkError
from trailsieve.model import Alert, Severity
from trailsieve.sinks.memory import MemorySink

_DEADLINE = 20.0  # seconds


def alert(number: int, severity: Severity = "high", **more: Any) -> Alert:
    given: dict[str, Any] = {"account": "111122223333", **more}
    return Alert(
        id=f"id-{number}",
        rule="r",
        title="t",
        severity=severity,
        kind="match",
        state=None,
        time=None,
        region=None,
        count=1,
        **given,
    )


@dataclass
class FakeClock(Clock):
    """Time passes only in pauses."""

    time: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def now(self) -> float:
        return self.time

    def wait(self, told: threading.Event, duration: float) -> bool:
        self.pauses.append(duration)
        self.time += duration
        return told.is_set()


class Receiver(MemorySink):
    """Does what the next entry of a script says, then takes everything."""

    def __init__(self, *script: Callable[[Sequence[Alert]], Exception]) -> None:
        super().__init__()
        self.script = list(script)
        self.batches: list[int] = []
        self.gate = threading.Event()
        self.gate.set()

    def deliver(self, alerts: Sequence[Alert]) -> None:
        self.gate.wait(_DEADLINE)
        self.batches.append(len(alerts))
        if self.script:
            error = self.script.pop(0)(alerts)
            if isinstance(error, DeliveryError):
                again = error.again | error.refused.keys()
                self.alerts += [alert for alert in alerts if alert.id not in again]
            raise error
        super().deliver(alerts)

    @property
    def ids(self) -> list[str]:
        return [alert.id for alert in self.alerts]


def busy(wait: float | None = None) -> Callable[[Sequence[Alert]], Exception]:
    """Nothing is taken."""
    return lambda alerts: DeliveryError("busy", frozenset(alert.id for alert in alerts), retry_after=wait)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + _DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "it does not come to pass"
        time.sleep(0.005)


ALERTS = [alert(number) for number in range(10)]


def test_what_is_not_taken_is_sent_again_and_only_that() -> None:
    def half(alerts: Sequence[Alert]) -> Exception:
        return DeliveryError("half", frozenset(alert.id for alert in alerts[::2]), {alerts[1].id: "bad"})

    receiver, refused = Receiver(half), list[Refusal]()
    Delivery([SinkWorker(receiver, clock=FakeClock())], refused=refused.extend).deliver(ALERTS)
    assert receiver.batches == [10, 5]
    assert sorted(receiver.ids) == sorted({alert.id for alert in ALERTS} - {"id-1"})
    assert [(letter.alert.id, letter.reason) for letter in refused] == [("id-1", "bad")]


def test_pauses_grow_and_vary_and_end_with_what_is_asked_for() -> None:
    clock = FakeClock()
    receiver = Receiver(*[busy()] * 12, busy(7), busy(10**9))
    Delivery([SinkWorker(receiver, clock=clock)]).deliver(ALERTS)
    grown = clock.pauses[:12]
    for number, pause in enumerate(grown):
        most = min(30.0, 0.5 * 2**number)
        assert most / 2 <= pause <= most
    assert len({pause / min(30.0, 0.5 * 2**number) for number, pause in enumerate(grown)}) > 3
    assert clock.pauses[12:] == [7, 900]
    assert receiver.ids == [alert.id for alert in ALERTS]


def test_a_receiver_that_refuses_some_requests_is_not_slowed_down_more_and_more() -> None:
    """A webhook gets a request per alert; one of fifty is answered with 503."""

    class Flaky(Receiver):
        asked = 0

        def deliver(self, alerts: Sequence[Alert]) -> None:
            for number, each in enumerate(alerts):
                self.asked += 1
                if self.asked % 50 == 0:
                    raise DeliveryError("503", frozenset(later.id for later in alerts[number:]))
                self.alerts.append(each)

    receiver, clock = Flaky(), FakeClock()
    given = [alert(number) for number in range(1042)]
    Delivery([SinkWorker(receiver, clock=clock)]).deliver(given)
    assert receiver.alerts == given
    assert len(clock.pauses) == 1042 // 49
    assert max(clock.pauses) <= 0.5


def test_an_outage_of_minutes_is_reported_once_when_it_begins_and_once_when_it_ends() -> None:
    said = list[str]()
    clock = FakeClock()
    receiver = Receiver(*[busy()] * 20)
    worker = SinkWorker(receiver, Routing(name="siem"), said.append, clock)
    Delivery([worker]).deliver(ALERTS)
    assert clock.time > 180
    assert said == [
        "sink siem: busy; retrying 10 alerts until it accepts them",
        f"sink siem: accepts alerts again after 20 attempts, {clock.time:,.0f} s",
    ]
    Delivery([worker]).deliver(ALERTS)
    assert len(said) == 2


def test_batches_and_rate() -> None:
    receiver, clock = Receiver(), FakeClock()
    Delivery([SinkWorker(receiver, Routing(max_batch=4, rate=3), clock=clock)]).deliver(ALERTS)
    assert receiver.batches == [3, 3, 3, 1]
    assert clock.time == pytest.approx(10 / 3)
    receiver = Receiver()
    Delivery([SinkWorker(receiver, Routing(max_batch=4))]).deliver(ALERTS)
    assert receiver.batches == [4, 4, 2]


def test_deliveries_to_a_slow_sink_are_short() -> None:
    """A tenth of a second for each alert: two seconds are twenty."""
    clock = FakeClock()

    class Slow(Receiver):
        per_alert = 0.1

        def deliver(self, alerts: Sequence[Alert]) -> None:
            clock.time += self.per_alert * len(alerts)
            super().deliver(alerts)

    receiver = Slow()
    delivery = Delivery([SinkWorker(receiver, Routing(max_batch=100), clock=clock)])
    delivery.deliver([alert(number) for number in range(200)])
    assert receiver.batches == [100, 20, 20, 20, 20, 20]
    receiver.per_alert = 0.0
    delivery.deliver([alert(number) for number in range(300)])
    assert receiver.batches[6:] == [20, 40, 80, 100, 60]


def test_required_sinks_take_alerts_at_the_same_time() -> None:
    """Each waits until the other has begun."""
    both = threading.Barrier(2)

    class Waiting(MemorySink):
        def deliver(self, alerts: Sequence[Alert]) -> None:
            both.wait(_DEADLINE)
            super().deliver(alerts)

    sinks = [Waiting(), Waiting()]
    Delivery([SinkWorker(sink) for sink in sinks]).deliver(ALERTS)
    assert [len(sink.alerts) for sink in sinks] == [10, 10]


def test_while_a_required_sink_makes_us_wait_the_source_is_kept_alive() -> None:
    receiver = Receiver()
    receiver.gate.clear()
    Delivery([SinkWorker(receiver)], keep_alive=receiver.gate.set).deliver(ALERTS)
    assert len(receiver.alerts) == 10


def test_what_ends_a_required_sink_ends_the_run_even_while_another_is_down() -> None:
    down = Receiver(*[busy()] * 1000)
    wrong = Receiver(lambda alerts: SinkError("the token is wrong"))
    delivery = Delivery([SinkWorker(down), SinkWorker(wrong)])
    with pytest.raises(SinkError, match="the token is wrong"):
        delivery.deliver(ALERTS)
    delivery.close()


def test_told_to_stop_while_a_required_sink_is_down() -> None:
    refused = list[Refusal]()
    worker = SinkWorker(Receiver(*[busy()] * 1000))
    delivery = Delivery([worker], refused=refused.extend, stopping=lambda: True)
    with pytest.raises(StoppedError):
        delivery.deliver(ALERTS)
    delivery.close()
    assert not refused, "they are not committed and will be raised again"


def test_told_to_stop_it_waits_for_a_sink_that_is_only_slow() -> None:
    receiver = Receiver()
    receiver.gate.clear()
    Delivery([SinkWorker(receiver)], keep_alive=receiver.gate.set, stopping=lambda: True).deliver(ALERTS)
    assert len(receiver.alerts) == 10


def test_told_to_stop_it_goes_on_while_a_slow_sink_makes_progress() -> None:
    elapsed, turns = [0.0], threading.Semaphore(0)

    class Slow(MemorySink):
        def deliver(self, alerts: Sequence[Alert]) -> None:
            turns.acquire()
            elapsed[0] += 4
            super().deliver(alerts)

    worker = SinkWorker(slow := Slow(), Routing(max_batch=1))
    Delivery([worker], turns.release, stopping=lambda: True, monotonic=lambda: elapsed[0]).deliver(ALERTS[:3])
    assert len(slow.alerts) == 3
    assert elapsed[0] == 12


def test_told_to_stop_it_does_not_wait_for_a_request_without_end() -> None:
    receiver, elapsed = Receiver(), [0.0]
    receiver.gate.clear()

    def pass_time() -> None:
        elapsed[0] += 1

    worker = SinkWorker(receiver)
    delivery = Delivery([worker], pass_time, stopping=lambda: True, monotonic=lambda: elapsed[0])
    with pytest.raises(StoppedError):
        delivery.deliver(ALERTS)
    assert 5 <= elapsed[0] <= 7
    receiver.gate.set()
    delivery.close()


class Restarts:
    """Runs whose sinks `good` and `bad` share one state, as a checkpoint keeps it."""

    def __init__(self, bad: Receiver) -> None:
        self.good, self.bad = Receiver(), bad
        self.state: dict[str, bytes] = {}
        self.accepted = Accepted()

    def run(self, alerts: Sequence[Alert], *more: SinkWorker, names: str = "good bad") -> Exception | None:
        self.accepted = Accepted()
        self.accepted.restore(self.state)
        sinks = zip((self.good, self.bad), names.split(), strict=True)
        workers = [SinkWorker(sink, Routing(name=name), clock=FakeClock()) for sink, name in sinks]
        delivery = Delivery([*workers, *more], accepted=self.accepted, save=self.save)
        try:
            delivery.deliver(alerts)
        except SinkError as error:
            return error
        finally:
            delivery.close()
        self.save(self.accepted.committed(alerts))
        return None

    def save(self, changes: dict[str, bytes | None]) -> None:
        for key, value in changes.items():
            if value is None:
                self.state.pop(key, None)
            else:
                self.state[key] = value


def forbidden(alerts: Sequence[Alert]) -> Exception:
    return SinkError("403")


def test_restarts_over_one_sink_do_not_repeat_alerts_in_another() -> None:
    runs = Restarts(Receiver(*[forbidden] * 10))
    for _ in range(10):
        assert str(runs.run(ALERTS)) == "sink bad: 403"
    assert runs.good.ids == [alert.id for alert in ALERTS]
    assert runs.run([*ALERTS, alert(10)]) is None
    assert runs.good.ids == runs.bad.ids == [f"id-{number}" for number in range(11)]
    assert runs.state == {}


def test_what_a_sink_did_not_accept_before_a_restart_comes_again() -> None:
    def half(alerts: Sequence[Alert]) -> Exception:
        return DeliveryError("half", frozenset(alert.id for alert in alerts[5:]))

    runs = Restarts(Receiver(half, forbidden))
    assert runs.run(ALERTS)
    assert runs.run(ALERTS) is None
    assert runs.good.ids == runs.bad.ids == [alert.id for alert in ALERTS]


def test_a_final_alert_is_delivered_though_its_provisional_one_was_accepted() -> None:
    runs = Restarts(Receiver(forbidden))
    early = alert(1, provisional=True)
    assert runs.run([early])
    runs.good.overwrites = runs.bad.overwrites = True
    final = msgspec.structs.replace(early, provisional=False, confirms=True)
    assert runs.run([early, final]) is None
    assert runs.good.alerts == runs.bad.alerts == [early, final]


def test_sinks_of_one_name_are_not_taken_for_each_other() -> None:
    runs = Restarts(Receiver(forbidden))
    assert runs.run(ALERTS, names="hook hook")
    assert runs.run(ALERTS, names="hook hook") is None
    assert len(runs.good.ids) == 20
    assert runs.bad.ids == [alert.id for alert in ALERTS]


def test_an_outage_is_kept_in_mind_before_it_ends() -> None:
    """A kill then repeats nothing in the healthy sink either."""
    runs = Restarts(Receiver())
    kept: list[int] = []

    class Killed(Receiver):
        def deliver(self, alerts: Sequence[Alert]) -> None:
            kept.append(len(runs.state))
            raise busy()(alerts) if not runs.state else SinkError("enough")

    runs.bad = Killed()
    assert runs.run(ALERTS)
    assert kept[0] == 0
    assert kept[-1] == 1


def optional(receiver: Receiver, **settings: Any) -> SinkWorker:
    clock = settings.pop("clock", None)
    return SinkWorker(receiver, Routing(name="soc", required=False, **settings), clock=clock)


def test_a_sink_that_is_not_required_makes_nobody_wait() -> None:
    slow, required = Receiver(), Receiver()
    slow.gate.clear()
    delivery = Delivery([optional(slow), SinkWorker(required)])
    for number in range(5):
        delivery.deliver([alert(number)])
    assert len(required.alerts) == 5
    assert not slow.alerts
    slow.gate.set()
    wait_for(lambda: len(slow.alerts) == 5)
    delivery.close()


def test_what_an_optional_sink_does_not_take_in_time_is_given_up_and_counted() -> None:
    refused, gauges = list[Refusal](), dict[str, float]()
    clock = FakeClock()
    worker = optional(Receiver(*[busy()] * 60), clock=clock, give_up_after="10m")
    delivery = Delivery([worker], refused=refused.extend, gauge=gauges.__setitem__)
    delivery.deliver(ALERTS)
    wait_for(lambda: worker.waiting == 0)
    assert 600 <= clock.time < 640
    delivery.deliver([])
    assert [letter.alert for letter in refused] == ALERTS
    assert {letter.reason for letter in refused} == {"not accepted for 10m: busy"}
    assert gauges["soc_never_accepted"] == 10
    delivery.close()


def test_what_has_no_room_in_the_queue_is_given_up_at_once() -> None:
    refused = list[Refusal]()
    receiver = Receiver()
    receiver.gate.clear()
    delivery = Delivery([optional(receiver, queue=4)], refused=refused.extend)
    delivery.deliver(ALERTS)
    assert [letter.alert.id for letter in refused] == [alert.id for alert in ALERTS[4:]]
    receiver.gate.set()
    delivery.close()
    assert receiver.ids == [alert.id for alert in ALERTS[:4]]


@pytest.mark.parametrize("error", [SinkError("the token is wrong"), RuntimeError("a mistake of ours")])
def test_an_optional_sink_that_ends_does_not_end_the_run(error: Exception) -> None:
    refused, said = list[Refusal](), list[str]()
    worker = SinkWorker(Receiver(lambda alerts: error), Routing(name="soc", required=False), said.append)
    delivery = Delivery([worker], refused=refused.extend)
    delivery.deliver(ALERTS[:5])
    wait_for(lambda: worker.error)
    delivery.deliver(ALERTS[5:])
    delivery.close()
    assert [letter.alert for letter in refused] == ALERTS
    assert all(str(error) in letter.reason for letter in refused)
    assert len(said) == 1


def test_at_the_end_what_still_waits_is_given_up_never_forgotten() -> None:
    refused = list[Refusal]()
    worker = optional(Receiver(*[busy()] * 1000))
    delivery = Delivery([worker], refused=refused.extend)
    delivery.deliver(ALERTS)
    wait_for(lambda: worker.down)
    delivery.close()
    assert {letter.alert.id for letter in refused} == {alert.id for alert in ALERTS}


def test_nothing_is_lost_between_many_threads() -> None:
    """Taken, refused or given up: every alert is exactly one of these."""
    refused = list[Refusal]()
    receivers = [Receiver(*[busy(0)] * 20) for _ in range(4)]
    outlets = [SinkWorker(receivers[0]), *(optional(each, max_batch=7) for each in receivers[1:])]
    delivery = Delivery(outlets, refused=refused.extend)
    for start in range(0, 3000, 30):
        delivery.deliver([alert(number) for number in range(start, start + 30)])
    delivery.close()
    taken = sum(len(receiver.alerts) for receiver in receivers)
    assert taken + len(refused) == 4 * 3000
    assert receivers[0].ids == [f"id-{number}" for number in range(3000)]


@pytest.mark.parametrize(
    ("settings", "taken"),
    [
        ({}, [0, 1, 2, 3]),
        ({"severity": "medium"}, [1, 2, 3]),
        ({"severity": ["low", "critical"]}, [0, 3]),
        ({"tags": ["pci", "x"]}, [1]),
        ({"accounts": ["444455556666"]}, [2]),
        ({"severity": "high", "tags": ["pci"]}, []),
    ],
)
def test_routing(settings: dict[str, Any], taken: list[int]) -> None:
    alerts = [
        alert(0, "low"),
        alert(1, "medium", tags=("pci",)),
        alert(2, "high", account="444455556666"),
        alert(3, "critical", account=None),
    ]
    receiver = Receiver()
    Delivery([SinkWorker(receiver, msgspec.convert(settings, Routing))]).deliver(alerts)
    assert receiver.ids == [f"id-{number}" for number in taken]


@pytest.mark.parametrize(
    ("overwrites", "asked", "gets"),
    [(True, None, True), (False, None, False), (True, False, False), (False, True, True)],
)
def test_a_confirmation_goes_to_sinks_that_overwrite_or_ask_for_it(
    overwrites: bool, asked: bool | None, gets: bool
) -> None:
    early = alert(1, provisional=True)
    replacement = alert(2, replaces="id-0")
    confirmation = msgspec.structs.replace(early, provisional=False, confirms=True)
    receiver = Receiver()
    receiver.overwrites = overwrites
    Delivery([SinkWorker(receiver, Routing(confirmations=asked))]).deliver([early, replacement, confirmation])
    expected = [early, replacement, confirmation] if gets else [early, replacement]
    assert receiver.alerts == expected


def test_a_heartbeat_is_sent_when_it_is_due_to_whom_it_may_concern() -> None:
    elapsed, ahead = [0.0], [1_000.0]
    wants, not_wants = Receiver(), Receiver()
    delivery = Delivery(
        [SinkWorker(wants, Routing(severity="critical")), SinkWorker(not_wants, Routing(heartbeat=False))],
        heartbeat=Heartbeat(300, lambda: elapsed[0], lambda: elapsed[0] + ahead[0]),
    )
    for elapsed[0] in (0.0, 200.0, 300.0, 301.0, 8_000.0):
        delivery.deliver([])
    beats = wants.alerts
    assert [beat.time for beat in beats] == [
        f"1970-01-01T{text}Z" for text in ("00:16:40", "00:21:40", "02:30:00")
    ]
    assert {(beat.rule, beat.severity) for beat in beats} == {(HEARTBEAT, "informational")}
    assert len({beat.id for beat in beats}) == 3
    assert not not_wants.alerts


def test_while_the_source_cannot_be_reached_there_is_no_heartbeat() -> None:
    elapsed = [0.0]
    heartbeat = Heartbeat(300, lambda: elapsed[0], lambda: elapsed[0])
    shown = []
    for elapsed[0], reachable in [(0.0, True), (300.0, False), (900.0, False), (910.0, True), (920.0, True)]:
        heartbeat.set_reachable(reachable)
        shown += [beat.time for beat in heartbeat.due()]
    assert shown == ["1970-01-01T00:00:00Z", "1970-01-01T00:15:10Z"]


def test_a_clock_that_jumps_ahead_and_back_does_not_silence_the_heartbeat() -> None:
    elapsed, clock = [0.0], [1_000.0]
    heartbeat = Heartbeat(300, lambda: elapsed[0], lambda: clock[0])
    shown = []
    for elapsed[0], clock[0] in [(0.0, 1_000.0), (300.0, 900_000.0), (600.0, 1_600.0), (899.0, 1_899.0)]:
        shown += [beat.time for beat in heartbeat.due()]
    assert shown == ["1970-01-01T00:16:40Z", "1970-01-11T10:00:00Z", "1970-01-01T00:26:40Z"]


def test_an_alert_that_was_given_up_is_kept_whole(tmp_path: Path) -> None:
    kept = AlertDeadLetters(tmp_path / "alerts.jsonl")
    kept.add(Refusal("siem", alert(1, records=(b'{"n": 1.0}',)), "bad\nnews"))
    letter = json.loads(kept.path.read_text())
    assert (letter["sink"], letter["reason"], letter["alert"]["id"]) == ("siem", "bad\nnews", "id-1")
    assert b'{"n": 1.0}' in kept.path.read_bytes()


def test_the_error_that_ends_a_run_names_the_sink() -> None:
    worker = SinkWorker(Receiver(lambda alerts: SinkError("answered 403")), Routing(name="soc"))
    with pytest.raises(SinkError, match=r"^sink soc: answered 403$"):
        Delivery([worker]).deliver(ALERTS)
