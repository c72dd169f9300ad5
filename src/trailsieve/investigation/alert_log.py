"""The alerts of an archive in bounded memory: all of them counted, the most severe kept in full."""

from __future__ import annotations

from collections.abc import Sequence

from trailsieve.investigation.calls import shortened
from trailsieve.investigation.model import AlertCount, Alerts
from trailsieve.model import SEVERITIES, Alert

_MOST_KEPT = 3000
_MOST_EACH = 1024  # of a rule and principal; fewer when there are many of both
_MOST_BYTES = 24 * 2**20  # of their records
_LONGEST_RECORD = 64 * 2**10  # bytes: a longer one is counted and not kept
_MOST_COUNTS = 50_000
_MINUTE, _HOUR = len("2026-03-14T02:10"), len("2026-03-14T02")
OTHERS = "others"

_Key = tuple[str, str, str, str]


class AlertLog:
    """A sink that keeps what an investigation shows of the alerts."""

    overwrites = False

    def __init__(self) -> None:
        self._total = 0
        self._each = _MOST_EACH
        self._kept: dict[tuple[str, str], list[Alert]] = {}
        self._held = 0
        self._bytes = 0
        self._counts: dict[_Key, int] = {}
        self._fold = 0

    def deliver(self, alerts: Sequence[Alert]) -> None:
        for alert in alerts:
            self._total += 1
            self._count(alert)
            self._keep(alert)

    def check(self) -> str:
        return "keeps alerts"

    def close(self) -> None:
        """Nothing is open."""

    def alerts(self) -> Alerts:
        """Returns the alerts, in time order."""
        kept = [alert for of_pair in self._kept.values() for alert in of_pair]
        kept.sort(key=lambda alert: (alert.time or "", alert.position, alert.id))
        counts = [AlertCount(*key, count) for key, count in sorted(self._counts.items())]
        return Alerts(kept, counts, self._total)

    def _count(self, alert: Alert) -> None:
        key = self._folded(
            (
                shortened(alert.time or "")[:_MINUTE],
                alert.rule,
                shortened(alert.principal or ""),
                shortened(alert.event_name or ""),
            )
        )
        self._counts[key] = self._counts.get(key, 0) + 1
        while len(self._counts) > _MOST_COUNTS and self._fold < 3:
            self._fold += 1
            counts, self._counts = self._counts, {}
            for old, count in counts.items():
                new = self._folded(old)
                self._counts[new] = self._counts.get(new, 0) + count

    def _folded(self, key: _Key) -> _Key:
        minute, rule, principal, event_name = key
        if self._fold >= 1:
            minute = minute[:_HOUR]
        if self._fold >= 2 and key not in self._counts:
            principal = OTHERS
        if self._fold >= 3:
            minute, event_name = minute[: len("2026-03-14")], OTHERS
        return minute, rule, principal, event_name

    def _keep(self, alert: Alert) -> None:
        size = sum(map(len, alert.records))
        if size > _LONGEST_RECORD:
            return
        of_pair = self._kept.setdefault((alert.rule, shortened(alert.principal or "")), [])
        if len(of_pair) >= self._each:
            return
        of_pair.append(alert)
        self._held += 1
        self._bytes += size
        if self._held > _MOST_KEPT or self._bytes > _MOST_BYTES:
            self._drop()

    def _drop(self) -> None:
        """Keeps half as many of each rule and principal; of those with one each, the more severe half."""
        if self._each > 1:
            self._each //= 2
            self._kept = {pair: alerts[: self._each] for pair, alerts in self._kept.items()}
        else:
            most_severe = sorted(self._kept.items(), key=lambda item: -SEVERITIES.index(item[1][0].severity))
            self._kept = dict(most_severe[: len(most_severe) // 2])
        kept = [alert for alerts in self._kept.values() for alert in alerts]
        self._held = len(kept)
        self._bytes = sum(len(record) for alert in kept for record in alert.records)
