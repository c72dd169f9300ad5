"""Selects files and records by time range, account and region."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trailsieve.errors import UsageError
from trailsieve.times import iso_time, time_or_age
from trailsieve.trail.event import Event
from trailsieve.trail.layout import ObjectKey, is_log_name, parse_key

# CloudTrail delivers a file within minutes of its events, rarely hours.
DELIVERY_SLACK = timedelta(hours=1)
_KIND_NAMES = {"digest": "digest file", "insight": "Insight file"}


@dataclass(frozen=True, slots=True)
class ListedFile:
    """A file to read.

    Attributes:
        name: the path as it is displayed.
        size: in bytes.
        walked: whether it was found in a folder rather than given by name.
    """

    path: str
    name: str
    size: int
    walked: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """A time range, accounts and regions; an empty set of accounts or regions selects all."""

    since: datetime | None = None
    until: datetime | None = None
    accounts: frozenset[str] = frozenset()
    regions: frozenset[str] = frozenset()

    @classmethod
    def parse(
        cls,
        since: str | None,
        until: str | None,
        accounts: Iterable[str] = (),
        regions: Iterable[str] = (),
    ) -> Selection:
        """The selection that the command-line options describe.

        Raises:
            UsageError: a time is invalid, or the range is empty.
        """
        try:
            selection = cls(
                time_or_age(since, "--since") if since is not None else None,
                time_or_age(until, "--until") if until is not None else None,
                frozenset(accounts),
                frozenset(regions),
            )
        except ValueError as error:
            raise UsageError(str(error)) from None
        if selection.since and selection.until and selection.since >= selection.until:
            raise UsageError(f"--since {since} is not before --until {until}: the range is empty")
        return selection

    @property
    def narrows(self) -> bool:
        """Whether the selection could exclude any record."""
        return bool(self.since or self.until or self.accounts or self.regions)

    def files(self, listed: Iterable[ListedFile], skip: Callable[[str], None]) -> list[ListedFile]:
        """The files to read; calls `skip` with the reason for each of the others."""
        wanted = []
        for file in listed:
            reason = self.reason_to_skip(file.path, walked=file.walked)
            if reason:
                skip(reason)
            else:
                wanted.append(file)
        return wanted

    def reason_to_skip(self, name: str, *, walked: bool = True) -> str:
        """Why a file is skipped, judged by its path or key; "" if it is not.

        Args:
            walked: whether the file was found in a folder, and so must be named like a log file.
        """
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
        """Whether a record is selected; a record without a time, account or region is not excluded by it."""
        account = event.recipientAccountId
        if self.accounts and isinstance(account, str) and account not in self.accounts:
            return False
        region = event.awsRegion
        if self.regions and isinstance(region, str) and region not in self.regions:
            return False
        return not (self.since or self.until) or self._in_range(event.eventTime or event.timestamp)

    def _in_range(self, value: Any) -> bool:
        time = iso_time(value)
        if time is None:
            return True
        return (self.since is None or time >= self.since) and (self.until is None or time < self.until)
