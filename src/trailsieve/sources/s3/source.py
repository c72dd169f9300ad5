"""CloudTrail's bucket, read by listing it: for replays, backfills, and where there are no notifications."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

from trailsieve.errors import SourceError, UsageError
from trailsieve.model import Message, Offset, Position
from trailsieve.ports import RunContext
from trailsieve.sources.object_fetcher import Fetched, Fetcher
from trailsieve.sources.s3.listing import Lane, Listing
from trailsieve.sources.s3.prefix_progress import Place
from trailsieve.trail.envelope_contents import ObjectName
from trailsieve.trail.layout import parse_key
from trailsieve.trail.selection import Selection
from trailsieve.wire.aws import AwsConfig, answer, client, explained, fault

_PATIENCE = 1.0  # seconds that a poll waits for an object
_IMPATIENCE = 0.1  # the same while others are being examined
_Listed = tuple[ObjectName, Position] | None  # an object to read; None where a lane ends


class Config(AwsConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings, beside those of everything in AWS.

    Attributes:
        url: `s3://bucket/prefix`; the prefix may lie above, in or below `AWSLogs/`.
        since: where to begin without a checkpoint: ISO 8601, or `24h`, `7d` before now.
        until: where to end: events before this time.
        accounts: ids, to look at these only.
        regions: names, to look at these only.
        poll_interval: seconds between two listings; 0 reads what is there and ends.
        look_back: seconds before the newest object in which late ones are looked for.
        threads: how many objects are fetched at once.
        prefetch: bytes of objects that are fetched ahead, at most.
    """

    url: str
    since: str | None = None
    until: str | None = None
    accounts: tuple[str, ...] = ()
    regions: tuple[str, ...] = ()
    poll_interval: float = 60
    look_back: float = 3600
    threads: int = 8
    prefetch: int = 64 * 2**20


def open_source(config: Config, context: RunContext) -> S3Source:
    """A bucket as a source."""
    try:
        selection = Selection.parse(config.since, config.until, config.accounts, config.regions)
        return open_urls([config.url], selection, config, context)
    except UsageError as error:
        raise SourceError(f"source s3: {error}".replace("--", "")) from None


def open_urls(urls: Sequence[str], selection: Selection, config: Config, context: RunContext) -> S3Source:
    """Several folders of archives as one source, with the settings of a config except its own `url`.

    Raises:
        UsageError: an address that is none of S3.
    """
    s3 = client("s3", config, max_pool_connections=config.threads)
    once = not config.poll_interval
    listings = [Listing(s3, *parse_url(url), selection, context.skip, once) for url in urls]
    fetcher: Fetcher[Position] = Fetcher(
        s3, config.threads, config.prefetch, context.max_object_size, context.info
    )
    return S3Source(listings, fetcher, config, context)


def parse_url(url: str) -> tuple[str, str]:
    """The bucket and the prefix of `s3://bucket/prefix`.

    Raises:
        UsageError: it is none.
    """
    parts = urlsplit(url.replace("?", "%3F").replace("#", "%23"))
    if parts.scheme != "s3" or not parts.netloc:
        raise UsageError(f"{url}: no address of S3; write s3://bucket/prefix")
    bucket, _, prefix = url.removeprefix("s3://").partition("/")
    return bucket, prefix


