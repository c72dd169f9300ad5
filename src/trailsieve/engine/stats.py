"""The counts of a run, behind the summary table and `--summary-json`."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Protocol

from trailsieve.engine.histogram import Histogram
from trailsieve.engine.processor import BatchResult
from trailsieve.model import Alert, Problem

_TOP = 3
_TOP_JSON = 10
_KEPT_PROBLEMS = 1000  # named one by one; all are counted
_KEPT_NAMES = 10_000  # different principals or addresses a rule; more are counted together
_LONGEST_NAME = 2048  # characters of one: the longest ARN
_WAITING = 1024  # different times that are parsed together
_LONGEST_TIME = 64


class Matched(Protocol):
    """A match as it is counted: an alert, or the sample of an alarm."""

    @property
    def id(self) -> str: ...
    @property
    def rule(self) -> str: ...
    @property
    def time(self) -> str | None: ...
    @property
    def principal(self) -> str | None: ...
    @property
    def source_ip(self) -> str | None: ...


@dataclass(slots=True)
class RuleCounts:
    """One rule's matches: when, by whom, from where."""

    matches: int = 0
    alerts: int = 0
    first: str = ""
    last: str = ""
    principals: Counter[str] = field(default_factory=Counter)
    sources: Counter[str] = field(default_factory=Counter)
    _times: Histogram = field(default_factory=Histogram)
    _waiting: dict[str, int] = field(default_factory=dict)  # counts by time, yet to be parsed

    def add(self, match: Matched) -> None:
        """Counts one event that matches."""
        if time := match.time:
            if len(time) <= _LONGEST_TIME:
                self._waiting[time] = self._waiting.get(time, 0) + 1
            else:
                self._times.add(time)
                time = time[: _LONGEST_TIME - 1] + "…"
            if not self.first or time < self.first:
                self.first = time
            self.last = max(self.last, time)
            if len(self._waiting) > _WAITING:
                self._parse()
        _count(self.principals, match.principal)
        _count(self.sources, match.source_ip)

    @property
    def times(self) -> Histogram:
        """The matches over time."""
        self._parse()
        return self._times

    def _parse(self) -> None:
        for time, events in self._waiting.items():
            self._times.add(time, events)
        self._waiting.clear()

    def as_dict(self) -> dict[str, Any]:
        """When the matches were, and the callers and addresses that have most of them."""
        return {
            "first": self.first or None,
            "last": self.last or None,
            "principals": dict(top(self.principals, _TOP_JSON)),
            "sources": dict(top(self.sources, _TOP_JSON)),
        }


def _count(counter: Counter[str], name: str | None) -> None:
    name = name or "unknown"
    if len(name) > _LONGEST_NAME:
        name = name[: _LONGEST_NAME - 1] + "…"
    counter[name if name in counter or len(counter) < _KEPT_NAMES else "others"] += 1


@dataclass(slots=True)
class RunStats:
    """The counts of a run so far.

    Attributes:
        files: objects that were opened, damaged ones included.
        records: records that could be read.
        bytes: bytes after decompression; of streams, as they arrived.
        duplicates: matches that were already raised, of events that were delivered more than once.
        provisional: alerts that were raised before their period was closed; they count as alerts.
        confirmed: provisional alerts that a final one with the same id confirmed.
        replaced: provisional alerts that a final one with another id replaced.
        rules: counts by rule id.
        skipped: objects that were not read, by reason: on purpose, or because they are damaged.
        problems: what could not be read, or was read with a warning; only the first thousand.
        unreadable_records: records that could not be read, in objects that could.
        unreadable_objects: those of `skipped` that were not skipped on purpose.
        control_messages: messages that hold no record by design, such as CloudWatch Logs' health checks.
        late: by rule, events that arrived after their alarm's period was closed; they do not count.
        over_max_keys: by rule, events that count together: there are more dimension values than `max_keys`.
        excepted: by rule and reason, matches that an exception hides.
        expired: the same for exceptions that have expired; these matches count.
    """

    files: int = 0
    records: int = 0
    bytes: int = 0
    duplicates: int = 0
    provisional: int = 0
    confirmed: int = 0
    replaced: int = 0
    rules: dict[str, RuleCounts] = field(default_factory=lambda: defaultdict(RuleCounts))
    skipped: Counter[str] = field(default_factory=Counter)
    problems: list[Problem] = field(default_factory=list)
    unreadable_records: int = 0
    unreadable_objects: int = 0
    control_messages: int = 0
    late: Counter[str] = field(default_factory=Counter)
    over_max_keys: Counter[str] = field(default_factory=Counter)
    excepted: dict[str, Counter[str]] = field(default_factory=dict)
    expired: dict[str, Counter[str]] = field(default_factory=dict)

    def add(self, result: BatchResult) -> None:
        """Counts what was read, and what could not be."""
        self.files += result.files
        self.bytes += result.size
        self.records += result.records
        self.unreadable_records += result.unreadable_records
        self.control_messages += result.control_messages
        for mine, theirs in ((self.excepted, result.excepted), (self.expired, result.expired)):
            for rule, reasons in theirs.items():
                mine.setdefault(rule, Counter()).update(reasons)
        unreadable = [problem for problem in result.problems if not problem.index and not problem.warning]
        self.skipped.update(category(problem.reason) for problem in unreadable)
        self.unreadable_objects += len(unreadable)
        self.problems += result.problems[: _KEPT_PROBLEMS - len(self.problems)]

    def skip(self, reason: str) -> None:
        """Counts an object that was skipped on purpose."""
        self.skipped[reason] += 1

    @property
    def unreadable(self) -> int:
        """The number of objects and records that could not be read."""
        return self.unreadable_objects + self.unreadable_records

    def matched(self, alert: Matched, *, duplicate: bool) -> None:
        """Counts a match; its event only the first time."""
        counts = self.rules[alert.rule]
        counts.matches += 1
        if duplicate:
            self.duplicates += 1
        else:
            counts.add(alert)

    def raised(self, alerts: Iterable[Alert]) -> None:
        """Counts alerts; a provisional one and the final one that settles it are one alert."""
        for alert in alerts:
            self.provisional += alert.provisional
            self.confirmed += alert.confirms
            self.replaced += alert.replaces is not None
            self.rules[alert.rule].alerts += not (alert.confirms or alert.replaces)

    @property
    def early(self) -> dict[str, int]:
        """The counts of provisional alerts and what became of them; nothing when there were none."""
        counts = {"provisional": self.provisional, "confirmed": self.confirmed, "replaced": self.replaced}
        return counts if any(counts.values()) else {}

    def as_dict(self) -> dict[str, Any]:
        """The shape of `--summary-json`."""
        return {
            "files": self.files,
            "records": self.records,
            "bytes": self.bytes,
            "unreadable_records": self.unreadable_records,
            "skipped": dict(sorted(self.skipped.items())),
            "duplicates": self.duplicates,
            **self.early,
            "matches": {rule: counts.matches for rule, counts in self.rules.items()},
            "alerts": {rule: counts.alerts for rule, counts in self.rules.items()},
            "rules": {rule: counts.as_dict() for rule, counts in self.rules.items()},
            "late": dict(self.late),
            "over_max_keys": dict(self.over_max_keys),
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
