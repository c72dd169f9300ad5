"""Time, keys, exceptions and restarts: what alarms do beside counting."""

from __future__ import annotations

from typing import Any

import pytest

from tests.alarms.worlds import LATER, START, Kept, alerts, event, message, pipeline, reference_of, rule
from trailsieve.alarms.evaluator import Alarms
from trailsieve.alarms.series import Series
from trailsieve.model import Alert, Message, Problem, watermark_message
from trailsieve.pattern.compiler import compile
from trailsieve.rules.alarm import Alarm, RuleException
from trailsieve.rules.alarm_checks import completed
from trailsieve.rules.rule import Rule
from trailsieve.sinks.memory import MemorySink
from trailsieve.sources.memory import MemorySource

BY = (reference_of("$.userIdentity.arn"),)


class Endless(MemorySource):
    """A stream: never exhausted, quiet after its last message."""

    @property
    def exhausted(self) -> bool:
        return False


class World:
    """A pipeline over a stream, worked on epoch by epoch, with a clock that is set by hand."""

    def __init__(self, *rules: Rule, checkpoint: Kept | None = None, now: float = LATER) -> None:
        self.now = now
        self.sink = MemorySink()
        self.problems: list[Problem] = []
        self.advice: list[str] = []
        self.checkpoint = checkpoint or Kept()
        self.pipeline = pipeline(
            rules,
            Endless([], 1),
            self.sink,
            clock=lambda: self.now,
            checkpoint=self.checkpoint,
            problems=self.problems.append,
            info=self.advice.append,
        )
        self.number = 0
        self.pipeline.stopping = lambda: True
        self.pipeline.run()  # restores

    def epoch(self, *records: dict[str, Any], shard: str = "s", arrived: float | None = None) -> list[Alert]:
        """What an epoch raises for good."""
        self.number += 1
        return self._work([message(self.number, records, shard, arrived)] if records else [])

    def mark(self, *shards: str) -> None:
        """The source has these shards."""
        self._work([watermark_message(shard) for shard in shards])

    def read_to_the_end(self) -> list[Alert]:
        """The source says that all there is has been read."""
        return self._work([watermark_message("s", self.now)])

    def _work(self, messages: list[Message]) -> list[Alert]:
        before = len(self.sink.alerts)
        for found, findings in self.pipeline.process([messages]):
            self.pipeline.epoch(found, findings)
        return [alert for alert in self.sink.alerts[before:] if not alert.provisional]


def test_a_period_is_evaluated_once_events_are_later_than_the_allowed_lateness() -> None:
    world = World(rule(Alarm(threshold=2, period=60, allowed_lateness=120)))
    assert world.epoch(event(1, 10), event(2, 20)) == []
    assert world.epoch(event(3, 179)) == []
    [alert] = world.epoch(event(4, 180, errorCode="none"))
    assert (alert.count, alert.state, alert.kind) == (2, "ALARM", "alarm")


def test_what_is_late_within_the_allowance_counts_and_beyond_is_told() -> None:
    world = World(rule(Alarm(threshold=2, period=60, allowed_lateness=120)))
    world.epoch(event(1, 10), event(2, 170))
    [alert] = [*world.epoch(event(3, 50)), *world.epoch(event(4, 600))]
    assert alert.count == 2
    assert world.epoch(event(5, 59), event(6, 30)) == []
    assert world.pipeline.stats.late == {"denied": 2}
    assert [advice for advice in world.advice if "allowed_lateness" in advice]


def test_a_stream_that_is_read_to_its_end_goes_on_with_the_clock() -> None:
    world = World(rule(Alarm(threshold=1, period=60, allowed_lateness=120)), now=START + 100)
    assert world.epoch(event(1, 10)) == []
    world.now = START + 175
    assert world.read_to_the_end() == []  # the period may still get late events
    world.now = START + 240
    assert world.epoch() == []  # nothing came, but nobody said that there is nothing
    [alert] = world.read_to_the_end()
    assert alert.count == 1


def test_shards_that_are_read_one_after_the_other_are_not_late() -> None:
    world = World(rule(Alarm(threshold=2, period=60, allowed_lateness=60)))
    world.mark("s", "t")
    assert world.epoch(event(1, 10), event(2, 7200, errorCode="none")) == []
    assert world.epoch(event(3, 20), shard="t") == []
    [alert] = world.epoch(event(4, 7300, errorCode="none"), shard="t")
    assert alert.count == 2


