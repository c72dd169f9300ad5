"""Matches a rule set against the records of a message, whole blocks at a time where possible."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from trailsieve import jsontext
from trailsieve.alarms.metric import counts_misses
from trailsieve.engine.alerts import miss_id
from trailsieve.engine.decode import Decoded
from trailsieve.engine.observer import Fields, Locate, Observer
from trailsieve.errors import UnreadableError
from trailsieve.model import Match, Problem, Record
from trailsieve.pattern.fused import FusedPatterns
from trailsieve.pattern.nodes import JsonPattern, Selector
from trailsieve.rules.rule import Rule
from trailsieve.trail.cloudtrail import Batch, blocks_of
from trailsieve.trail.event import Event, read_event

Wanted = Callable[[Event, bytes], bool]
OnBatch = Callable[[int, list[Any], list[bytes]], None]
_TIMES = ("eventTime", "@timestamp")  # the second is Logstash's
_IDS = ("eventID", "recipientAccountId")


class Matcher:
    """Finds the matches of every rule, in order of records, then of rules.

    All JSON patterns are decoded and tested as one (`FusedPatterns`). A record that the projection cannot
    read (lone surrogates, invalid UTF-8 in a field that is read, very deep nesting) is decoded in full, with
    the same result; it does not slow down the others.

    Args:
        rules: the enabled ones are used, and disabled ones that an enabled one names in its sequence.
        wanted: selects the records that count, by their main fields and text.
        observer: is shown every record that counts.

    Attributes:
        rules: those whose patterns are matched.
        sequences: those that wait for matches of others.
    """

    def __init__(
        self, rules: Sequence[Rule], wanted: Wanted | None = None, observer: Observer | None = None
    ) -> None:
        self.observer = observer
        self.sequences = [rule for rule in rules if rule.enabled and rule.sequence]
        parts = {part for rule in self.sequences for part in rule.sequence}
        self.rules = [rule for rule in rules if not rule.sequence and (rule.enabled or rule.id in parts)]
        self._wanted = wanted
        numbered = list(enumerate(self.rules))
        self._record_rules = [number for number, rule in numbered if rule.pattern.reads_records]
        self._text_rules = [number for number, rule in numbered if not rule.pattern.reads_records]
        trees = [self.rules[number].pattern.tree for number in self._record_rules]
        timed = observer or self.sequences or any(rule.alarm for rule in self.rules)
        times = _TIMES if timed else ()
        beside = [Selector(path) for path in observer.reads] if observer else []
        ids = _IDS if any(counts_misses(rule) for rule in self.rules) else ()
        patterns = [tree for tree in trees if isinstance(tree, JsonPattern)]
        also = (*times, *ids, *([_IDS[0]] if observer else []))
        self._fused = FusedPatterns(patterns, also, beside, observer.raw if observer else ())
        self._read_times = [self._fused.reader(name) for name in times]
        self._read_ids = [self._fused.reader(name) for name in ids]
        self._decode_record = jsontext.decoder(self._fused.decode_as).decode
        event: Any = self._fused.decode_as
        self._decode_block = jsontext.decoder(list[event]).decode
        self._decode_lines = jsontext.decoder(event).decode_lines
        self._one_by_one = bool(self._text_rules or (observer and not self._fused.projects))
        if observer and self._fused.projects:
            observer.bind(self._fields(observer))

    def _fields(self, observer: Observer) -> Fields:
        first, second = self._read_times
        return Fields(
            self._decode_record,
            self._fused.getter(list(dict.fromkeys(path[0] for path in observer.reads))),
            self._fused.flattened(),
            self._fused.getter(observer.raw),
            self._fused.reader(_IDS[0]),
            lambda event: first(event) or second(event),
        )

    def match(
        self, decoded: Decoded, on_batch: OnBatch = lambda count, times, ids: None
    ) -> Iterator[Match | Problem]:
        """Yields the matches in a message's records, and a problem for each record that cannot be read.

        Args:
            on_batch: called for each batch of records with their number (blank lines do not count) and, when
                any rule has an alarm, their event times as the records write them; and their ids when any
                counts the events that do not match.
        """
        for batch in self._decoded(decoded):
            seen = self._seen(batch) if self._read_times else ([], [])
            found = self._found(batch)
            if batch.events is not None and found is not None:
                on_batch(len(batch.events), *seen)
                if self.observer:
                    places = {place for place, _ in found}
                    self._show(self.observer, batch, batch.events, seen[0], places, decoded.locate)
                yield from self._match_events(batch, found, decoded.locate)
            else:
                lines = [(index, text) for index, text in enumerate(batch.texts, batch.first) if text.strip()]
                on_batch(len(lines), *seen)
                for index, text in lines:
                    yield from self._match_text(text, *decoded.locate(index))

    def _decoded(self, decoded: Decoded) -> Iterator[Batch]:
        for batch in decoded.batches(self._decode_block):
            if batch.events is None:
                for block in blocks_of(batch, self._decode_lines):
                    yield from (block,) if block.events is not None else decoded.separated(block)
            else:
                yield batch

    def _seen(self, batch: Batch) -> tuple[list[Any], list[bytes]]:
        """The times and ids of the records that are wanted."""
        if batch.events is None or self._wanted is not None:
            return self._read(batch.texts)
        first, second = self._read_times
        times = [first(event) or second(event) for event in batch.events]
        if not self._read_ids:
            return times, []
        number, account = self._read_ids
        events = zip(batch.events, batch.texts, strict=True)
        return times, [miss_id(number(event), account(event), text) for event, text in events]

    def _read(self, texts: Iterable[bytes]) -> tuple[list[Any], list[bytes]]:
        times, ids = [], []
        for text in texts:
            try:
                event = read_event(text)
            except UnreadableError:
                continue
            if not self._wanted or self._wanted(event, text):
                times.append(event.eventTime or event.timestamp)
                if self._read_ids:
                    ids.append(miss_id(event.eventID, event.recipientAccountId, text))
        return times, ids

    def _found(self, batch: Batch) -> list[tuple[int, list[int]]] | None:
        """The places and rules of the records that match; None if each must be tested by itself."""
        if batch.events is None or self._one_by_one:
            return None
        try:
            return self._fused.matches(batch.events)
        except jsontext.REFUSALS:  # in a field that was kept as text
            return None

    def _match_events(
        self, batch: Batch, found: list[tuple[int, list[int]]], locate: Locate
    ) -> Iterator[Match | Problem]:
        for place, numbers in found:
            origin, index = locate(batch.first + place)
            record = _record(index, batch.texts[place], origin, batch.events and batch.events[place])
            if isinstance(record, Problem):
                yield record
            else:
                yield from self._matches(record, [self._record_rules[n] for n in numbers], origin)

    def _show(
        self,
        observer: Observer,
        batch: Batch,
        events: list[Any],
        times: list[Any],
        matched: set[int],
        locate: Locate,
    ) -> None:
        """Shows the records that no rule matches; the others follow one by one, with their rules."""
        places: Sequence[int] = range(len(events))
        if self._wanted:
            first, second = self._read_times
            times = [first(event) or second(event) for event in events]
        if matched or self._wanted:
            places = [place for place in places if place not in matched]
            if self._wanted:
                places = [place for place in places if self._counts(batch.texts[place])]
            events = [events[place] for place in places]
            times = [times[place] for place in places]
        observer.records(events, times, places, batch, locate)

    def _counts(self, text: bytes) -> bool:
        return self._wanted is None or self._wanted(read_event(text), text)

    def _match_text(self, text: bytes, origin: str, index: int) -> Iterator[Match | Problem]:
        try:
            found = self._fused.matches([self._decode_record(text)])
            numbers = found[0][1] if found else []
        except jsontext.REFUSALS:
            record = _record(index, text, origin)
            if isinstance(record, Problem):
                yield record
                return
            content = jsontext.decode(text)
            numbers = [n for n in range(len(self._record_rules)) if self._rule(n).pattern.predicate(content)]
        matching = [self._record_rules[number] for number in numbers]
        matching += [number for number in self._text_rules if self.rules[number].pattern.matches(text)]
        if matching or self.observer:
            record = _record(index, text, origin)
            if not isinstance(record, Record):
                yield record
            elif matching:
                yield from self._matches(record, sorted(matching), origin)
            elif self.observer and (self._wanted is None or self._wanted(record.event, record.text)):
                self.observer.record(record, origin, ())

    def _rule(self, number: int) -> Rule:
        return self.rules[self._record_rules[number]]

    def _matches(self, record: Record, numbers: list[int], origin: str) -> Iterator[Match]:
        if self._wanted is None or self._wanted(record.event, record.text):
            for number in numbers:
                yield Match(self.rules[number], record, origin)


def _record(index: int, text: bytes, origin: str, projected: Any = None) -> Record | Problem:
    try:
        return Record(index, text, read_event(text), projected)
    except UnreadableError as error:
        return Problem(origin, error.reason, index, text)
