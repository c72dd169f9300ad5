"""Decoding and matching: the part of an epoch that needs no order and no state, so any process can do it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct

from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.metric import EARLIEST, Tally, sample_of
from trailsieve.engine.alerts import alert_id, alert_of, facts_of, miss_id, time_of
from trailsieve.engine.decode import EPOCH_BYTES, Decoded, DecodedBatch, Decoder
from trailsieve.engine.matcher import Matcher
from trailsieve.engine.observer import MatchedRecords
from trailsieve.engine.unreadable import UnreadableRecords
from trailsieve.model import Alert, Match, Message, Problem
from trailsieve.rules.rule import Rule
from trailsieve.times import seconds_of

_MOST_ALERTS = 20_000  # of one epoch of a stream; some 20 MB


class BatchResult(Struct):
    """What a message, or a batch of them, held.

    Attributes:
        alerts: of matches of rules without an alarm.
        problems: what could not be read, or was read with a warning.
        files: 1 for an object or the first block of a file of lines, 0 for its other blocks.
        records: the number of records that could be read.
        size: bytes after decompression; of messages that were processed together, as they arrived.
        unreadable_records: the number of records that could not be read.
        control_messages: messages, or parts of them, without records by design: health checks, test events.
        advice: hints for the operator about what arrives.
        samples: what matches of rules with an alarm add to their metrics.
        misses: of rules with a `metric.default`, records that did not match; see `Tally.misses`.
        oldest: the oldest event time of each shard, in seconds, when any rule has an alarm.
        newest: the newest event time of each shard, likewise.
        excepted: by rule and reason, matches that an exception hides.
        expired: the same for exceptions that have expired; these matches count.
        messages: the number of messages.
        lost: those of them of which nothing could be read.
        observed: what an observer collected, in its own encoding.
    """

    alerts: list[Alert] = []
    problems: list[Problem] = []
    files: int = 0
    records: int = 0
    size: int = 0
    unreadable_records: int = 0
    control_messages: int = 0
    advice: list[str] = []
    samples: list[Sample] = []
    misses: dict[str, dict[int, bytes]] = {}
    oldest: dict[str, int] = {}
    newest: dict[str, int] = {}
    excepted: dict[str, dict[str, int]] = {}
    expired: dict[str, dict[str, int]] = {}
    messages: int = 0
    lost: int = 0
    observed: list[bytes] = []


Processed = tuple[Sequence[Message], BatchResult]


class Processor:
    """Decodes and matches messages."""

    def __init__(self, decoder: Decoder, matcher: Matcher) -> None:
        self._decoder = decoder
        self._matcher = matcher
        self._observer = matcher.observer
        alarmed = [rule for rule in matcher.rules if rule.enabled and rule.alarm]
        self._alarmed = bool(alarmed or matcher.sequences)
        self._with_default = [rule for rule in alarmed if rule.metric.default is not None]
        self._sequences: dict[str, list[Rule]] = {}  # by rule, those that name it
        for sequence in matcher.sequences:
            for part in dict.fromkeys(sequence.sequence):
                self._sequences.setdefault(part, []).append(sequence)

    def observed(self, above: int = 0) -> list[bytes]:
        """Returns what the observer collected since the last call, if more than `above` records were."""
        return self._observer.take(above) if self._observer else []

    def process(self, message: Message) -> BatchResult:
        """Returns all alerts and problems of one message; never raises for what it holds."""
        if message.marker:
            return BatchResult()
        try:
            if self._observer and message.lines <= 1:
                self._observer.opened(message.name)
            decoded = self._decoder.decode(message)
            return joined(list(self._results(decoded, len(decoded.data), message.position.shard)))
        except MemoryError:
            problem = Problem(message.name, "too big: not enough memory to read it", text=message.payload)
            return BatchResult(problems=[problem], messages=1, lost=1, files=1)

    def process_poll(self, polled: Sequence[Message]) -> Iterator[Processed]:
        """Yields the same for many small messages of a stream at once, in their order.

        There is one result, unless so much is in the messages that it would fill the memory. The first alerts
        of a message may then come before it.
        """
        taken: list[Message] = []
        results: list[BatchResult] = []
        unwrapped = 0
        for decoded, shard in self._decoded(polled):
            for messages, result in self._stream_results(decoded, shard):
                taken += messages
                results.append(result)
                unwrapped += decoded.unwrapped if messages else EPOCH_BYTES
                if unwrapped >= EPOCH_BYTES:
                    yield taken, joined(results)
                    taken, results, unwrapped = [], [], 0
        if taken or not polled:
            yield taken, joined(results)

    def _decoded(self, messages: Sequence[Message]) -> Iterator[tuple[DecodedBatch, str]]:
        """Batches of messages, each of one shard where there are alarms."""
        shards: Iterable[tuple[str, Iterable[Message]]] = [("", messages)]
        if self._alarmed:
            shards = groupby(messages, lambda message: message.position.shard)
        for shard, of_shard in shards:
            waiting = list(of_shard)
            while waiting:
                decoded = self._decoder.decode_batch(waiting)
                waiting = waiting[len(decoded.messages) :]
                yield decoded, shard

    def _stream_results(self, decoded: DecodedBatch, shard: str) -> Iterator[Processed]:
        result = BatchResult()
        for number, following in enumerate(self._results(decoded, decoded.size, shard)):
            if number:
                yield (), result
            result = following
        result.messages = sum(not message.marker for message in decoded.messages)
        if shard in result.newest:
            result.newest[shard] = min(result.newest[shard], _arrival(decoded.messages, result.newest[shard]))
        result.control_messages = decoded.control_messages
        result.advice = sorted(decoded.advice)
        yield decoded.messages, result

    def _results(self, decoded: Decoded, size: int, shard: str) -> Iterator[BatchResult]:
        """Yields the first alerts when there are many, and in the end everything else."""
        result = BatchResult(messages=1, files=int(decoded.lines <= 1), size=size)
        unreadable = UnreadableRecords(each=decoded.lines > 0)
        tally = Tally(self._with_default)
        seen = 0
        alerted: list[Match] = []  # alerts of a message are made together: the caches stay warm
        matched = MatchedRecords(self._observer) if self._observer else None

        def on_batch(count: int, times: list[Any], ids: list[bytes]) -> None:
            nonlocal seen
            seen += count
            tally.saw(times, ids)

        for found in self._matcher.match(decoded, on_batch):
            if isinstance(found, Problem):
                unreadable.add(found)
            else:
                counts = self._take(found, result, alerted, tally, unreadable)
                if matched:
                    matched.add(found, counts=counts)
                if len(alerted) + len(result.samples) >= _MOST_ALERTS:
                    yield BatchResult(list(map(alert_of, alerted)), samples=result.samples)
                    alerted, result.samples = [], []
        result.alerts = list(map(alert_of, alerted))
        if matched:
            matched.finish()
        result.unreadable_records = unreadable.count
        result.records = seen - result.unreadable_records
        result.problems = [*unreadable.problems(decoded.payloads), *decoded.problems]
        result.lost = unreadable.lost(decoded.problems, lambda: decoded.held(seen))
        if span := tally.span:
            result.oldest[shard], result.newest[shard] = span
        for rule in self._with_default:
            assert rule.alarm is not None
            result.misses[rule.id] = tally.misses(rule.id, rule.alarm.period)
        yield result

    def _take(
        self,
        match: Match,
        result: BatchResult,
        alerted: list[Match],
        tally: Tally,
        unreadable: UnreadableRecords,
    ) -> bool:
        """Adds the match or a sample, or nothing and returns False when an exception hides the match."""
        rule: Rule = match.rule
        sequences = self._sequences.get(rule.id, ())
        time = time_of(match.record.event)
        seconds = seconds_of(time) if rule.alarm or rule.exceptions or sequences else None
        tally.hit(rule.id, time, _miss_id(match) if tally.needs_id(rule.id) else b"")
        if rule.exceptions and _is_excepted(rule, match, seconds, result):
            return False
        for sequence in sequences:
            if not (sequence.exceptions and _is_excepted(sequence, match, seconds, result)):
                _count(sequence, match, seconds, result, unreadable)
        if rule.enabled and rule.alarm is None:
            alerted.append(match)
        elif rule.enabled:
            _count(rule, match, seconds, result, unreadable)
        return rule.enabled


def _miss_id(match: Match) -> bytes:
    event = match.record.event
    return miss_id(event.eventID, event.recipientAccountId, match.record.text)


def _arrival(messages: Sequence[Message], default: int) -> int:
    """When the last of them reached the source: an event with a later time was written by a wrong clock."""
    times = [message.arrived for message in messages if message.arrived is not None]
    return int(max(times, default=default))


def joined(results: Sequence[BatchResult]) -> BatchResult:
    """Returns the sum of results, in their order."""
    if len(results) == 1:
        return results[0]
    total = BatchResult()
    for result in results:
        total.messages += result.messages
        total.lost += result.lost
        total.alerts += result.alerts
        total.problems += result.problems
        total.files += result.files
        total.records += result.records
        total.size += result.size
        total.unreadable_records += result.unreadable_records
        total.control_messages += result.control_messages
        total.advice += result.advice
        total.samples += result.samples
        total.observed += result.observed
        for shard, seconds in result.oldest.items():
            total.oldest[shard] = min(seconds, total.oldest.get(shard, seconds))
        for shard, seconds in result.newest.items():
            total.newest[shard] = max(seconds, total.newest.get(shard, seconds))
        _add(total.misses, result.misses)
        _add(total.excepted, result.excepted)
        _add(total.expired, result.expired)
    return total


def _add(mine: dict[str, dict[Any, Any]], theirs: dict[str, dict[Any, Any]]) -> None:
    for rule, found in theirs.items():
        known = mine.setdefault(rule, {})
        for key, value in found.items():
            known[key] = known[key] + value if key in known else value


def _count(
    rule: Rule, match: Match, seconds: int | None, result: BatchResult, unreadable: UnreadableRecords
) -> None:
    """Adds the sample that a match is for the alarm of a rule."""
    if seconds is None or seconds < EARLIEST:
        what = "without an event time" if seconds is None else "of an event before 2006"
        reason = f"a record {what}: the alarm of rule {rule.id} cannot count it"
        unreadable.add(Problem(match.origin, reason, match.record.index, match.record.text, warning=True))
        return
    event = match.record.event
    identity = alert_id(rule.id, match.record)
    result.samples.append(sample_of(rule, match, identity, time_of(event), seconds, facts_of(event)))


def _is_excepted(rule: Rule, match: Match, seconds: int | None, result: BatchResult) -> bool:
    """Whether an exception of a rule hides a match. It expires in event time, in a replay as well."""
    for exception in rule.exceptions:
        if exception.pattern.matches(match.record.text):
            applies = exception.expires is None or (seconds is not None and seconds < exception.expires)
            counts = (result.excepted if applies else result.expired).setdefault(rule.id, {})
            counts[exception.reason] = counts.get(exception.reason, 0) + 1
            if applies:
                return True
    return False
