"""Where CloudTrail's objects lie in a bucket, found with few requests and never by listing all of it.

Folders are walked by their delimiter down to the lanes, `…/account/CloudTrail/region/`: other accounts,
regions and services are never entered. Within a lane keys sort by time, so that `StartAfter` leaps to a day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from trailsieve.errors import SourceError
from trailsieve.trail.envelope_contents import ObjectName
from trailsieve.trail.layout import Kind, is_log_name, kind_of_folder
from trailsieve.trail.selection import DELIVERY_SLACK, Selection

_LANE = re.compile(r"(?:.*/)?(?P<account>[0-9]{12})/(?P<kind>[^/]+)/(?P<region>[^/]+)/")
_ACCOUNT = re.compile(r"(?:.*/)?[0-9]{12}/")
_IN_TRAIL = re.compile(r"(?:.*/)?AWSLogs/(?:o-[^/]+/)?")
_TRAIL_FOLDERS = re.compile(r"o-[a-z0-9]+|[0-9]{12}")
_FOLDERS = 1000  # outside of CloudTrail's layout; more are no archive, and cost time and money


@dataclass(frozen=True, slots=True)
class Lane:
    """One account's files of one region, or a folder of files outside of CloudTrail's layout.

    Attributes:
        prefix: of the lane; with the bucket it names the shard.
        within: the part of it that was asked for.
        kind: None outside of the layout, where keys do not tell times.
        last: the last key of it that was asked for, or "".
    """

    bucket: str
    prefix: str
    within: str
    kind: Kind | None = None
    account: str = ""
    region: str = ""
    last: str = ""

    @property
    def shard(self) -> str:
        """The name under which its position is kept."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def start_of(self, time: datetime) -> str:
        """The key before all that were delivered at a time or later."""
        day = f"{self.prefix}{time:%Y/%m/%d}/"
        # The name of a digest also holds its trail's: there the day must do.
        return f"{day}{self.account}_CloudTrail_{self.region}_{time:%Y%m%dT%H%M}" if self.is_read else day

    def begin(self, selection: Selection) -> str:
        """The key after which a selection begins, or ""."""
        return self.start_of(selection.since) if self.kind and selection.since else ""

    def end(self, selection: Selection) -> str:
        """The key that no key of a selection lies behind, or "" for none."""
        if not (self.kind and selection.until):
            return self.last
        return f"{self.prefix}{selection.until + DELIVERY_SLACK + timedelta(days=1):%Y/%m/%d/}"

    @property
    def is_read(self) -> bool:
        """Whether it holds events; digest and Insight files are only counted."""
        return self.kind in (None, "events")


@dataclass(frozen=True, slots=True)
class Listing:
    """The objects under one prefix of a bucket. What S3 refuses is raised as botocore does.

    Attributes:
        prefix: a folder anywhere above, in or below `AWSLogs/`, or one object's key.
        others: whether the lanes of digest and Insight files are listed too, so as to count them.
        skip: told why a folder was left aside.
    """

    client: Any
    bucket: str
    prefix: str
    selection: Selection
    skip: Callable[[str], None]
    others: bool = False

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def lanes(self) -> Iterator[Lane]:
        """The lanes, in the order of their names.

        Raises:
            SourceError: this is no archive of CloudTrail.
        """
        prefix = self.prefix
        if is_log_name(prefix) and any(found.key == prefix for found in self._one(prefix)):
            yield Lane(self.bucket, prefix, prefix, last=prefix)
            return
        if prefix and not prefix.endswith("/"):
            prefix += "/"
        lane = self._lane(prefix)
        if lane:
            yield lane
        else:
            yield from self._descend(prefix)

    def keys(self, lane: Lane, after: str) -> Iterator[ObjectName]:
        """The objects of a lane behind a key, in order."""
        end = lane.end(self.selection)
        delimiter = "" if lane.kind else "/"
        for page in self._pages(lane.within, delimiter, after):
            for found in page.get("Contents", ()):
                if end and found["Key"] > end:
                    return
                yield ObjectName(self.bucket, found["Key"], found["Size"])

    def _descend(self, top: str) -> Iterator[Lane]:
        """Goes down from a folder; depth first, so that all lanes come in order."""
        pending, strangers = [top], 0
        while pending:
            folder = pending.pop()
            lane = self._lane(folder)
            if lane:
                yield from (lane,) if self._wanted(lane) else ()
                continue
            strangers += not _ACCOUNT.match(folder)
            if strangers > _FOLDERS:
                raise SourceError(
                    f"{self.url}: more than {_FOLDERS:,} folders; name the one that holds AWSLogs/"
                )
            folders, has_logs = self._folder(folder)
            if has_logs:
                yield Lane(self.bucket, folder, folder)
            pending += reversed([inner for inner in folders if self._may_hold_a_trail(folder, inner)])

    def _folder(self, folder: str) -> tuple[list[str], bool]:
        """The folders in a folder, and whether there are log files beside them."""
        folders: list[str] = []
        has_logs = False
        for page in self._pages(folder, "/"):
            folders += [common["Prefix"] for common in page.get("CommonPrefixes", ())]
            has_logs = has_logs or any(is_log_name(found["Key"]) for found in page.get("Contents", ()))
        return folders, has_logs

    def _may_hold_a_trail(self, folder: str, inner: str) -> bool:
        name = inner[len(folder) : -1]
        if _ACCOUNT.fullmatch(inner) and self.selection.accounts and name not in self.selection.accounts:
            self.skip("folder of another account")
            return False
        if _ACCOUNT.fullmatch(folder):
            return kind_of_folder(name) is not None or name == "AWSLogs"
        return _TRAIL_FOLDERS.fullmatch(name) is not None if _IN_TRAIL.fullmatch(folder) else True

    def _lane(self, folder: str) -> Lane | None:
        match = _LANE.match(folder)
        kind = kind_of_folder(match["kind"]) if match else None
        if match is None or kind is None:
            return None
        return Lane(self.bucket, match[0], folder, kind, match["account"], match["region"])

    def _wanted(self, lane: Lane) -> bool:
        if self.selection.regions and lane.region not in self.selection.regions:
            self.skip("folder of another region")
            return False
        return lane.is_read or self.others

    def _one(self, key: str) -> list[ObjectName]:
        page = self.client.list_objects_v2(Bucket=self.bucket, Prefix=key, MaxKeys=1)
        return [ObjectName(self.bucket, found["Key"], found["Size"]) for found in page.get("Contents", ())]

    def _pages(self, prefix: str, delimiter: str = "", after: str = "") -> Iterator[dict[str, Any]]:
        options = {"Bucket": self.bucket, "Prefix": prefix}
        options |= {"Delimiter": delimiter} if delimiter else {}
        options |= {"StartAfter": after} if after else {}
        while True:
            page: dict[str, Any] = self.client.list_objects_v2(**options)
            yield page
            if not page.get("IsTruncated"):
                return
            options["ContinuationToken"] = page["NextContinuationToken"]
