"""What CloudWatch would have done over an archive, against what rules do, minute by minute, and why.

Each rule runs beside its twin in CloudWatch: the same filter as a metric filter and alarm, exactly as
CloudWatch was observed to treat them, without what CloudWatch does not have. Where one is in ALARM and the
other is not, the twin is tried again with each thing that differs set as the rule has it: what makes the
difference go away is its reason. Nothing is known of when an event reached CloudWatch: events count as if
they came in time.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from trailsieve.alarms.evaluator import Alarms
from trailsieve.alarms.states import first_state
from trailsieve.engine.dead_letters import DeadLetters
from trailsieve.engine.decode import Decoder
from trailsieve.engine.delivery import Delivery
from trailsieve.engine.matcher import Matcher, Wanted
from trailsieve.engine.pipeline import Pipeline, one_by_one
from trailsieve.engine.processor import Examiner
from trailsieve.interchange.exporters.cloudwatch import EACH_MATCH
from trailsieve.model import ALARM_STATES, Alert
from trailsieve.ports import Source
from trailsieve.rules.rule import Rule
from trailsieve.times import seconds_of

Span = tuple[int, int]  # seconds, half-open
_CONDITION = (
    *("threshold", "period", "statistic", "comparison", "missing"),
    *("evaluation_periods", "datapoints_to_alarm"),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A time in which only one of both is in ALARM.

    Attributes:
        only: "CloudWatch" or "rule".
        reasons: what of the rule makes the difference, in words.
        sentence: what happened, as the alert says it, or since when the alarm is on.
    """

    only: str
    span: Span
    reasons: tuple[str, ...]
    sentence: str


@dataclass(slots=True)
class Parity:
    """One rule and its twin.

    Attributes:
        cloudwatch: spans in ALARM of the twin.
        own: those of the rule, for any of its keys.
        told: how often each would tell somebody.
    """

    rule: Rule
    twin: Rule
    cloudwatch: list[Span]
    own: list[Span]
    told: tuple[int, int]
    differences: list[Difference] = field(default_factory=list)


