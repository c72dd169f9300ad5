"""Decoding and matching: the part of an epoch that needs no order and no state, so any process can do it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import Any

from msgspec import Struct

from trailsieve.alarms.datapoint import Sample
from trailsieve.alarms.metric import Tally, sample_of
from trailsieve.engine.alerts import alert_id, alert_of, facts_of, position_of, time_of
from trailsieve.engine.decode import Decoded, Decoder
from trailsieve.engine.matcher import Matcher
from trailsieve.model import Alert, Match, Message, Problem
from trailsieve.rules.rule import Rule
from trailsieve.times import seconds_of


class BatchResult(Struct):
    """What a message, or a batch of them, held.

    Attributes:
        alerts: of matches of rules without an alarm.
        problems: what could not be read, or was read with a warning.
        files: 1 for an object or the first block of a file of lines, 0 for its other blocks.
        records: the number of records that could be read.
        size: bytes after decompression; of messages that were processed together, as they arrived.
        unreadable_records: the number of `problems` that are about one record.
        control_messages: messages, or parts of them, without records by design: health checks, test events.
        advice: hints for the operator about what arrives.
        samples: what matches of rules with an alarm add to their metrics.
        misses: by rule with a `metric.default` and start of a period, records that did not match.
        oldest: the oldest event time of each shard, in seconds, when any rule has an alarm.
        newest: the newest event time of each shard, likewise.
        excepted: by rule and reason, matches that an exception hides.
        expired: the same for exceptions that have expired; these matches count.
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
    misses: dict[str, dict[int, int]] = {}
    oldest: dict[str, int] = {}
    newest: dict[str, int] = {}
    excepted: dict[str, dict[str, int]] = {}
    expired: dict[str, dict[str, int]] = {}


class Processor:
    """Decodes and matches messages."""

    def __init__(self, decoder: Decoder, matcher: Matcher) -> None:
        self._decoder = decoder
        self._matcher = matcher
        alarmed = [rule for rule in matcher.rules if rule.enabled and rule.alarm]
        self._alarmed = bool(alarmed or matcher.sequences)
        self._with_default = [rule for rule in alarmed if rule.metric.default is not None]
        self._sequences: dict[str, list[Rule]] = {}  # by rule, those that name it
        for sequence in matcher.sequences:
            for part in dict.fromkeys(sequence.sequence):
                self._sequences.setdefault(part, []).append(sequence)

    def process(self, message: Message) -> BatchResult:
        """Returns all alerts and problems of one message; never raises for what it holds."""
        if message.marker:
            return BatchResult()
        decoded = self._decoder.decode(message)
        return self._result(decoded, len(decoded.data), message.position.shard)

    def process_batch(self, messages: Sequence[Message]) -> BatchResult:
        """Returns the same for many small messages of a stream at once, in their order."""
        if not self._alarmed:
            return self._process_shard("", messages)
        shards = groupby(messages, lambda message: message.position.shard)
        results = [self._process_shard(shard, list(of_shard)) for shard, of_shard in shards]
        return results[0] if len(results) == 1 else joined(results)

    def _process_shard(self, shard: str, messages: Sequence[Message]) -> BatchResult:
        decoded = self._decoder.decode_batch(messages)
        result = self._result(decoded, decoded.size, shard)
        result.control_messages = decoded.control_messages
        result.advice = sorted(decoded.advice)
        return result

    def _result(self, decoded: Decoded, size: int, shard: str) -> BatchResult:
        result = BatchResult(files=int(decoded.lines <= 1), size=size)
        tally = Tally(self._with_default)
        seen = 0

        def on_batch(count: int, times: list[Any]) -> None:
            nonlocal seen
            seen += count
            tally.saw(times)

        for found in self._matcher.match(decoded, on_batch):
            if isinstance(found, Problem):
                result.problems.append(found)
            else:
                self._take(found, result, tally)
        result.unreadable_records = sum(problem.index > 0 for problem in result.problems)
        result.records = seen - result.unreadable_records
        result.problems += decoded.problems
        if span := tally.span:
            result.oldest[shard], result.newest[shard] = span
        for rule in self._with_default:
            assert rule.alarm is not None
            result.misses[rule.id] = tally.misses(rule.id, rule.alarm.period)
        return result

    def _take(self, match: Match, result: BatchResult, tally: Tally) -> None:
        """Adds an alert or a sample, or nothing when an exception hides the match."""
        rule: Rule = match.rule
        sequences = self._sequences.get(rule.id, ())
        time = time_of(match.record.event)
        seconds = seconds_of(time) if rule.alarm or rule.exceptions or sequences else None
        tally.hit(rule.id, time)
        if rule.exceptions and _is_excepted(rule, match, seconds, result):
            return
        for sequence in sequences:
            if not (sequence.exceptions and _is_excepted(sequence, match, seconds, result)):
                _count(sequence, match, seconds, result)
        if not rule.enabled:
            return
        if rule.alarm is None:
            result.alerts.append(alert_of(match))
        else:
            _count(rule, match, seconds, result)


def joined(results: Iterable[BatchResult]) -> BatchResult:
    """Returns the sum of results, in their order."""
    total = BatchResult()
    for result in results:
        total.alerts += result.alerts
        total.problems += result.problems
        total.files += result.files
        total.records += result.records
        total.size += result.size
        total.unreadable_records += result.unreadable_records
        total.control_messages += result.control_messages
        total.advice += result.advice
        total.samples += result.samples
        for shard, seconds in result.oldest.items():
            total.oldest[shard] = min(seconds, total.oldest.get(shard, seconds))
        for shard, seconds in result.newest.items():
            total.newest[shard] = max(seconds, total.newest.get(shard, seconds))
        for mine, theirs in (
            (total.misses, result.misses),
            (total.excepted, result.excepted),
            (total.expired, result.expired),
        ):
            _add_counts(mine, theirs)
    return total


def _add_counts(mine: dict[str, dict[Any, int]], theirs: dict[str, dict[Any, int]]) -> None:
    for rule, counts in theirs.items():
        known = mine.setdefault(rule, {})
        for key, count in counts.items():
            known[key] = known.get(key, 0) + count


def _count(rule: Rule, match: Match, seconds: int | None, result: BatchResult) -> None:
    """Adds the sample that a match is for the alarm of a rule."""
    if seconds is None:
        reason = f"a record without an event time: the alarm of rule {rule.id} cannot count it"
        problem = Problem(position_of(match), reason, text=match.record.text, warning=True)
        result.problems.append(problem)
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
