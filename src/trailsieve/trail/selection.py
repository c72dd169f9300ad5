"""Which files and records of an archive a replay is about: time range, accounts, regions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from trailsieve.errors import UsageError
from trailsieve.trail.event import Event
from trailsieve.trail.layout import ObjectKey, is_log_name, parse_key

# A file holds events of any time before its delivery, which follows them within minutes, rarely hours.
DELIVERY_SLACK = timedelta(hours=1)
_AGO = re.compile(r"(\d+)([smhdw])")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_KIND_NAMES = {"digest": "digest file", "insight": "Insight file"}


@dataclass(frozen=True, slots=True)
class Listed:
    """A file to read: its path, the name shown to people, its size in bytes, and whether a walk found it."""

    path: str
    name: str
    size: int
    walked: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """What to look at; an empty set of accounts or regions means all."""

    since: datetime | None = None
    until: datetime | None = None
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()

    @classmethod
    def parse(
        cls, since: str | None, until: str | None, accounts: Iterable[str], regions: Iterable[str]
    ) -> Selection:
        """From the options of the command line.

        Raises:
            UsageError: a time that cannot be read, or a range that is empty.
        """
        selection = cls(
            parse_time(since, "--since"),
            parse_time(until, "--until"),
            frozenset(accounts),
            frozenset(regions),
        )
        if selection.since and selection.until and selection.since >= selection.until:
            raise UsageError(f"--since {since} is not before --until {until}: no event can lie between")
        return selection

    @property
    def narrows(self) -> bool:
        """Whether any record could be left out."""
        return bool(self.since or self.until or self.accounts or self.regions)

    def files(self, listed: Iterable[Listed], skip: Callable[[str], None]) -> list[Listed]:
        """The files to read; `skip` is told why each other one is left aside."""
        wanted = []
        for file in listed:
            reason = self.reason_to_skip(file.path, walked=file.walked)
            if reason:
                skip(reason)
            else:
                wanted.append(file)
        return wanted

    def reason_to_skip(self, name: str, *, walked: bool = True) -> str:
        """Why a file is left aside by its path or key, or ""; one that a walk found must look like a log."""
        if walked and not is_log_name(name):
            return "not a log file"
        key = parse_key(name)
        if key is None:
            return ""
        return _KIND_NAMES.get(key.kind, "") or self._outside(key)

    def _outside(self, key: ObjectKey) -> str:
        if self.accounts and key.account not in self.accounts:
            return "other account"
        if self.regions and key.region not in self.regions:
            return "other region"
        if self.since and key.delivered < self.since:
            return "delivered before --since"
        if self.until and key.delivered - self.until > DELIVERY_SLACK:
            return "delivered long after --until"
        return ""

    def wants(self, event: Event) -> bool:
        """Whether a record lies in the selection; one that does not say its time or place does."""
        account = event.recipientAccountId
        if self.accounts and isinstance(account, str) and account not in self.accounts:
            return False
        region = event.awsRegion
        if self.regions and isinstance(region, str) and region not in self.regions:
            return False
        return not (self.since or self.until) or self._in_range(event.eventTime or event.timestamp)

    def _in_range(self, value: Any) -> bool:
        time = _parse_iso(value) if isinstance(value, str) else None
        if time is None:
            return True
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)


def parse_time(text: str | None, option: str) -> datetime | None:
    """A point in time: ISO 8601 (UTC unless it says otherwise), or `24h`, `7d` before now."""
    if text is None:
        return None
    ago = _AGO.fullmatch(text.strip())
    time = _before_now(int(ago[1]), _UNITS[ago[2]]) if ago else _parse_iso(text.strip())
    if time is None:
        raise UsageError(f"{option} {text!r} is no time; write 2026-03-14T02:00:00Z, 2026-03-14, 24h or 7d")
    return time


def _before_now(count: int, unit: str) -> datetime | None:
    try:
        return datetime.now(UTC) - timedelta(**{unit: count})
    except OverflowError:
        return None


def _parse_iso(text: str) -> datetime | None:
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)