@pytest.mark.parametrize("time", ["9999-12-31T23:59:59Z", "2126-01-01T00:00:00Z"])
def test_an_event_from_the_future_blinds_nobody(time: str) -> None:
    world = World(rule(Alarm(threshold=2, period=60, allowed_lateness=0)), now=START + 30)
    world.epoch(event(1, 10), event(2, 11, eventTime=time, errorCode="none"), event(3, 12, eventTime=time))
    assert world.epoch(event(4, 20)) == []
    world.now = START + 61
    [alert] = world.epoch(event(5, 60, errorCode="none"))
    assert alert.count == 2


def test_an_event_without_a_time_is_reported() -> None:
    world = World(rule(Alarm(threshold=1, period=60)))
    world.epoch(event(1, 0, eventTime=None), event(2, 0, eventTime="yesterday"))
    assert [problem.reason.partition(":")[0] for problem in world.problems] == [
        "a record without an event time"
    ] * 2
    assert world.pipeline.stats.records == 2


def test_a_match_of_a_rule_with_an_alarm_raises_no_alert_of_its_own() -> None:
    plain = Rule("plain", "Plain", "low", compile("{ $.eventName = ListUsers }"))
    found = alerts([plain, rule(Alarm(threshold=2, period=60))], event(1, 0), event(2, 10), live=False)
    assert [(alert.kind, alert.rule) for alert in found] == [
        *[("match", "plain")] * 2,
        ("alarm", "denied"),
    ]


def test_each_key_has_an_alarm_of_its_own() -> None:
    night = [event(1, 0), event(2, 1, "tom"), event(3, 2), event(4, 3, "ann")]
    [alert] = alerts(rule(Alarm(threshold=2, period=60, by=BY)), *night, live=False)
    assert alert.principal == alert.dimensions["$.userIdentity.arn"] == "arn:aws:iam::111122223333:user/mia"
    assert len(alert.records) == alert.count == 2


def test_too_many_keys_count_together_and_are_told() -> None:
    world = World(rule(Alarm(threshold=3, period=60, allowed_lateness=0, by=BY, max_keys=2)))
    world.epoch(*[event(n, n, f"u{n}") for n in range(5)])
    [alert] = world.epoch(event(9, 100, errorCode="none"))
    assert alert.dimensions == {"others": "more than max_keys"}
    assert alert.context
    assert alert.context.principals.distinct == alert.count == 3
    assert world.pipeline.stats.over_max_keys == {"denied": 3}
    assert [advice for advice in world.advice if "max_keys" in advice]


def test_memory_is_given_back() -> None:
    world = World(rule(Alarm(threshold=1, period=60, allowed_lateness=0, by=BY, suppress=120)))
    for minute in range(50):
        world.epoch(*[event(minute * 100 + n, minute * 60 + n, f"u{minute}-{n}") for n in range(20)])
    assert isinstance(world.pipeline.alarms, Alarms)
    [watched] = world.pipeline.alarms.by_rule.values()
    assert len(watched.series) <= 20 * 6
    assert len(world.checkpoint.state()) <= 20 * 6 * 2 + 1


def test_suppressed_alerts_are_carried_in_the_next() -> None:
    alarm = Alarm(threshold=1, period=60, suppress=600)
    found = alerts(rule(alarm), *[event(n, n * 180) for n in range(10)], live=False)
    assert [alert.context.suppressed for alert in found if alert.context] == [0, 3, 3]


def test_exceptions_hide_until_they_expire() -> None:
    scanner = compile('{ $.userIdentity.arn = "*:user/scanner" }')
    exceptions = (
        RuleException(scanner, "known scanner", expires=START + 120),
        RuleException(compile("{ $.eventName = Harmless }"), "harmless"),
    )
    night = [
        event(1, 0, "scanner"),
        event(2, 10),
        event(3, 20, eventName="Harmless"),
        event(4, 130, "scanner"),
    ]
    for chosen in (
        rule(Alarm(threshold=1, period=60, allowed_lateness=0), exceptions=exceptions),
        rule(None, exceptions=exceptions),
    ):
        world = World(chosen)
        found = [*world.epoch(*night), *world.epoch(event(9, 300, errorCode="none"))]
        assert [alert.count for alert in found] == [1, 1]
        stats = world.pipeline.stats
        assert stats.excepted == {"denied": {"known scanner": 1, "harmless": 1}}
        assert stats.expired == {"denied": {"known scanner": 1}}
        assert ["has expired" in advice for advice in world.advice] == [True]


