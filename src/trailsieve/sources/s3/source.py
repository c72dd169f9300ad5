"""Reads CloudTrail's bucket by listing it: for replays, backfills and buckets without notifications."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby, takewhile
from typing import Annotated
from urllib.parse import urlsplit

from msgspec import Meta

from trailsieve.errors import SourceError, UsageError, counted
from trailsieve.model import Message, Offset, Position, watermark_message
from trailsieve.ports import RunContext
from trailsieve.sources.identity import verified
from trailsieve.sources.object_reader import ObjectReader, object_reader
from trailsieve.sources.s3.listing import Listing, ListingPrefix, Page
from trailsieve.sources.s3.prefix_progress import PrefixProgress, hour_of
from trailsieve.sources.s3.request_pool import LISTING_THREADS
from trailsieve.toml_file import AtLeastOne
from trailsieve.trail.envelope_contents import ObjectName
from trailsieve.trail.layout import parse_key
from trailsieve.trail.selection import Selection
from trailsieve.wire.aws import AwsConfig, client, explain, explained, fault
from trailsieve.wire.s3_pages import read_pages_fast

_WAIT = 1.0  # seconds that a poll waits for the next listing
_SHORT_WAIT = 0.1  # the same while other objects are in flight
_AT_ONCE = 256  # objects that a poll returns at most
_LATE_EVERY = 3600.0  # seconds between two searches for objects that were listed later than `look_back`
_ListedObject = tuple[ObjectName, Position] | None  # an object to read; None at the end of a prefix

_Url = Annotated[str, Meta(pattern="^s3://[^/]", description="a URL such as s3://bucket/prefix")]


class Config(AwsConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings of the source, in addition to those of every AWS service.

    Attributes:
        url: `s3://bucket/prefix`; the prefix may be above, in or below `AWSLogs/`.
        since: where to start without a checkpoint: ISO 8601, or an age such as `24h` or `7d`.
        until: where to end: events before this time are read.
        accounts: the ids of the accounts to read; empty for all.
        regions: the names of the regions to read; empty for all.
        poll_interval: seconds between two listings; 0 lists once and ends.
        look_back: seconds before the newest object within which every listing looks for late objects; once an
            hour, it looks a day further back.
        bucket_owner: the account that must own the bucket; S3 refuses a bucket of another one.
        threads: how many objects each process reads at once.
        prefetch: bytes of objects that each process reads ahead, at most.
    """

    url: _Url
    since: str | None = None
    until: str | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    poll_interval: float = 60
    look_back: float = 3600
    bucket_owner: str = ""
    threads: AtLeastOne = 64
    prefetch: int = 64 * 2**20

    def __post_init__(self) -> None:
        try:
            self.selection()
        except UsageError as error:
            raise ValueError(str(error).replace("--", "")) from None

    def selection(self) -> Selection:
        """Returns which records count.

        Raises:
            UsageError: `since` or `until` is not a time, or the range is empty.
        """
        return Selection.parse(self.since, self.until, self.accounts, self.regions)


def open_source(config: Config, context: RunContext) -> S3Source:
    """The source for these settings. Does not connect.

    Raises:
        SourceError: boto3 lacks a setting.
        UsageError: `url` is not an S3 URL.
    """
    return open_urls([config.url], config.selection(), config, context)


def open_urls(urls: Sequence[str], selection: Selection, config: Config, context: RunContext) -> S3Source:
    """A source that reads several folders; `url` of the settings is ignored. Does not connect.

    Raises:
        UsageError: an address is not an S3 URL.
        SourceError: boto3 lacks a setting.
    """
    with explained("source s3", SourceError):
        s3 = client("s3", config, max_pool_connections=LISTING_THREADS)
        read_pages_fast(s3)
    once = not config.poll_interval
    owner = config.bucket_owner
    listings = [Listing(s3, *parse_url(url), selection, context.skip, once, owner) for url in urls]
    return S3Source(listings, object_reader(config, config, context), config, context)


def parse_url(url: str) -> tuple[str, str]:
    """The bucket and the prefix in `s3://bucket/prefix`.

    Raises:
        UsageError: not an S3 URL.
    """
    parts = urlsplit(url.replace("?", "%3F").replace("#", "%23"))
    if parts.scheme != "s3" or not parts.netloc:
        raise UsageError(f"{url}: not an S3 URL; use s3://bucket/prefix")
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return bucket, prefix


