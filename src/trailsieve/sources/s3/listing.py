"""Finds CloudTrail's objects in a bucket with few requests, without listing the whole bucket.

Folders are walked with a delimiter down to the prefixes `…/account/CloudTrail/region/`; the folders of other
accounts, regions and services are not entered. Keys under a prefix sort by time, so `StartAfter` can skip
to a day.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from trailsieve.errors import SourceError
from trailsieve.sources.s3.folder_tree import Folder, FolderTree
from trailsieve.sources.s3.request_pool import RequestPool
from trailsieve.trail.envelope_contents import ObjectName
from trailsieve.trail.layout import Kind, is_log_name, kind_of_folder
from trailsieve.trail.selection import DELIVERY_SLACK, Selection
from trailsieve.wire.s3_get import expected_owner

_REGION_FOLDER = re.compile(r"(?:.*/)?(?P<account>[0-9]{12})/(?P<kind>[^/]+)/(?P<region>[^/]+)/")
_ACCOUNT = re.compile(r"(?:.*/)?[0-9]{12}/")
_IN_TRAIL = re.compile(r"(?:.*/)?AWSLogs/(?:o-[^/]+/)?")
_TRAIL_FOLDERS = re.compile(r"o-[a-z0-9]+|[0-9]{12}")
_FOLDERS = (
    1000  # outside CloudTrail's layout; with more it is not an archive, and listing costs time and money
)

Page = dict[str, Any]  # a response of ListObjectsV2


@dataclass(frozen=True, slots=True)
class ListingPrefix:
    """The files of one account and region, or a folder of files outside CloudTrail's layout.

    Attributes:
        prefix: the key prefix of the files; with the bucket it names the shard.
        within: the part of it to list.
        kind: None outside CloudTrail's layout, where keys do not contain times.
        last: the only key to list, or "" for all of them.
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
        """The name of the shard in positions: `s3://bucket/prefix`."""
        return f"s3://{self.bucket}/{self.prefix}".rstrip("/")

    def start_of(self, time: datetime) -> str:
        """The key that sorts before those of all objects delivered at a time or later."""
        day = f"{self.prefix}{time:%Y/%m/%d}/"
        # The name of a digest also contains that of its trail, so only the day is known.
        return f"{day}{self.account}_CloudTrail_{self.region}_{time:%Y%m%dT%H%M}" if self.is_read else day

    def begin(self, selection: Selection) -> str:
        """The key after which to list for a selection; "" for the first."""
        return self.start_of(selection.since) if self.kind and selection.since else ""

    def end(self, selection: Selection) -> str:
        """The key that sorts after all keys of a selection; "" if there is no limit."""
        if not (self.kind and selection.until):
            return self.last
        return f"{self.prefix}{selection.until + DELIVERY_SLACK + timedelta(days=1):%Y/%m/%d/}"

    @property
    def is_read(self) -> bool:
        """Whether to read the files; digest and Insight files are only counted."""
        return self.kind in (None, "events")


