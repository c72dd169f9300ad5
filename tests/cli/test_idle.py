"""`run --until-idle`: a scheduled job raises what is due before it ends."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import denied, trailsieve
from trailsieve import clock
from trailsieve.alarms.evaluator import Alarms, Live
from trailsieve.cli import idle
from trailsieve.cli.idle import Idle
from trailsieve.clock import TrustedClock
from trailsieve.engine.checkpoint import Checkpoint, MemoryCheckpoint
from trailsieve.engine.decode import Decoder
from trailsieve.engine.delivery import DirectDelivery
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.pipeline import Pipeline, per_batch
from trailsieve.engine.processor import Processor
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Rule
from trailsieve.sinks.memory import MemorySink
from trailsieve.sources.follow.source import Config, FollowSource

RULES = """
[[rule]]
id = "denied"
pattern = '{ $.errorCode = "AccessDenied" }'
alarm = { threshold = 1, period = "5m", statistic = "Average" }
"""  # an Average waits for the close
START = 1_800_000_000.0


class Job:
    """Runs over one file, by a clock that only the source's waits move."""

    def __init__(self, folder: Path, *records: dict[str, Any]) -> None:
        self.folder = folder
        self.seconds = 0.0
        self.steps = 0.0  # seconds by which the time of day moves at each reading
        self.reports: list[str] = []
        self.checkpoint: Checkpoint = MemoryCheckpoint()
        self.log = folder / "trail.jsonl"
        self.log.write_text("".join(json.dumps(record) + "\n" for record in records))

    def sleep(self, seconds: float) -> None:
        self.seconds += seconds

    def wall(self) -> float:
        self.seconds += 0.001
        return START + self.seconds * (1 + self.steps)

    def monotonic(self) -> float:
        return self.seconds

    def run(self) -> list[Alert]:
        now = TrustedClock(self.wall, self.monotonic).now
        source = FollowSource(Config(paths=[str(self.log)]), RunContext(now=now), self.monotonic, self.sleep)
        sink = MemorySink()
        pipeline = Pipeline(
            source=source,
            process=per_batch(Processor(Decoder(2**20), Matcher(rules(self.folder)))),
            delivery=DirectDelivery([sink]),
            on_problem=(),
            checkpoint=self.checkpoint,
            alarms=Alarms(rules(self.folder), live=Live(now=now, monotonic=self.monotonic)),
        )
        pipeline.stopping = Idle(pipeline, self.reports.append, self.wall, self.monotonic)
        pipeline.run()
        source.close()
        return list(sink.alerts)


def rules(folder: Path) -> list[Rule]:
    (folder / "rules.toml").write_text(RULES)
    return list(load_pack(str(folder / "rules.toml")).rules)


def test_alarms_that_wait_for_the_close_are_raised_before_the_run_ends(tmp_path: Path) -> None:
    job = Job(tmp_path, denied(1), denied(2, eventTime="2026-03-14T03:00:00Z"))
    assert [alert.rule for alert in job.run()] == ["denied", "denied"]
    assert not job.reports
    assert not job.run()


def test_the_quiet_time_counts_from_the_evaluation(tmp_path: Path) -> None:
    job = Job(tmp_path, denied(1))
    job.run()
    assert clock.SETTLE + idle.QUIET < job.seconds < clock.SETTLE + idle.QUIET + 5


def test_a_run_without_files_does_not_wait_for_alarms(tmp_path: Path) -> None:
    job = Job(tmp_path)
    job.log.unlink()
    assert not job.run()
    assert job.seconds < clock.SETTLE


def test_alarms_that_cannot_be_evaluated_are_reported_and_left_to_the_next_run(tmp_path: Path) -> None:
    job = Job(tmp_path, denied(1))
    job.steps = 100.0  # the time of day never runs evenly
    assert not job.run()
    (report,) = job.reports
    assert "alarms were not evaluated" in report
    assert "the next run evaluates them" in report
    job.steps = 0.0
    assert len(job.run()) == 1


def test_the_command_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    defaults = (time.time, time.monotonic, 1.0)
    monkeypatch.setattr(TrustedClock.__init__, "__defaults__", defaults)
    monkeypatch.setattr(idle, "QUIET", 0.5)
    Job(tmp_path, denied(1))
    rules(tmp_path)
    config = tmp_path / "job.toml"
    config.write_text(f"""
[source]
kind = "follow"
paths = ["{tmp_path}/trail.jsonl"]
[[rules]]
path = "{tmp_path}/rules.toml"
[[sink]]
kind = "stdout"
[checkpoint]
path = "{tmp_path}/state.db"
[dead_letters]
path = "{tmp_path}/dead.jsonl"
""")
    done = trailsieve("run", "--until-idle", config)
    assert done.code == 0
    assert [alert["rule"] for alert in done.objects] == ["denied"]