class S3Source:
    """One unread message for each object, sorted by key, one prefix after another.

    With a `poll_interval` it lists again and again; without, it is exhausted after one listing.
    """

    whole_objects = True
    ordered = False

    def __init__(
        self,
        listings: Sequence[Listing],
        open_reader: Callable[[], ObjectReader],
        config: Config,
        context: RunContext,
    ) -> None:
        self._listings = listings
        self.open_reader = open_reader
        self._config = config
        self._context = context
        self._selection = listings[0].selection
        self._look_back = timedelta(seconds=config.look_back)
        self._known: Mapping[str, Offset] = {}
        self._progress: dict[str, PrefixProgress] = {}
        self._round: Iterator[_ListedObject] | None = self._list()
        self._next_round = self._next_late_search = 0.0
        self._late = 0
        self._in_flight = 0
        self._shard = ", ".join(listing.url for listing in listings)
        self._markers = [watermark_message(self._shard)]
        self._began: float | None = None  # when the listing began

    @property
    def selection(self) -> Selection:
        """Which records count. A service continues from its checkpoint, so it excludes none for its age."""
        return replace(self._selection, since=None) if self._config.poll_interval else self._selection

    @property
    def exhausted(self) -> bool:
        return self._round is None and not self._config.poll_interval

    def start(self, positions: Mapping[str, Offset]) -> None:
        self._known = positions
        if self._config.url:
            self._markers += verified(positions, self._identity())
        if self._config.poll_interval and self._selection.since:
            self._start_at(self._selection.since, positions.get(f"since:{self._shard}"))

    def _identity(self) -> dict[str, str]:
        meta = self._listings[0].client.meta
        endpoint = meta.partition if "amazonaws.com" in meta.endpoint_url else meta.endpoint_url
        return {"kind": "s3", "url": self._config.url.rstrip("/"), "endpoint": endpoint}

    def _start_at(self, since: datetime, saved: Offset | None) -> None:
        """Continues with the first run's `since`, since `24h` is a later time after a restart."""
        first = min(since, datetime.fromisoformat(str(saved))) if saved else since
        self._selection = replace(self._selection, since=first)
        name = f"since:{self._shard}"
        self._markers.append(Message(b"", Position(name, first.isoformat()), name, marker=True))

    def poll(self) -> Sequence[Message]:
        markers, self._markers = self._markers, []
        listed = self._listed()
        if not listed and self._round is None and self._config.poll_interval:
            wait = _SHORT_WAIT if self._in_flight else _WAIT
            time.sleep(min(wait, max(0.0, self._next_round - time.monotonic())))
        messages = [*markers, *listed]
        self._in_flight += sum(not message.watermark for message in messages)
        if not self._config.poll_interval:
            self._context.gauge("s3_list_requests", sum(listing.requests for listing in self._listings))
        return messages

    def keep_alive(self) -> None:
        """Does nothing: S3 has no leases."""

    def commit(self, positions: Iterable[Position]) -> None:
        self._in_flight -= sum(1 for _ in positions)

    def check(self) -> str:
        answers = []
        for listing in self._listings:
            with explained(f"{listing.url} cannot be listed (s3:ListBucket)", SourceError):
                prefixes = [prefix for prefix in listing.prefixes() if prefix.is_read]
                first = next((found for prefix in prefixes for found in listing.keys(prefix, "")), None)
            if first:
                with explained(f"s3://{first.bucket}/{first.key} cannot be read (s3:GetObject)", SourceError):
                    listing.open(first).close()
            answers.append(f"{listing.url}: {_summary(prefixes)}" + ("" if first else ", no object yet"))
        return "; ".join(answers)

    def close(self) -> None:
        for listing in self._listings:
            listing.close()

    def _listed(self) -> list[Message]:
        """The next objects, and how far the bucket is read after the last object of a listing.

        Returns after some objects, or after as long as a poll may take.
        """
        deadline = time.monotonic() + _WAIT
        if self._round is None and self._config.poll_interval and time.monotonic() >= self._next_round:
            self._round = self._list()
        found: list[Message] = []
        while self._round is not None and len(found) < _AT_ONCE and time.monotonic() < deadline:
            try:
                listed = self._next_object(self._round)
            except StopIteration:
                self._round = None
                self._next_round = time.monotonic() + self._config.poll_interval
                if self._began is not None:
                    self._context.reachable(True)
                    found.append(watermark_message(self._shard, self._began))
            else:
                if listed is not None:
                    found.append(self._message(*listed))
        return found

    def _next_object(self, listed: Iterator[_ListedObject]) -> _ListedObject:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return next(listed)
        except (BotoCoreError, ClientError) as error:
            urls = ", ".join(listing.url for listing in self._listings)
            text = f"{urls} cannot be listed: {explain(error)}"
            if not self._config.poll_interval or fault(error) != "later":
                raise SourceError(text) from None
            self._began = None
            self._context.reachable(False)
            self._context.info(f"{text}; retrying in {self._config.poll_interval:g} seconds")
            raise StopIteration from None  # the next listing continues from here

    def _list(self) -> Iterator[_ListedObject]:
        """Lists all prefixes once, and once an hour also looks for late objects."""
        self._began = self._context.now()
        late_search = time.monotonic() >= self._next_late_search
        for listing in self._listings:
            for prefix, first in self._requested_ahead(listing):
                if prefix.is_read:
                    if late_search:
                        yield from self._late_objects(listing, prefix)
                    yield from self._new_objects(listing, prefix, first)
                else:
                    self._count_skipped(listing, prefix, first)
                yield None
        if late_search:
            self._next_late_search = time.monotonic() + _LATE_EVERY

    def _requested_ahead(self, listing: Listing) -> Iterator[tuple[ListingPrefix, Future[Page]]]:
        """The prefixes of a listing, each with its first page, which is requested some prefixes ahead."""
        ahead: deque[tuple[ListingPrefix, Future[Page]]] = deque()
        for prefix in listing.prefixes():
            ahead.append((prefix, listing.request(prefix, self._after(prefix))))
            if len(ahead) > LISTING_THREADS:
                yield ahead.popleft()
        yield from ahead

    def _after(self, prefix: ListingPrefix) -> str:
        """The key after which the new objects of a prefix begin."""
        begin = prefix.begin(self._selection)
        return self._progress_of(prefix).after or begin if prefix.is_read else begin

    def _new_objects(
        self, listing: Listing, prefix: ListingPrefix, first: Future[Page]
    ) -> Iterator[_ListedObject]:
        progress = self._progress_of(prefix)
        for found in listing.keys(prefix, self._after(prefix), first):
            if progress.is_done(found.key):
                continue
            if reason := self._reason_to_skip(prefix, found.key):
                self._context.skip(reason)
                continue
            progress.add(found.key)
            yield found, Position(prefix.shard, progress.offset)

    def _late_objects(self, listing: Listing, prefix: ListingPrefix) -> Iterator[_ListedObject]:
        """Reads again the hours before the look-back window that list more objects than were read.

        Which of them are late is not known: replicas keep the time at which the original was written.
        Source: docs.aws.amazon.com/AmazonS3/latest/userguide/replication-what-is-isnot-replicated.html
        """
        progress = self._progress_of(prefix)
        hours = dict(self._hours_before(listing, prefix, progress))
        if not progress.has_counts:  # the offset is of an earlier version
            progress.set_counts({hour: len(objects) for hour, objects in hours.items()})
        late = {hour: len(objects) - progress.count_of(hour) for hour, objects in hours.items()}
        again = {hour: objects for hour, objects in hours.items() if late[hour] > 0}
        if again:
            self._report_late(sum(late[hour] for hour in again), prefix, list(again.values()))
        for hour, objects in again.items():
            for found in objects[:-1]:
                yield found, Position(prefix.shard, progress.offset)
            progress.set_counts({hour: len(objects)})  # with the last object: a crash repeats the hour
            yield objects[-1], Position(prefix.shard, progress.offset)

    def _hours_before(
        self, listing: Listing, prefix: ListingPrefix, progress: PrefixProgress
    ) -> Iterator[tuple[str, list[ObjectName]]]:
        """The objects of each hour of the day before the look-back window."""
        end = progress.after
        if not progress.counted_after:
            return
        begin = max(progress.counted_after, prefix.begin(self._selection))
        listed = takewhile(lambda found: found.key < end, listing.keys(prefix, begin))
        readable = (found for found in listed if not self._reason_to_skip(prefix, found.key))
        for hour, objects in groupby(readable, lambda found: hour_of(found.key)):
            yield hour, list(objects)

    def _report_late(self, late: int, prefix: ListingPrefix, hours: Sequence[Sequence[ObjectName]]) -> None:
        self._late += late
        self._context.gauge("s3_listed_late", self._late)
        size, first = counted(sum(map(len, hours)), "object"), hours[0][0].url
        self._context.info(
            f"{prefix.shard}: {counted(late, 'object')} came later than `look_back`; reading the {size} of "
            f"{counted(len(hours), 'hour')} again, from {first}"
        )

    def _reason_to_skip(self, prefix: ListingPrefix, key: str) -> str:
        # Under a CloudTrail prefix the listing starts at `since`; elsewhere names may contain times.
        names = replace(self._selection, since=None) if prefix.kind else self.selection
        return names.reason_to_skip(key, walked=not prefix.last) or self._naming_problem(prefix, key)

    def _naming_problem(self, prefix: ListingPrefix, key: str) -> str:
        """Why the look-back cannot handle a key: its name contains no time; "" if it can."""
        odd = prefix.kind and self._look_back and parse_key(key) is None
        return "not a CloudTrail object key" if odd else ""

    def _count_skipped(self, listing: Listing, prefix: ListingPrefix, first: Future[Page]) -> None:
        for found in listing.keys(prefix, self._after(prefix), first):
            self._context.skip(self._selection.reason_to_skip(found.key))

    def _progress_of(self, prefix: ListingPrefix) -> PrefixProgress:
        progress = self._progress.get(prefix.shard)
        if progress is None:
            progress = PrefixProgress(prefix, self._look_back, self._known.get(prefix.shard, ""))
            self._progress[prefix.shard] = progress
            if self._config.poll_interval and not prefix.kind:
                self._context.info(
                    f"{prefix.shard}: not CloudTrail's layout; new objects must sort last to be found"
                )
        return progress

    def _message(self, name: ObjectName, position: Position) -> Message:
        self._context.object_found(name.size)
        return Message(b"", position, name.url, unread=name.size)


def _summary(prefixes: Sequence[ListingPrefix]) -> str:
    accounts = {prefix.account for prefix in prefixes if prefix.account}
    regions = {prefix.region for prefix in prefixes if prefix.region}
    if not accounts:
        return counted(len(prefixes), "folder")
    return f"{counted(len(accounts), 'account')}, {counted(len(regions), 'region')}"
