"""What CloudWatch would have done over an archive, compared with what rules do, minute by minute, and why.

Each rule runs beside its CloudWatch counterpart: the same filter as a metric filter and alarm, treated
exactly as CloudWatch was observed to treat them, without the features that CloudWatch lacks. Where only one
of the two is in ALARM, the counterpart runs again with each differing setting as the rule has it: the
settings that make the difference disappear are its reasons. An archive does not tell when an event reached
CloudWatch, so events count as if they had arrived in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from trailsieve.alarms.evaluator import Alarms
from trailsieve.alarms.sentence import datapoint_name
from trailsieve.alarms.states import first_state
from trailsieve.analysis.simulation import Archive, simulate
from trailsieve.interchange.exporters.cloudwatch import EACH_MATCH
from trailsieve.model import ALARM_STATES, Alert, Problem
from trailsieve.rules.rule import Rule
from trailsieve.times import seconds_of

Span = tuple[int, int]  # seconds, half-open
_NOTIFICATIONS = ("own notifications", "cloudwatch notifications")
_CONDITION = (
    *("threshold", "period", "statistic", "comparison", "missing"),
    *("evaluation_periods", "datapoints_to_alarm"),
)


@dataclass(frozen=True, slots=True)
class Difference:
    """A span of time in which only one of the two is in ALARM.

    Attributes:
        only: "CloudWatch" or "rule".
        reasons: the settings of the rule that make the difference, in words.
        sentence: what happened, as the alert says, or since when the alarm has been in ALARM.
    """

    only: str
    span: Span
    reasons: tuple[str, ...]
    sentence: str


@dataclass(slots=True)
class Parity:
    """One rule and its CloudWatch counterpart.

    Attributes:
        counterpart: the metric filter and alarm, as a rule.
        cloudwatch: the counterpart's spans in ALARM, from the first minute with an event on.
        own: those of the rule, for any of its keys.
        notifications: the number that CloudWatch and the rule would send.
    """

    rule: Rule
    counterpart: Rule
    cloudwatch: list[Span]
    own: list[Span]
    notifications: tuple[int, int]
    differences: list[Difference] = field(default_factory=list)


def cloudwatch_equivalent(rule: Rule) -> Rule:
    """Returns the rule as CloudWatch can have it: without exceptions and keys, with its metric semantics."""
    alarm = replace(rule.alarm or EACH_MATCH, by=(), suppress=0, count_distinct=None, absent_for=None)
    return replace(rule, alarm=alarm, exceptions=(), metric=replace(rule.metric, cloudwatch_exact=True))


def parity(
    rules: Sequence[Rule],
    counterparts: Mapping[str, Rule],
    archive: Archive,
    on_problem: Callable[[Problem], None] = lambda problem: None,
) -> list[Parity]:
    """Runs rules and their CloudWatch counterparts over an archive, all in one pass.

    Args:
        counterparts: what CloudWatch has, by rule id; a rule without an entry gets its CloudWatch equivalent.
    """
    versions: dict[str, Rule] = {}
    for number, rule in enumerate(rules):
        own = replace(rule, alarm=rule.alarm or EACH_MATCH)
        cloudwatch = replace(counterparts.get(rule.id) or cloudwatch_equivalent(rule), enabled=True)
        named = {
            "own": own,
            "own notifications": own,
            "cloudwatch": cloudwatch,
            "cloudwatch notifications": cloudwatch,
            **_variants(own, cloudwatch),
        }
        versions |= {f"{number} {name}": version for name, version in named.items()}
    running = [_named(name, version) for name, version in versions.items()]
    changes: dict[str, list[Alert]] = {name: [] for name in versions}
    alarms = simulate(
        running,
        archive.source(),
        lambda alert: changes[alert.rule].append(alert),
        on_problem,
        archive.context,
    ).alarms
    assert isinstance(alarms, Alarms)
    archived = alarms.oldest or 0, alarms.newest or 0
    return [_judged(rule, number, versions, changes, archived) for number, rule in enumerate(rules)]


def _named(name: str, version: Rule) -> Rule:
    """A version that reports every change of state, or only its own notifications."""
    assert version.alarm is not None
    if name.partition(" ")[2] in _NOTIFICATIONS:
        return replace(version, id=name)
    return replace(version, id=name, alarm=replace(version.alarm, notify=ALARM_STATES, suppress=0))


def _variants(own: Rule, cloudwatch: Rule) -> dict[str, Rule]:
    """The counterpart with one setting each as the rule has it, by the reason that this gives."""
    assert own.alarm is not None
    assert cloudwatch.alarm is not None
    found: dict[str, Rule] = {}
    if own.pattern.tree != cloudwatch.pattern.tree:
        found["the pattern differs"] = replace(cloudwatch, pattern=own.pattern)
    if own.exceptions != cloudwatch.exceptions:
        reasons = ", ".join(sorted({exception.reason for exception in own.exceptions}))
        found[f"exceptions hide events: {reasons}"] = replace(cloudwatch, exceptions=own.exceptions)
    if own.metric != cloudwatch.metric:
        found["the metric's value, default or dimensions differ"] = replace(cloudwatch, metric=own.metric)
    if own.alarm.by != cloudwatch.alarm.by:
        by = ", ".join(reference.text for reference in own.alarm.by)
        sentence = f"the rule counts each {by} separately, CloudWatch all together"
        found[sentence] = replace(cloudwatch, alarm=replace(cloudwatch.alarm, by=own.alarm.by))
    if own.alarm.count_distinct != cloudwatch.alarm.count_distinct:
        sentence = f"the rule counts {datapoint_name(own.alarm)}, CloudWatch the matches"
        alarm = replace(cloudwatch.alarm, count_distinct=own.alarm.count_distinct)
        found[sentence] = replace(cloudwatch, alarm=alarm)
    if own.alarm.absent_for != cloudwatch.alarm.absent_for:
        alarm = replace(cloudwatch.alarm, absent_for=own.alarm.absent_for)
        found["CloudWatch is in ALARM until the first match"] = replace(cloudwatch, alarm=alarm)
    other = {name: getattr(own.alarm, name) for name in _CONDITION}
    different = [name for name in _CONDITION if getattr(cloudwatch.alarm, name) != other[name]]
    if different:
        changes = ", ".join(
            f"{name} {other[name]} instead of {getattr(cloudwatch.alarm, name)}" for name in different
        )
        found[f"the alarm has {changes}"] = replace(cloudwatch, alarm=replace(cloudwatch.alarm, **other))
    return found


def _judged(
    rule: Rule, number: int, versions: Mapping[str, Rule], changes: Mapping[str, list[Alert]], archived: Span
) -> Parity:
    oldest, newest = archived
    prefix = f"{number} "
    periods = [one.alarm.period for name, one in versions.items() if name.startswith(prefix) and one.alarm]
    end = max(newest - newest % period + period for period in periods)
    mine = {name.removeprefix(prefix): found for name, found in changes.items() if name.startswith(prefix)}
    spans = {
        name: alarm_spans(versions[prefix + name], found, (oldest - oldest % 60, end))
        for name, found in mine.items()
        if name not in _NOTIFICATIONS
    }
    own, cloudwatch = spans.pop("own"), spans.pop("cloudwatch")
    notifications = (len(mine["cloudwatch notifications"]), len(mine["own notifications"]))
    result = Parity(rule, versions[f"{prefix}cloudwatch"], cloudwatch, own, notifications)
    for only, sides, name in (
        ("CloudWatch", (cloudwatch, own), "cloudwatch"),
        ("rule", (own, cloudwatch), "own"),
    ):
        for span in without(*sides):
            sentence = _sentence(mine[name], span)
            result.differences.append(Difference(only, span, _reasons(spans, own, span), sentence))
    result.differences.sort(key=lambda difference: difference.span)
    return result


def _reasons(variants: Mapping[str, list[Span]], own: list[Span], span: Span) -> tuple[str, ...]:
    """The variants that behave like the rule in this span; all of them when none does alone."""
    wanted = within(own, span)
    alone = tuple(name for name, spans in variants.items() if within(spans, span) == wanted)
    return alone or tuple(variants) or ("unknown",)


def _sentence(changes: Sequence[Alert], span: Span) -> str:
    """The summary of the alert that began a span, or since when the alarm has been in ALARM."""
    earlier = [alert for alert in changes if alert.state == "ALARM" and _end(alert) <= span[0]]
    if not earlier:
        return ""
    last = max(earlier, key=_end)
    assert last.window is not None
    return (last.summary or "") if _end(last) == span[0] else f"in ALARM since {last.window.end}"


def _end(alert: Alert) -> int:
    assert alert.window is not None
    return seconds_of(alert.window.end) or 0


# --- spans of time ---


def alarm_spans(rule: Rule, changes: Sequence[Alert], archived: Span) -> list[Span]:
    """Returns when an alarm was in ALARM for any of its keys, from the end of the period that breached."""
    begin, end = archived
    assert rule.alarm is not None
    open_since: dict[tuple[tuple[str, str], ...], int] = {}
    if first_state(rule.alarm) == "ALARM" and not rule.alarm.by and not rule.metric.dimensions:
        open_since[()] = begin
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
    """Returns spans with those that overlap or touch joined."""
    joined: list[Span] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        elif start < end:
            joined.append((start, end))
    return joined


def within(spans: Sequence[Span], span: Span) -> list[Span]:
    """Returns the parts of spans inside another span."""
    cut = [(max(start, span[0]), min(end, span[1])) for start, end in spans]
    return [(start, end) for start, end in cut if start < end]


def without(spans: Sequence[Span], others: Sequence[Span]) -> list[Span]:
    """Returns the parts of spans outside all others."""
    rest: list[Span] = []
    for start, end in spans:
        position = start
        for other_start, other_end in within(others, (start, end)):
            if position < other_start:
                rest.append((position, other_start))
            position = other_end
        if position < end:
            rest.append((position, end))
    return rest


def minutes(spans: Sequence[Span]) -> int:
    """Returns the number of minutes that spans touch."""
    whole = union([(start - start % 60, -(-end // 60) * 60) for start, end in spans])
    return sum(end - start for start, end in whole) // 60
