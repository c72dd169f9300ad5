"""The order of an epoch is the guarantee: alerts are accepted, then positions are kept, then committed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from tests.engine.plain import processor, rules
from trailsieve.engine.checkpoint import Epoch, MemoryCheckpoint
from trailsieve.engine.delivery import Delivery
from trailsieve.engine.pipeline import Pipeline, per_message
from trailsieve.engine.sink_worker import SinkWorker
from trailsieve.engine.stats import RunStats
from trailsieve.errors import SinkError
from trailsieve.model import Alert, Message, Position, Problem
from trailsieve.ports import Sink, Source
from trailsieve.sinks.memory import MemorySink
from trailsieve.sources.memory import MemorySource

PROCESSOR = processor(rules(stop='{ $.eventName = "StopLogging" }'))


def message(offset: int, *records: dict[str, Any]) -> Message:
    return Message(json.dumps({"Records": records}).encode(), Position("s", offset), f"s/{offset}")


def stop(number: int) -> dict[str, Any]:
    """A record that matches."""
    return {"eventID": f"e{number}", "eventName": "StopLogging"}


class Recorder:
    """Notes what happens, in order, and lets one of the steps fail."""

    def __init__(self, fails: str = "") -> None:
        self.steps: list[str] = []
        self.fails = fails

    def step(self, name: str) -> None:
        self.steps.append(name)
        if name == self.fails:
            raise SinkError(f"{name} fails")


class RecordedSource(MemorySource):
    def __init__(self, recorder: Recorder, messages: Sequence[Message], batch: int = 1) -> None:
        super().__init__(messages, batch)
        self.step = recorder.step

    def poll(self) -> Sequence[Message]:
        self.step("poll")
        return super().poll()

    def commit(self, positions: Any) -> None:
        positions = list(positions)
        self.step(f"commit {[position.offset for position in positions]}")
        super().commit(positions)


class RecordedSink(MemorySink):
    def __init__(self, recorder: Recorder, name: str = "sink") -> None:
        super().__init__()
        self.step = recorder.step
        self.name = name

    def deliver(self, alerts: Sequence[Alert]) -> None:
        self.step(f"{self.name} {len(alerts)}")
        super().deliver(alerts)


class RecordedCheckpoint(MemoryCheckpoint):
    def __init__(self, recorder: Recorder) -> None:
        super().__init__()
        self.step = recorder.step

    def save(self, epoch: Epoch) -> None:
        self.step(f"save {[position.offset for position in epoch.positions]}")
        super().save(epoch)


def pipeline(source: Source, *sinks: Sink, problems: Any = lambda problem: None, **more: Any) -> Pipeline:
    """Everything wired together, in this process."""
    return Pipeline(
        source, per_message(PROCESSOR), Delivery([SinkWorker(sink) for sink in sinks]), [problems], **more
    )


def test_the_order_of_an_epoch() -> None:
    recorder = Recorder()
    source = RecordedSource(
        recorder, [message(1, stop(1)), message(2, stop(2), stop(3), {"odd": 1}), message(3, {})]
    )
    pipeline(
        source,
        RecordedSink(recorder, "one"),
        RecordedSink(recorder, "two"),
        checkpoint=RecordedCheckpoint(recorder),
    ).run()
    steps = recorder.steps  # the sinks take what is theirs at the same time
    assert [*steps[:1], *sorted(steps[1:3]), *steps[3:6], *sorted(steps[6:8]), *steps[8:]] == [
        *("poll", "one 1", "two 1", "save [1]", "commit [1]"),
        *("poll", "one 2", "two 2", "save [2]", "commit [2]"),
        *("poll", "save [3]", "commit [3]"),
    ]


def test_where_reading_starts_is_saved_before_the_first_delivery() -> None:
    recorder = Recorder()
    start = Message(b"", Position("t", "here"), "t", marker=True)
    end = Message(b"", Position("t", "end"), "t", marker=True)
    messages = [start, message(1, stop(1)), end]
    run = pipeline(MemorySource([]), RecordedSink(recorder), checkpoint=RecordedCheckpoint(recorder))
    run.epoch(*next(PROCESSOR.process_poll(messages)))
    assert recorder.steps == ["save ['here']", "sink 1", "save ['here', 1, 'end']"]


def test_what_cannot_be_read_is_kept_before_it_is_committed() -> None:
    recorder = Recorder()
    source = RecordedSource(recorder, [Message(b"\xff", Position("s", 1), "s/1")])

    def keep(problem: Problem) -> None:
        recorder.step("warn" if problem.warning else "keep")

    pipeline(source, problems=keep).run()
    assert recorder.steps[-2:] == ["keep", "commit [1]"]


STEPS = ["one 1", "two 1", "save [2]", "commit [2]"]


@pytest.mark.parametrize("fails", STEPS)
def test_after_a_failure_nothing_later_happens_and_a_restart_loses_nothing(fails: str) -> None:
    messages = [message(offset, stop(offset)) for offset in (1, 2, 3)]
    checkpoint = MemoryCheckpoint()

    class Kept(RecordedCheckpoint):
        """Outlives the run that fails."""

        def save(self, epoch: Epoch) -> None:
            super().save(epoch)
            checkpoint.save(epoch)

    recorder = Recorder()
    sinks = [RecordedSink(recorder, "one"), RecordedSink(recorder, "two")]
    run = pipeline(RecordedSource(recorder, messages), *sinks, checkpoint=Kept(recorder))
    source = run.source
    source.start(checkpoint.positions())
    first = run.source.poll()
    run.epoch(first, PROCESSOR.process(first[0]))
    recorder.fails = fails
    second = run.source.poll()
    with pytest.raises(SinkError):
        run.epoch(second, PROCESSOR.process(second[0]))
    happened = recorder.steps[recorder.steps.index("commit [1]") + 2 :]
    assert fails in happened
    if fails.endswith(" 1"):
        assert set(happened) <= {"one 1", "two 1"}, (
            "the sinks are asked at the same time, and nothing follows"
        )
    else:
        assert happened[2:] == STEPS[2 : STEPS.index(fails) + 1]
    delivered = [list(sink.alerts) for sink in sinks]
    again = [MemorySink(), MemorySink()]
    pipeline(MemorySource(messages), *again, checkpoint=checkpoint).run()
    for before, after in zip(delivered, again, strict=True):
        ids = [alert.id for alert in (*before, *after.alerts)]
        assert len(set(ids)) == 3
        assert len(ids) <= 4


def test_an_alert_that_was_raised_is_not_raised_again() -> None:
    sink = MemorySink()
    source = MemorySource(
        [message(1, stop(1), stop(1)), message(2, stop(2), stop(1)), message(3, stop(2))], batch=2
    )
    stats = pipeline(source, sink).run()
    assert [alert.position for alert in sink.alerts] == ["s/1#1", "s/2#1"]
    assert stats.duplicates == 3
    assert stats.rules["stop"].matches == 5
    assert stats.rules["stop"].alerts == 2
    assert source.committed == {"s": 3}


def test_an_empty_poll_keeps_and_commits_nothing() -> None:
    recorder = Recorder()

    class Slow(RecordedSource):
        """Has nothing at first."""

        def poll(self) -> Sequence[Message]:
            if "idle" in recorder.steps:
                return super().poll()
            recorder.step("idle")
            return ()

    pipeline(Slow(recorder, [message(1)]), checkpoint=RecordedCheckpoint(recorder)).run()
    assert recorder.steps == ["idle", "poll", "save [1]", "commit [1]"]


def test_told_to_stop_it_finishes_what_it_has() -> None:
    source = MemorySource([message(offset, stop(offset)) for offset in range(1, 7)], batch=2)
    sink = MemorySink()
    pipeline(source, sink, stopping=lambda: len(sink.alerts) >= 3).run()
    assert source.committed == {"s": 4}
    assert len(sink.alerts) == 4


def test_the_summary_counts_what_was_seen() -> None:
    problems: list[Problem] = []
    gone = Message(b"", Position("s", 9), "gone", problem="No such file or directory")
    source = MemorySource([message(1, stop(1), {}), message(2), Message(b"", Position("s", 3), "s/3"), gone])
    stats = pipeline(source, problems=problems.append).run()
    assert stats.as_dict() == {
        "files": 4,
        "records": 2,
        "bytes": sum(len(message(n, *records).payload) for n, records in ((1, (stop(1), {})), (2, ()))),
        "unreadable_records": 0,
        "skipped": {"No such file or directory": 1, "empty": 1},
        "duplicates": 0,
        "matches": {"stop": 1},
        "alerts": {"stop": 1},
        "rules": {
            "stop": {"first": None, "last": None, "principals": {"unknown": 1}, "sources": {"unknown": 1}}
        },
        "late": {},
        "over_max_keys": {},
        "excepted": {},
        "expired": {},
        "problems": [
            {"object": "s/3", "reason": "empty: the file has no bytes", "read": False},
            {"object": "gone", "reason": "No such file or directory", "read": False},
        ],
    }
    assert stats.problems == problems


def test_a_provisional_alert_and_the_one_that_settles_it_are_one_alert() -> None:
    (early,) = PROCESSOR.process(message(1, stop(1))).alerts
    early = replace(early, rule="r", kind="alarm", state="ALARM", provisional=True)
    stats = RunStats()
    assert "provisional" not in stats.as_dict()
    stats.raised([early, replace(early, id="other")])
    stats.raised([replace(early, provisional=False, confirms=True)])
    stats.raised([replace(early, provisional=False, id="earlier", replaces="other")])
    counts = stats.as_dict()
    assert counts["alerts"] == {"r": 2}
    assert (counts["provisional"], counts["confirmed"], counts["replaced"]) == (2, 1, 1)