@dataclass(frozen=True, slots=True)
class Listing:
    """The objects under one prefix of a bucket. Its methods block for S3 and raise what botocore raises.

    Attributes:
        prefix: a folder above, in or below `AWSLogs/`, or the key of one object.
        others: whether to list the prefixes of digest and Insight files too, to count them.
        skip: receives the reason for each folder that is skipped.
        owner: the account that must own the bucket; "" for any.
    """

    client: Any
    bucket: str
    prefix: str
    selection: Selection
    skip: Callable[[str], None]
    others: bool = False
    owner: str = ""
    _pool: RequestPool = field(default_factory=RequestPool)

    @property
    def url(self) -> str:
        return f"s3://{self.bucket}/{self.prefix}"

    def prefixes(self) -> Iterator[ListingPrefix]:
        """The prefixes to list, sorted by name.

        Raises:
            SourceError: the folder is not a CloudTrail archive.
        """
        folder = self.prefix
        if is_log_name(folder) and any(found.key == folder for found in self._one(folder)):
            yield ListingPrefix(self.bucket, folder, folder, last=folder)
            return
        if folder and not folder.endswith("/"):
            folder += "/"
        prefix = self._prefix_of(folder)
        if prefix:
            yield prefix
        else:
            yield from self._descend(folder)

    def request(self, prefix: ListingPrefix, after: str) -> Future[Page]:
        """Requests the first page of what `keys` returns. Returns at once."""
        return self._pool.submit(self._page, self._options(prefix.within, _delimiter(prefix), after))

    def keys(
        self, prefix: ListingPrefix, after: str, first: Future[Page] | None = None
    ) -> Iterator[ObjectName]:
        """The objects under a prefix after a key, sorted by key; `first` is its first page, if requested."""
        end = prefix.end(self.selection)
        for page in self._pages(prefix.within, _delimiter(prefix), after, first):
            for found in page.get("Contents", ()):
                if end and found["Key"] > end:
                    return
                yield ObjectName(self.bucket, found["Key"], found["Size"])

    def open(self, name: ObjectName) -> Any:
        """The body of an object, to be closed."""
        owner = expected_owner(self.owner)
        return self.client.get_object(Bucket=name.bucket, Key=name.key, **owner)["Body"]

    @property
    def requests(self) -> int:
        """The number of requests so far."""
        return self._pool.requests

    def close(self) -> None:
        """Stops the threads that list ahead. Returns at once."""
        self._pool.close()

    def _descend(self, top: str) -> Iterator[ListingPrefix]:
        """Walks the folders below `top`, depth first, so that the prefixes come in order."""
        pending, others = [top], 0
        tree = FolderTree(self._folder, self._folders_to_list, self._pool)
        while pending:
            folder = pending.pop()
            prefix = self._prefix_of(folder)
            if prefix:
                yield from (prefix,) if self._wanted(prefix) else ()
                continue
            others += not _ACCOUNT.match(folder)
            if others > _FOLDERS:
                raise SourceError(
                    f"{self.url}: more than {_FOLDERS:,} folders; name the one that contains AWSLogs/"
                )
            folders, has_logs = tree.contents(folder)
            if has_logs:
                yield ListingPrefix(self.bucket, folder, folder)
            for inner in folders:
                if self._is_of_another_account(inner):
                    self.skip("folder of another account")
            pending += reversed([inner for inner in folders if self._may_hold_a_trail(folder, inner)])

    def _folder(self, folder: str) -> Folder:
        """The folders directly in a folder, and whether it contains log files too."""
        folders: list[str] = []
        has_logs = False
        for page in self._pages(folder, "/"):
            folders += [common["Prefix"] for common in page.get("CommonPrefixes", ())]
            has_logs = has_logs or any(is_log_name(found["Key"]) for found in page.get("Contents", ()))
        return folders, has_logs

    def _may_hold_a_trail(self, folder: str, inner: str) -> bool:
        name = inner[len(folder) : -1]
        if self._is_of_another_account(inner):
            return False
        if _ACCOUNT.fullmatch(folder):
            return kind_of_folder(name) is not None or name == "AWSLogs"
        return _TRAIL_FOLDERS.fullmatch(name) is not None if _IN_TRAIL.fullmatch(folder) else True

    def _folders_to_list(self, folder: str, inner: list[str]) -> list[str]:
        return [one for one in inner if self._may_hold_a_trail(folder, one) and not self._prefix_of(one)]

    def _is_of_another_account(self, folder: str) -> bool:
        account = folder.rstrip("/").rpartition("/")[2] if _ACCOUNT.fullmatch(folder) else ""
        return bool(account and self.selection.accounts) and account not in self.selection.accounts

    def _prefix_of(self, folder: str) -> ListingPrefix | None:
        match = _REGION_FOLDER.match(folder)
        kind = kind_of_folder(match["kind"]) if match else None
        if match is None or kind is None:
            return None
        return ListingPrefix(self.bucket, match[0], folder, kind, match["account"], match["region"])

    def _wanted(self, prefix: ListingPrefix) -> bool:
        if self.selection.regions and prefix.region not in self.selection.regions:
            self.skip("folder of another region")
            return False
        return prefix.is_read or self.others

    def _one(self, key: str) -> list[ObjectName]:
        page = self.client.list_objects_v2(
            Bucket=self.bucket, Prefix=key, MaxKeys=1, **expected_owner(self.owner)
        )
        return [ObjectName(self.bucket, found["Key"], found["Size"]) for found in page.get("Contents", ())]

    def _pages(
        self, prefix: str, delimiter: str = "", after: str = "", first: Future[Page] | None = None
    ) -> Iterator[Page]:
        options = self._options(prefix, delimiter, after)
        page = first.result() if first else self._page(options)
        while page.get("IsTruncated"):
            options["ContinuationToken"] = page["NextContinuationToken"]
            following = self._pool.submit(self._page, dict(options))
            yield page
            page = following.result()
        yield page

    def _options(self, prefix: str, delimiter: str, after: str) -> dict[str, Any]:
        options = {"Bucket": self.bucket, "Prefix": prefix, **expected_owner(self.owner)}
        options |= {"Delimiter": delimiter} if delimiter else {}
        return options | ({"StartAfter": after} if after else {})

    def _page(self, options: dict[str, Any]) -> Page:
        self._pool.requests += 1
        page: Page = self.client.list_objects_v2(**options)
        return page


def _delimiter(prefix: ListingPrefix) -> str:
    return "" if prefix.kind else "/"
