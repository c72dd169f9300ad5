"""Versions of a rule over the same archive: what each would have matched and raised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace

from trailsieve.analysis.simulation import Archive, simulate
from trailsieve.model import Alert, Problem
from trailsieve.pattern.compiler import compile
from trailsieve.pattern.parser import parse_selector
from trailsieve.rules.alarm import Alarm, Reference, RuleException
from trailsieve.rules.rule import Rule

_EVENTS = "/events"
_PROPOSED = 3  # of each kind
_WORTH = 0.05  # the least share of the events that a proposal must hide
_MANY = 20  # events, from which on an alarm is worth proposing
_THRESHOLDS = (3, 10, 30, 100)
_CALLER = "$.userIdentity.arn"


@dataclass(frozen=True, slots=True)
class Seen:
    """The main fields of one matching event."""

    time: str
    principal: str
    service: str
    account: str
    event_name: str
    error_code: str

    @property
    def day(self) -> str:
        """The date, or "no time"."""
        return self.time[:10]


@dataclass(frozen=True, slots=True)
class Caller:
    """The caller with the most events, and when and what it called most."""

    principal: str
    events: int
    first: str
    last: str
    call: str
    calls: int


@dataclass(slots=True)
class Outcome:
    """What one version matched and raised.

    Attributes:
        events: the matching events that no exception hides, by position.
        alerts: the alerts, by window and dimensions or by the event's position.
        hidden: the number of matches that exceptions hide.
    """

    rule: Rule
    events: dict[str, Seen] = field(default_factory=dict)
    alerts: dict[str, Alert] = field(default_factory=dict)
    hidden: int = 0

    def take(self, alert: Alert, *, is_event: bool) -> None:
        """Records an event, an alarm's alert, or both in one when the rule has no alarm."""
        if alert.kind == "alarm":
            self.alerts[f"{alert.position} {alert.state} {sorted(alert.dimensions.items())}"] = alert
            return
        self.events[alert.position] = Seen(
            alert.time or "no time",
            alert.principal or "unknown",
            alert.event_source or "unknown",
            alert.account or "unknown",
            alert.event_name or "unknown",
            alert.error_code or "",
        )
        if not is_event:
            self.alerts[alert.position] = alert

    def counts(self, name: str) -> list[tuple[str, int]]:
        """Returns the values of a field of `Seen` with their counts, most frequent first."""
        counts = Counter(getattr(seen, name) for seen in self.events.values())
        return sorted(counts.items(), key=lambda item: (-item[1], item[0]))

    def busiest(self) -> Caller:
        """Returns the caller with the most events; there must be one."""
        principal, events = self.counts("principal")[0]
        seen = [seen for seen in self.events.values() if seen.principal == principal]
        times = sorted(event.time for event in seen)
        ((call, calls),) = Counter(event.event_name for event in seen).most_common(1)
        return Caller(principal, events, times[0], times[-1], call, calls)

    def raised(self, name: str) -> Counter[str]:
        """Returns the number of alerts by a field of `Alert`; "several" when its events differ in it."""
        return Counter(getattr(alert, name) or "several" for alert in self.alerts.values())

    @property
    def days(self) -> list[str]:
        """Returns the days with events, in order."""
        return sorted({seen.day for seen in self.events.values()})


def outcomes(
    rules: Sequence[Rule], archive: Archive, on_problem: Callable[[Problem], None] = lambda problem: None
) -> list[Outcome]:
    """Runs versions of a rule over an archive, all in one pass, and returns what each one saw."""
    found = {str(number): Outcome(rule) for number, rule in enumerate(rules)}
    versions = []
    for name, outcome in found.items():
        version = replace(outcome.rule, id=name, enabled=True)
        versions.append(version)
        if version.alarm:
            versions.append(replace(version, id=name + _EVENTS, alarm=None))

    def take(alert: Alert) -> None:
        name = alert.rule.removesuffix(_EVENTS)
        found[name].take(alert, is_event=alert.rule != name)

    stats = simulate(versions, archive.source(), take, on_problem, archive.context).stats
    for name, outcome in found.items():
        outcome.hidden = sum(stats.excepted.get(name, Counter()).values())
    return list(found.values())


def proposals(outcome: Outcome) -> list[RuleException]:
    """Returns exceptions worth considering: the busiest callers, and their busiest calls.

    An alarm on absence gets none: with fewer matches it is raised more often.
    """
    if outcome.rule.alarm and outcome.rule.alarm.on_absence:
        return []
    enough = max(3, _WORTH * len(outcome.events))
    calls = Counter((_caller(seen.principal), seen.event_name) for seen in outcome.events.values())
    calls = Counter({names: count for names, count in calls.items() if names[0] and _is_plain(names[1])})
    callers: Counter[str] = Counter()
    for (caller, _), count in calls.items():
        callers[caller] += count
    found = [
        f'$.userIdentity.arn = "{caller}"' for caller, n in callers.most_common(_PROPOSED) if n >= enough
    ]
    found += [
        f'($.userIdentity.arn = "{caller}") && ($.eventName = "{event_name}")'
        for (caller, event_name), n in calls.most_common(_PROPOSED)
        if enough <= n < callers[caller]
    ]
    return [RuleException(compile(f"{{ {text} }}", limits=False), "") for text in found]


def proposed_alarm(outcome: Outcome, archive: Archive) -> Outcome | None:
    """Returns the rule with an alarm that counts each caller's events, if that leaves few of many alerts."""
    if outcome.rule.alarm or len(outcome.events) < _MANY:
        return None
    caller = Reference(_CALLER, parse_selector(_CALLER))
    alarms = [Alarm(threshold=count, period=300, by=(caller,)) for count in _THRESHOLDS]
    versions = [replace(outcome.rule, alarm=alarm) for alarm in alarms]
    few = max(1, _WORTH * len(outcome.events))
    return next((tried for tried in outcomes(versions, archive) if 0 < len(tried.alerts) <= few), None)


def _caller(principal: str) -> str:
    """The ARN as an exception names it: all sessions of a role; "" when there is no ARN."""
    if not principal.startswith("arn:") or not _is_plain(principal):
        return ""
    _, slash, rest = principal.partition(":assumed-role/")
    return f"*:assumed-role/{rest.partition('/')[0]}/*" if slash else principal


def _is_plain(name: str) -> bool:
    """Whether a name needs no escaping in a pattern or in TOML; other names get no proposal."""
    return name.isprintable() and not set(name) & set("*\\'\"")


def keeps(rule: Rule, exceptions: Sequence[RuleException], events: Archive) -> list[RuleException]:
    """Returns the exceptions that hide none of these events from the rule."""
    plain, *tried = outcomes([rule, *(with_exception(rule, one) for one in exceptions)], events)
    pairs = zip(exceptions, tried, strict=True)
    return [one for one, outcome in pairs if len(outcome.events) == len(plain.events)]


def with_exception(rule: Rule, exception: RuleException) -> Rule:
    """Returns the rule with one more exception."""
    return replace(rule, exceptions=(*rule.exceptions, exception))


def difference(one: Iterable[str], other: Iterable[str]) -> list[str]:
    """Returns what only the first has, in order."""
    return sorted(set(one) - set(other))