def test_the_context_of_an_alert() -> None:
    night = [
        event(
            n,
            n,
            "ci" if n < 8 else "mia",
            awsRegion="eu-west-1",
            sourceIPAddress=f"192.0.2.{n % 2}",
            eventName=f"Get{n}",
        )
        for n in range(12)
    ]
    [alert] = alerts(rule(Alarm(threshold=12, period=300)), *night, live=False)
    assert alert.summary == (
        "2 principals made 12 denied calls from 2 addresses in eu-west-1 in 5 minutes "
        "(Get0, Get1, Get10 and 9 more); 8 of them by user/ci"
    )
    context = alert.context
    assert context
    assert context.reason == "Sum 12 in the last period; 1 of 1 periods of 5 minutes had Sum >= 12, 1 needed"
    assert [(named.name[-4:], named.count) for named in context.principals.top] == [("r/ci", 8), ("/mia", 4)]
    assert (context.event_names.distinct, len(context.event_names.top)) == (12, 10)
    assert context.first
    assert context.last
    assert (context.first.event_name, context.last.event_name) == ("Get0", "Get11")
    assert (alert.region, alert.principal, alert.error_code) == ("eu-west-1", None, "AccessDenied")
    assert (alert.count, len(alert.records), alert.time) == (12, 10, "2026-03-14T00:00:11Z")


def test_original_records_are_capped_by_size_too() -> None:
    night = [event(n, n, filler="x" * 30_000) for n in range(8)]
    found = [
        alerts(rule(Alarm(threshold=1, period=60)), *order, live=False) for order in (night, night[::-1])
    ]
    assert found[0] == found[1]
    assert len(found[0][0].records) == 2


def test_names_that_attackers_choose_stay_on_their_line() -> None:
    [alert] = alerts(
        rule(Alarm(threshold=1, period=60)), event(1, 0, "mia\n\x1b[31m" + "x" * 500), live=False
    )
    assert alert.summary.isprintable()
    assert len(alert.summary) < 200


CHANGES = [
    Alarm(threshold=1, period=60, by=BY, notify=("ALARM", "INSUFFICIENT_DATA"), allowed_lateness=0),
    Alarm(threshold=1, period=300, by=BY, notify=("ALARM", "INSUFFICIENT_DATA"), allowed_lateness=0),
]


@pytest.mark.parametrize("changed", CHANGES, ids=["same", "other period"])
def test_a_changed_definition_keeps_the_state(changed: Alarm) -> None:
    """Rule 65."""
    before = World(rule(CHANGES[0]))
    before.epoch(event(1, 10))
    [alert] = before.epoch(event(2, 70))
    after = World(rule(changed), checkpoint=before.checkpoint)
    assert isinstance(after.pipeline.alarms, Alarms)
    [series] = after.pipeline.alarms.by_rule["denied"].series.values()
    assert isinstance(series, Series)
    assert series.state == alert.state == "ALARM"
    assert [found.state for found in after.epoch(event(3, 600))] == ["INSUFFICIENT_DATA"]


def test_a_rule_that_is_gone_leaves_nothing_in_the_checkpoint() -> None:
    before = World(rule(Alarm(threshold=1, period=60, by=BY)))
    before.epoch(event(1, 10))
    assert [name for name in before.checkpoint.state() if "denied" in name]
    after = World(rule(Alarm(threshold=1, period=60)), checkpoint=before.checkpoint)
    after.epoch(event(2, 20))
    assert not [name for name in after.checkpoint.state() if "mia" in name]


def test_an_event_far_ahead_of_its_arrival_makes_no_others_late() -> None:
    world = World(rule(Alarm(threshold=2, period=60, allowed_lateness=120)), now=START + 86400.0)
    world.epoch(event(1, 10), event(9, 50_000, errorCode="none"), arrived=START + 30.0)
    world.epoch(event(2, 20), arrived=START + 40.0)
    [alert] = world.epoch(event(3, 300, errorCode="none"), arrived=START + 310.0)
    assert alert.count == 2
    assert not world.pipeline.stats.late


@pytest.mark.parametrize(
    "alarm",
    [
        completed(Alarm(absent_for=60, notify=("ALARM", "OK")), ()),
        Alarm(threshold=1, period=60, evaluation_periods=5, datapoints_to_alarm=2, missing="breaching"),
        Alarm(threshold=1, period=60, evaluation_periods=5, datapoints_to_alarm=2, missing="ignore"),
        Alarm(threshold=1, comparison="<", period=60, missing="breaching"),
    ],
)
def test_times_far_apart_are_not_evaluated_period_by_period(
    alarm: Alarm, monkeypatch: pytest.MonkeyPatch
) -> None:
    evaluated = []
    evaluate = Series._evaluate

    def watched(series: Series, start: int) -> Any:
        evaluated.append(start)
        return evaluate(series, start)

    monkeypatch.setattr(Series, "_evaluate", watched)
    years = (2007, 2026, 2099, 8999)
    records = [event(year, 0, eventTime=f"{year}-03-01T00:00:00Z") for year in years]
    assert len(alerts(rule(alarm), *records, live=False)) <= 2 * len(years)
    assert len(evaluated) <= 10 * len(years)
