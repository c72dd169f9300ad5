"""The alerts of a replay as an investigation that names no suspects, for the page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from trailsieve.engine.stats import RunStats
from trailsieve.errors import counted
from trailsieve.investigation.appendix import appendix
from trailsieve.investigation.model import Alerts, FiredRule, Investigation, Verdict
from trailsieve.model import SEVERITIES, Severity
from trailsieve.rules.rule import Rule


def of_replay(found: Alerts, stats: RunStats, rules: Sequence[Rule], command: str) -> Investigation:
    """What the page shows of a replay: its alerts, the rules that raised them, and its counts."""
    fired = _fired(stats, rules)
    times = [time for rule in fired for time in (rule.first, rule.last) if time]
    return Investigation(
        verdict=Verdict(list(_sentences(fired, stats))),
        fired=fired,
        suspects=[],
        principals=[],
        hours=[],
        alerts=found.kept,
        counts=found.counts,
        alert_count=found.total,
        records=stats.records,
        first=min(times, default=""),
        last=max(times, default=""),
        appendix=list(appendix(stats, command)),
    )


def _fired(stats: RunStats, rules: Sequence[Rule]) -> list[FiredRule]:
    """The rules that raised alerts, the most severe first."""
    fired = [
        FiredRule(
            rule=rule.id,
            title=rule.title,
            severity=rule.severity,
            tags=rule.tags,
            alerts=counts.alerts,
            first=counts.first,
            last=counts.last,
            principals=dict(counts.principals.most_common()),
            pattern="" if rule.sequence else rule.pattern.text,
        )
        for rule in rules
        if (counts := stats.rules.get(rule.id)) and counts.alerts
    ]
    return sorted(fired, key=lambda rule: (-SEVERITIES.index(rule.severity), rule.first))


def _sentences(fired: Sequence[FiredRule], stats: RunStats) -> Iterator[str]:
    if not fired:
        yield f"No rule raised an alert in {counted(stats.records, 'event')}."
        return
    severities: Counter[Severity] = Counter()
    principals: Counter[str] = Counter()
    for rule in fired:
        severities[rule.severity] += rule.alerts
        principals.update(rule.principals)
    shares = ", ".join(f"{severities[name]:,} {name}" for name in reversed(SEVERITIES) if severities[name])
    yield f"{counted(severities.total(), 'alert')} of {counted(len(fired), 'rule')}: {shares}."
    most = ", ".join(f"{name} ({count:,})" for name, count in principals.most_common(3))
    yield f"Most matches by {most}."
    yield "This page shows the alerts; trailsieve investigate ranks suspects and tells their stories."