class S3Source:
    """Yields one message an object, in the order of keys, one lane after another.

    With `poll_interval` it lists again and again; without, it is exhausted at the end.
    """

    whole_objects = True
    ordered = False

    def __init__(
        self,
        listings: Sequence[Listing],
        fetcher: Fetcher[Position],
        config: Config,
        context: RunContext,
    ) -> None:
        self._listings = listings
        self._fetcher = fetcher
        self._config = config
        self._context = context
        self._selection = listings[0].selection
        self._look_back = timedelta(seconds=config.look_back)
        self._known: Mapping[str, Offset] = {}
        self._places: dict[str, Place] = {}
        self._round: Iterator[_Listed] | None = self._list()
        self._next_round = 0.0
        self._under_way = 0

    @property
    def selection(self) -> Selection:
        """Which records count. A service that goes on where it stood leaves none out for its age."""
        return replace(self._selection, since=None) if self._config.poll_interval else self._selection

    @property
    def exhausted(self) -> bool:
        return self._round is None and not self._config.poll_interval and self._fetcher.idle

    def start(self, positions: Mapping[str, Offset]) -> None:
        self._known = positions

    def poll(self) -> Sequence[Message]:
        self._ask()
        patience = _IMPATIENCE if self._under_way else _PATIENCE
        if self._fetcher.idle:
            if self._config.poll_interval:
                time.sleep(min(patience, max(0.0, self._next_round - time.monotonic())))
            return []
        messages = [self._message(fetched) for fetched in self._fetcher.take(patience)]
        self._under_way += len(messages)
        return messages

    def keep_alive(self) -> None:
        """Objects do not slip away."""

    def commit(self, positions: Iterable[Position]) -> None:
        self._under_way -= sum(1 for _ in positions)

    def check(self) -> str:
        answers = []
        for listing in self._listings:
            with explained(f"{listing.url} cannot be listed (s3:ListBucket)", SourceError):
                lanes = [lane for lane in listing.lanes() if lane.is_read]
                first = next((found for lane in lanes for found in listing.keys(lane, "")), None)
            if first:
                with explained(f"s3://{first.bucket}/{first.key} cannot be read (s3:GetObject)", SourceError):
                    listing.client.get_object(Bucket=first.bucket, Key=first.key)["Body"].close()
            answers.append(f"{listing.url}: {_told(lanes)}" + ("" if first else ", no object yet"))
        return "; ".join(answers)

    def close(self) -> None:
        self._fetcher.close()

    def _ask(self) -> None:
        """Asks for objects ahead, as far as there is room, and not for longer than a poll may take."""
        deadline = time.monotonic() + _PATIENCE
        if self._round is None and self._config.poll_interval and time.monotonic() >= self._next_round:
            self._round = self._list()
        while self._round is not None and self._fetcher.has_room and time.monotonic() < deadline:
            try:
                listed = self._listed(self._round)
            except StopIteration:
                self._round = None
                self._next_round = time.monotonic() + self._config.poll_interval
                return
            if listed is not None:
                self._context.object_found(listed[0].size)
                self._fetcher.ask(*listed)

    def _listed(self, listed: Iterator[_Listed]) -> _Listed:
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            return next(listed)
        except (BotoCoreError, ClientError) as error:
            urls = ", ".join(listing.url for listing in self._listings)
            text = f"{urls} cannot be listed: {answer(error)}"
            if not self._config.poll_interval or fault(error) != "later":
                raise SourceError(text) from None
            self._context.info(f"{text}; trying again in {self._config.poll_interval:g} seconds")
            raise StopIteration from None  # the next round begins where this one should have gone on

    def _list(self) -> Iterator[_Listed]:
        """One round over all lanes."""
        for listing in self._listings:
            for lane in listing.lanes():
                if lane.is_read:
                    yield from self._new_objects(listing, lane)
                else:
                    self._count(listing, lane)
                yield None

    def _new_objects(self, listing: Listing, lane: Lane) -> Iterator[_Listed]:
        place = self._place(lane)
        # In a lane the listing began where it must; elsewhere names may tell when they were delivered.
        names = replace(self._selection, since=None) if lane.kind else self.selection
        for found in listing.keys(lane, place.after or lane.begin(self._selection)):
            if place.is_done(found.key):
                continue
            reason = names.reason_to_skip(found.key, walked=not lane.last) or self._oddity(lane, found.key)
            if reason:
                self._context.skip(reason)
                continue
            place.add(found.key)
            yield found, Position(lane.shard, place.offset)

    def _oddity(self, lane: Lane, key: str) -> str:
        """Looking back needs names that tell times."""
        odd = lane.kind and self._look_back and parse_key(key) is None
        return "not named as CloudTrail does" if odd else ""

    def _count(self, listing: Listing, lane: Lane) -> None:
        for found in listing.keys(lane, lane.begin(self._selection)):
            self._context.skip(self._selection.reason_to_skip(found.key))

    def _place(self, lane: Lane) -> Place:
        place = self._places.get(lane.shard)
        if place is None:
            place = Place(lane, self._look_back, self._known.get(lane.shard, ""))
            self._places[lane.shard] = place
            if self._config.poll_interval and not lane.kind:
                self._context.info(
                    f"{lane.shard}: not CloudTrail's layout; new objects are seen only when they sort last"
                )
        return place

    def _message(self, fetched: Fetched[Position]) -> Message:
        self._context.object_read(fetched.name.size)
        name = f"s3://{fetched.name.bucket}/{fetched.name.key}"
        return Message(fetched.payload, fetched.tag, name, problem=fetched.problem)


def _told(lanes: Sequence[Lane]) -> str:
    accounts = {lane.account for lane in lanes if lane.account}
    regions = {lane.region for lane in lanes if lane.region}
    return f"{len(accounts)} accounts, {len(regions)} regions" if accounts else f"{len(lanes)} folders"
