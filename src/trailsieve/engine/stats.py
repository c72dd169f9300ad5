"""What a run saw: the counts behind the summary table and `--summary-json`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from trailsieve.engine.processor import Findings
from trailsieve.model import Alert, Problem

_TOP = 3
_KEPT_PROBLEMS = 1000  # named one by one; all are counted
_KEPT_NAMES = 10_000  # different principals or addresses a rule; more are counted together


@dataclass(slots=True)
class RuleCounts:
    """One rule's matches: when, by whom, from where."""

    matches: int = 0
    alerts: int = 0
    first: str = ""
    last: str = ""
    principals: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)

    def add(self, alert: Alert) -> None:
        """Counts one event that matches."""
        if alert.time:
            self.first = min(self.first or alert.time, alert.time)
            self.last = max(self.last, alert.time)
        _count(self.principals, alert.principal)
        _count(self.sources, alert.source_ip)


def _count(counter: Counter[str], name: str | None) -> None:
    name = name or "unknown"
    counter[name if name in counter or len(counter) < _KEPT_NAMES else "others"] += 1


@dataclass(slots=True)
class Summary:
    """Counts of a whole run.

    `files` are those that were opened, damaged ones included; `notices` hold no record by design, such as the
    health checks of CloudWatch Logs; `aside` are those of the skipped that were skipped on purpose. By rule:
    `late` events came after their alarm's period was closed and do not count, `crowded` ones count together
    because there were more dimension values than `max_keys`. By rule and reason: `excepted` matches are
    hidden by an exception, `expired` ones no longer.
    """

    files: int = 0
    records: int = 0
    bytes: int = 0
    repeated: int = 0
    rules: dict[str, RuleCounts] = field(default_factory=lambda: defaultdict(RuleCounts))
    skipped: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    unread_records: int = 0
    notices: int = 0
    aside: int = 0
    late: Counter[str] = field(default_factory=Counter)
    crowded: Counter[str] = field(default_factory=Counter)
    excepted: dict[str, Counter[str]] = field(default_factory=dict)
    expired: dict[str, Counter[str]] = field(default_factory=dict)

    def saw(self, findings: Findings) -> None:
        """Counts a message that was read."""
        self.files += findings.files
        self.bytes += findings.size
        self.records += findings.records
        self.notices += findings.notices
        for mine, theirs in ((self.excepted, findings.excepted), (self.expired, findings.expired)):
            for rule, reasons in theirs.items():
                mine.setdefault(rule, Counter()).update(reasons)

    def skip(self, reason: str) -> None:
        """Counts a file that was left aside on purpose."""
        self.skipped[reason] += 1
        self.aside += 1

    @property
    def unread(self) -> int:
        """Objects and records that could not be read."""
        return self.unread_records + sum(self.skipped.values()) - self.aside

    def refused(self, problem: Problem) -> None:
        """Counts what could not be read, or was read with a warning."""
        if problem.index:
            self.records -= 1
            self.unread_records += 1
        elif not problem.warning:
            self.skipped[category(problem.reason)] += 1
        if len(self.problems) < _KEPT_PROBLEMS:
            self.problems.append(problem)

    def matched(self, alert: Alert, *, repeated: bool) -> None:
        """Counts a match; its event only once."""
        counts = self.rules[alert.rule]
        counts.matches += 1
        if repeated:
            self.repeated += 1
        else:
            counts.add(alert)

    def raised(self, alerts: Iterable[Alert]) -> None:
        """Counts alerts."""
        for alert in alerts:
            self.rules[alert.rule].alerts += 1

    def as_dict(self) -> dict[str, Any]:
        """The shape of `--summary-json`."""
        return {
            "files": self.files,
            "records": self.records,
            "bytes": self.bytes,
            "unread_records": self.unread_records,
            "skipped": dict(sorted(self.skipped.items())),
            "repeated": self.repeated,
            "matches": {rule: counts.matches for rule, counts in self.rules.items()},
            "alerts": {rule: counts.alerts for rule, counts in self.rules.items()},
            "late": dict(self.late),
            "crowded": dict(self.crowded),
            "excepted": {rule: dict(reasons) for rule, reasons in self.excepted.items()},
            "expired": {rule: dict(reasons) for rule, reasons in self.expired.items()},
            "problems": [
                {
                    "object": problem.origin,
                    **({"record": problem.index} if problem.index else {}),
                    "reason": problem.reason,
                    "read": problem.warning,
                }
                for problem in self.problems
            ],
        }


def category(reason: str) -> str:
    """The reason without its details: what stands before the first colon or comma."""
    return reason.partition(": ")[0].partition(", ")[0]


def top(counter: Counter[str], count: int = _TOP) -> list[tuple[str, int]]:
    """The most frequent names; equal ones in the order of their letters."""
    return sorted(counter.items(), key=lambda item: (-item[1], item[0]))[:count]
