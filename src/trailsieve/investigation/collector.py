"""Folds records to calls in the process that decodes them, and sends them to the parent."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

import msgspec
from msgspec import Raw, Struct

from trailsieve import jsontext
from trailsieve.engine.observer import Fields, Locate
from trailsieve.investigation.calls import (
    READS,
    call_of,
    is_folded_whole,
    text,
    time_text,
    values_of,
)
from trailsieve.investigation.grants import gives, grant_of
from trailsieve.investigation.groups import Group, Variant, Whole, decoded, detailed
from trailsieve.investigation.model import Call, CoveredHour, Grant
from trailsieve.investigation.touched import RAW
from trailsieve.jsontext import REFUSALS
from trailsieve.model import Record
from trailsieve.trail.cloudtrail import Batch
from trailsieve.trail.layout import parse_key

_MOST_ENTRIES = 20_000  # before what was collected is encoded, some 20 MB
_MOST_TIMES = 200_000
_MOST_KNOWN = 20_000  # groups that are remembered, and as many variants: some 50 MB
_USUAL_TIME = len("2026-03-14T02:10:20Z")
HOUR, TEN_MINUTES = len("2026-03-14T02"), len("2026-03-14T02:1")
_hour = itemgetter(slice(0, HOUR))


class Entry(Struct, array_like=True, gc=False):
    """Equal calls of some messages.

    Attributes:
        key: the same for equal calls in every process.
        origin: where in `Part.origins` the name of the first record's object is.
        events: hashes of key, time and event id, of calls that are told one by one: what differs in anything
            but the file is another event, whatever its id.
        call: the call without count and times, in MessagePack.
    """

    key: int
    count: int
    first: str
    last: str
    origin: int
    number: int
    events: list[int]
    call: bytes


class Part(Struct, array_like=True):
    """What was collected of some messages."""

    origins: list[str]
    entries: list[Entry]
    grants: list[Grant]
    hours: list[CoveredHour]


_encode = msgspec.msgpack.Encoder().encode
_Hours = Counter[tuple[str, str, str]]


class Collector:
    """An observer (`engine/observer.py`) that folds records to calls.

    Args:
        add: takes in the parent what was collected.
    """

    reads = READS
    raw = RAW
    _fields: Fields

    def __init__(self, add: Callable[[bytes], None]) -> None:
        self.add = add
        self._slots: dict[int, Whole | Group] = {}
        self._groups: dict[int, Group] = {}
        self._variants: dict[int, Variant] = {}
        self._encoded: list[bytes] = []
        self._forget()

    def _forget(self) -> None:
        self._entries: dict[int, Entry] = {}
        self._origins: dict[str, int] = {}
        self._grants: list[Grant] = []
        self._stamps: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
        self._files: _Hours = Counter()
        self._times = 0

    def bind(self, fields: Fields) -> None:
        self._fields = fields

    def opened(self, name: str) -> None:
        key = parse_key(name)
        if key is not None:
            self._files[key.account, key.region, key.delivered.strftime("%Y-%m-%dT%H")] += 1

    def records(
        self,
        events: Sequence[Any],
        times: Sequence[Any],
        places: Sequence[int],
        batch: Batch,
        locate: Locate,
    ) -> None:
        try:
            numbers = list(map(hash, map(self._fields.key, events)))
        except TypeError:  # an array or object in place of a text
            for place in places:
                self._take_odd(batch.texts[place], *locate(batch.first + place), ())
            return
        slots = self._slots
        for number, event, time, place in zip(numbers, events, times, places, strict=True):
            try:
                slot = slots[number]
            except KeyError:
                slot = self._slot(number, event)
            if slot.__class__ is Whole:
                if not slot:
                    slot.where = locate(batch.first + place)
                slot.append(time)
            else:
                self._take(slot, event, time, (), batch, place, locate)  # type: ignore[arg-type]
        self._times += len(events)
        self._close_if_full()

    def record(self, record: Record, origin: str, rules: Sequence[str]) -> None:
        try:
            event = self._fields.decode(record.text) if record.projected is None else record.projected
            number = hash(self._fields.key(event))
        except (AttributeError, TypeError, *REFUSALS):
            self._take_odd(record.text, origin, record.index, rules)
            return
        if number not in self._groups:
            self._slot(number, event)
        group, time = self._groups[number], self._fields.time(event)
        where = (origin, record.index)
        if group.whole is not None and not rules:
            group.whole.where = group.whole.where if group.whole else where
            group.whole.append(time)
        else:
            single = Batch.of_texts(record.index, [record.text])
            self._take(group, event, time, tuple(rules), single, 0, lambda number: where)
        self._times += 1
        self._close_if_full()

    def take(self, above: int = 0) -> list[bytes]:
        if len(self._entries) + self._times + len(self._files) > above:
            self._close()
        encoded, self._encoded = self._encoded, []
        return encoded

    def _slot(self, number: int, event: Any) -> Whole | Group:
        """What takes records with this key from now on."""
        if len(self._groups) >= _MOST_KNOWN:
            self._close()
            self._slots.clear()
            self._groups.clear()
        group = self._groups[number] = Group(call_of(self._fields.values(event)), number)
        self._slots[number] = slot = group if group.whole is None else group.whole
        return slot

    def _take(
        self,
        group: Group,
        event: Any,
        time: Any,
        rules: tuple[str, ...],
        batch: Batch,
        place: int,
        locate: Locate,
    ) -> None:
        """Folds one record that is told by itself."""
        identity = self._fields.identity(event)
        if time.__class__ is not str or identity.__class__ is not str or not identity:
            self._take_odd(batch.texts[place], *locate(batch.first + place), rules)
            return
        if len(time) != _USUAL_TIME or time[:2] != "20":
            time = time_text(time)
        texts = self._fields.raw(event)
        telling = [bytes(texts[field]) for field in group.telling if texts[field].__class__ is Raw]
        key = hash((group.number, rules, *telling))
        variant = self._variants.get(key)
        if variant is None:
            if len(self._variants) >= _MOST_KNOWN:
                self._variants.clear()
            variant = self._variants[key] = group.variant(batch.texts[place], rules)
        entry = self._entry(variant, time, time[:TEN_MINUTES], locate, batch.first + place)
        entry.events.append(hash((identity, entry.key, time)))
        self._stamps[variant.place].append(time)
        if group.gives:
            self._give(group.call, decoded(texts), time, *locate(batch.first + place))

    def _take_odd(self, record: bytes, origin: str, number: int, rules: Sequence[str]) -> None:
        """Folds one record that is read in full."""
        content = jsontext.decode_object(record) or {}
        call = detailed(call_of(values_of(content)), content, tuple(rules))
        time = time_text(content.get("eventTime")) or time_text(content.get("@timestamp"))
        self._stamps[call.account, call.region].append(time)
        if is_folded_whole(call):
            call.targets, call.effect = (), ""
            self._entry(Variant(call), time, "", lambda number: (origin, number), number)
            return
        entry = self._entry(Variant(call), time, time[:TEN_MINUTES], lambda number: (origin, number), number)
        identity = content.get("eventID")
        named = identity.__class__ is str and identity
        entry.events.append(hash((identity if named else record, entry.key, time)))
        if gives(call):
            self._give(call, content, time, origin, number)

    def _entry(self, variant: Variant, time: str, bucket: str, locate: Locate, number: int) -> Entry:
        """The entry of equal calls, which has one more now."""
        key = hash((variant.number, bucket))
        entry = self._entries.get(key)
        if entry is None:
            origin, number = locate(number)
            entry = Entry(key, 1, time, time, self._origin(origin), number, [], variant.encoded)
            self._entries[key] = entry
            return entry
        entry.count += 1
        if time and (time < entry.first or not entry.first):
            entry.first = time
        elif time > entry.last:
            entry.last = time
        return entry

    def _origin(self, name: str) -> int:
        return self._origins.setdefault(name, len(self._origins))

    def _give(self, call: Call, content: Mapping[str, Any], time: str, origin: str, number: int) -> None:
        grant = grant_of(call, content, time, f"{text(origin)}#{number}")
        if grant is not None:
            self._grants.append(grant)

    def _close_if_full(self) -> None:
        if self._times > _MOST_TIMES or len(self._entries) > _MOST_ENTRIES:
            self._close()

    def _close(self) -> None:
        """Encodes what was collected."""
        entries = [*self._entries.values(), *self._folded()]
        if entries or self._files:
            read: _Hours = Counter()
            for place, times in self._stamps.items():
                for hour, count in Counter(map(_hour, times)).items():
                    read[*place, hour] = count
            hours = [CoveredHour(*key, self._files[key], read[key]) for key in self._files | read]
            origins = list(map(text, self._origins))
            self._encoded.append(_encode(Part(origins, entries, self._grants, hours)))
        self._forget()

    def _folded(self) -> Iterator[Entry]:
        """The entries of calls that are folded whenever they were."""
        for slot in self._slots.values():
            if slot.__class__ is Whole and slot:
                times = _plain(slot)
                self._stamps[slot.variant.place] += times
                origin, number = slot.where
                key = hash((slot.variant.number, ""))
                first = min(filter(None, times), default="")
                yield Entry(
                    key, len(times), first, max(times), self._origin(origin), number, [], slot.variant.encoded
                )
                slot.clear()


def _plain(times: list[Any]) -> list[str]:
    """Event times, "" in place of those that cannot be one."""
    try:
        first, last = min(times), max(times)
        if first[:2] == last[:2] == "20" and len(first) == len(last) == _USUAL_TIME:
            return times
    except TypeError:  # not all of them are texts
        pass
    return [time_text(time) for time in times]