class _Recorder:
    """A sink that keeps the changes of state by version."""

    def __init__(self) -> None:
        self.changes: dict[str, list[Alert]] = {}

    def deliver(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self.changes.setdefault(alert.rule, []).append(alert)

    def check(self) -> str:
        return "keeps"

    def close(self) -> None:
        """Nothing is held."""


def twin_of(rule: Rule) -> Rule:
    """The rule as CloudWatch has it: without exceptions and keys, the metric exactly its way."""
    alarm = replace(rule.alarm or EACH_MATCH, by=(), suppress=0)
    return replace(rule, alarm=alarm, exceptions=(), metric=replace(rule.metric, cloudwatch_exact=True))


def parity(
    rules: Sequence[Rule],
    twins: Mapping[str, Rule],
    source: Source,
    dead_letters: Sequence[DeadLetters] = (),
    wanted: Wanted | None = None,
    limit: int | None = None,
) -> list[Parity]:
    """Runs rules and their twins over a source, all in one pass.

    Args:
        twins: by rule id, what stands in CloudWatch; that of a rule without one is made from the rule.
    """
    versions: dict[str, Rule] = {}
    for number, rule in enumerate(rules):
        own = replace(rule, alarm=rule.alarm or EACH_MATCH)
        twin = replace(twins.get(rule.id) or twin_of(rule), enabled=True)
        named = {"own": own, "raised": own, "twin": twin, "told": twin, **_variants(own, twin)}
        versions |= {f"{number} {name}": version for name, version in named.items()}
    recorder = _Recorder()
    running = [_named(name, version) for name, version in versions.items()]
    alarms = Alarms(running)
    Pipeline(
        source=source,
        examine=one_by_one(Examiner(Decoder(limit) if limit else Decoder(), Matcher(running, wanted))),
        delivery=Delivery([recorder]),
        dead_letters=dead_letters,
        alarms=alarms,
    ).run()
    return [
        _judged(rule, number, versions, recorder, alarms.newest or 0) for number, rule in enumerate(rules)
    ]


def _named(name: str, version: Rule) -> Rule:
    """A version that tells every change; those that are to be counted tell what they tell."""
    assert version.alarm is not None
    if name.endswith((" raised", " told")):
        return replace(version, id=name)
    return replace(version, id=name, alarm=replace(version.alarm, notify=ALARM_STATES, suppress=0))


def _variants(own: Rule, twin: Rule) -> dict[str, Rule]:
    """The twin with one thing each as the rule has it, by what is said of it."""
    assert own.alarm is not None
    assert twin.alarm is not None
    found: dict[str, Rule] = {}
    if own.pattern.tree != twin.pattern.tree:
        found["the pattern is another"] = replace(twin, pattern=own.pattern)
    if own.exceptions != twin.exceptions:
        reasons = ", ".join(sorted({exception.reason for exception in own.exceptions}))
        found[f"exceptions hide events: {reasons}"] = replace(twin, exceptions=own.exceptions)
    if own.metric != twin.metric:
        found["the metric's value, default or dimensions differ"] = replace(twin, metric=own.metric)
    if own.alarm.by != twin.alarm.by:
        by = ", ".join(reference.text for reference in own.alarm.by)
        sentence = f"the rule counts each {by} by itself, CloudWatch all together"
        found[sentence] = replace(twin, alarm=replace(twin.alarm, by=own.alarm.by))
    other = {name: getattr(own.alarm, name) for name in _CONDITION}
    different = [name for name in _CONDITION if getattr(twin.alarm, name) != other[name]]
    if different:
        said = ", ".join(f"{name} {other[name]} for {getattr(twin.alarm, name)}" for name in different)
        found[f"the alarm has {said}"] = replace(twin, alarm=replace(twin.alarm, **other))
    return found


def _judged(
    rule: Rule, number: int, versions: Mapping[str, Rule], recorder: _Recorder, newest: int
) -> Parity:
    prefix = f"{number} "
    periods = [one.alarm.period for name, one in versions.items() if name.startswith(prefix) and one.alarm]
    end = max(newest - newest % period + period for period in periods)
    changes = {name: recorder.changes.get(name, []) for name in versions if name.startswith(prefix)}
    spans = {
        name.removeprefix(prefix): alarm_spans(versions[name], told, end)
        for name, told in changes.items()
        if not name.endswith((" raised", " told"))
    }
    own, twin = spans.pop("own"), spans.pop("twin")
    told = (len(changes[f"{prefix}told"]), len(changes[f"{prefix}raised"]))
    found = Parity(rule, versions[f"{prefix}twin"], twin, own, told)
    for only, sides, name in (("CloudWatch", (twin, own), "twin"), ("rule", (own, twin), "own")):
        for span in without(*sides):
            sentence = _sentence(changes[f"{prefix}{name}"], span)
            found.differences.append(Difference(only, span, _reasons(spans, own, span), sentence))
    found.differences.sort(key=lambda difference: difference.span)
    return found


def _reasons(variants: Mapping[str, list[Span]], own: list[Span], span: Span) -> tuple[str, ...]:
    """The variants that do as the rule does in this time; all of them when none does alone."""
    wanted = within(own, span)
    alone = tuple(name for name, spans in variants.items() if within(spans, span) == wanted)
    return alone or tuple(variants) or ("unknown",)


def _sentence(changes: Sequence[Alert], span: Span) -> str:
    """What the alert said with which a time began; or since when the alarm went on."""
    said = [alert for alert in changes if alert.state == "ALARM" and _end(alert) <= span[0]]
    if not said:
        return ""
    last = max(said, key=_end)
    assert last.window is not None
    return (last.summary or "") if _end(last) == span[0] else f"in ALARM since {last.window.end}"


def _end(alert: Alert) -> int:
    assert alert.window is not None
    return seconds_of(alert.window.end) or 0


# --- spans of time ---


def alarm_spans(rule: Rule, changes: Sequence[Alert], end: int) -> list[Span]:
    """When an alarm, for any of its keys, was in ALARM; from the end of the period that showed it."""
    assert rule.alarm is not None
    open_since: dict[tuple[tuple[str, str], ...], int] = {}
    if first_state(rule.alarm) == "ALARM" and not rule.alarm.by and not rule.metric.dimensions:
        open_since[()] = 0
    spans: list[Span] = []
    for alert in sorted(changes, key=_end):
        key, moment = tuple(sorted(alert.dimensions.items())), _end(alert)
        if alert.state == "ALARM":
            open_since.setdefault(key, moment)
        elif key in open_since:
            spans.append((open_since.pop(key), moment))
    spans += [(start, max(end, start + 60)) for start in open_since.values()]
    return union(spans)


def union(spans: Sequence[Span]) -> list[Span]:
    """Spans that touch as one."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        elif start < end:
            joined.append((start, end))
    return joined


def within(spans: Sequence[Span], span: Span) -> list[Span]:
    """What of spans lies in another."""
    cut = [(max(start, span[0]), min(end, span[1])) for start, end in spans]
    return [(start, end) for start, end in cut if start < end]


def without(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """What of spans lies in none of the others."""
    rest: list[Span] = []
    for start, end in spans:
        place = start
        for other_start, other_end in within(others, (start, end)):
            if place < other_start:
                rest.append((place, other_start))
            place = other_end
        if place < end:
            rest.append((place, end))
    return rest


def minutes(spans: Sequence[Span]) -> int:
    """How many minutes spans touch."""
    whole = union([(start - start % 60, -(-end // 60) * 60) for start, end in spans])
    return sum(end - start for start, end in whole) // 60
