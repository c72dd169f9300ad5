"""Matches of several rules in their order by one actor, through event time.

The terms are those of Sigma's temporal_ordered correlation
(sigmahq.io/docs/meta/correlations.html#temporal-ordered-temporal_ordered). CloudTrail's times are whole
seconds, so events of the same second are in every order. What happens here depends on the events alone: a
second is looked at as a whole, and a chain that is complete uses up everything until its last second.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import msgspec

from trailsieve.alarms.datapoint import Period, Sample
from trailsieve.alarms.provisional import Provisional
from trailsieve.alarms.series import Change
from trailsieve.model import AlarmState
from trailsieve.rules.alarm import Alarm

Chain = tuple[Sample, ...]  # the matches of the first rules of the sequence, in their order
Second = dict[str, list[tuple[str, Sample]]]  # by rule, the matches of one second with their events' ids


def part_of(sequence: Sequence[str], rule: str) -> str:
    """What is added to an event's id to make that of a match of one of the rules."""
    return f"{sequence.index(rule):02x}"


def event_of(sample: Sample) -> str:
    """The id of a match's event, the same for all rules that match it."""
    return sample.id[:-2]


@dataclass(slots=True)
class _Search:
    """The search for chains, second after second.

    Attributes:
        found: for each number of rules less one, the chain with the latest start.
        since: the last second of the last complete chain.
    """

    sequence: tuple[str, ...]
    within: int
    found: list[Chain]
    since: int | None = None

    @classmethod
    def new(cls, alarm: Alarm) -> _Search:
        assert alarm.within is not None
        return cls(alarm.sequence, alarm.within, [()] * (len(alarm.sequence) - 1))

    def copy(self) -> _Search:
        return replace(self, found=list(self.found))

    def take(self, seconds: int, second: Second) -> Chain:
        """The chain that a second completes, or an empty one; after it the search starts anew."""
        if self.since is not None and seconds <= self.since:
            return ()
        longer = [self._longest(length, seconds, second) for length in range(1, len(self.sequence) + 1)]
        *found, complete = longer
        if complete:
            self.found, self.since = [()] * len(found), seconds
            return complete
        self.found = [
            new if new and (not old or new[0].seconds > old[0].seconds) else old
            for old, new in zip(self.found, found, strict=True)
        ]
        return ()

    def _longest(self, length: int, seconds: int, second: Second) -> Chain:
        """The chain of so many rules with the latest start that ends in this second."""
        best: Chain = ()
        for known in reversed(range(length)):
            if self.sequence[known] not in second:
                break
            before = self.found[known - 1] if known else ()
            if known and (not before or before[0].seconds < seconds - self.within):
                continue
            if best and known and before[0].seconds <= best[0].seconds:
                continue
            chosen = _one_each(self.sequence[known:length], second)
            best = (*before, *chosen) if chosen else best
        return best

    def forget(self, upto: int) -> None:
        """Drops what no event from `upto` on can complete."""
        oldest = upto - self.within
        self.found = [chain if chain and chain[0].seconds >= oldest else () for chain in self.found]
        if self.since is not None and self.since < oldest:
            self.since = None

    def spent(self) -> int:
        """From which `upto` on `forget` drops everything."""
        known = [chain[0].seconds for chain in self.found if chain]
        known += [self.since] if self.since is not None else []
        return max(known, default=0) + self.within + 1

    def __bool__(self) -> bool:
        return any(self.found) or self.since is not None


def _one_each(rules: Sequence[str], second: Second) -> Chain:
    """A match of each rule, all of different events (bipartite matching); empty when there are too few."""
    taken: dict[str, int] = {}
    chosen: dict[int, Sample] = {}

    def place(number: int, tried: set[str]) -> bool:
        for event, sample in second.get(rules[number], ()):
            if event in tried:
                continue
            tried.add(event)
            if event not in taken or place(taken[event], tried):
                taken[event], chosen[number] = number, sample
                return True
        return False

    if not all(place(number, set()) for number in range(len(rules))):
        return ()
    return tuple(chosen[number] for number in range(len(rules)))


@dataclass(slots=True)
class SequenceSeries:
    """The matches of one actor that are not closed, and the chains that they may complete.

    It does for sequences what `Series` does for datapoints.

    Attributes:
        open: the matches by second; of each rule and second as many as the sequence has rules.
        held: until when alerts are held back, and how many were.
        provisional: by id, the alerts that were raised before their last second was closed.
        saved: what the checkpoint has of it.
    """

    alarm: Alarm
    search: _Search
    open: dict[int, Second] = field(default_factory=dict)
    held: dict[AlarmState, tuple[int, int]] = field(default_factory=dict)
    provisional: dict[str, Provisional] = field(default_factory=dict)
    saved: bytes | None = None
    _rules: set[str] = field(default_factory=set)
    _order: list[int] = field(default_factory=list)  # the seconds of `open`
    _trial: _Search | None = None  # the search before `_tried`, as if all before it were closed
    _tried: int = 0

    @classmethod
    def new(cls, alarm: Alarm) -> SequenceSeries:
        """A series without any match yet."""
        return cls(alarm, _Search.new(alarm))

    def opens(self, seconds: int) -> int | None:
        """When a match of that time can be closed, if that is not known from others."""
        return None if seconds in self.open else seconds + 1

    def add(self, sample: Sample) -> tuple[bool, bool]:
        """Takes a match.

        Returns:
            Whether its original record is needed, and whether a chain may be complete now.
        """
        rule, seconds = str(sample.value), sample.seconds
        if seconds not in self.open:
            self.open[seconds] = {}
            insort(self._order, seconds)
        if seconds < self._tried:
            self._trial = None
        matches = self.open[seconds].setdefault(rule, [])
        item = (event_of(sample), sample)
        insort(matches, item, key=lambda known: known[0])
        del matches[len(self.alarm.sequence) :]
        self._rules.add(rule)
        return item in matches, len(self._rules) == len(set(self.alarm.sequence))

    def close(self, upto: int) -> list[Change]:
        """The complete chains of all seconds before `upto` that are to be raised."""
        changes = []
        for seconds in self._closed(upto):
            chain = self.search.take(seconds, self.open.pop(seconds))
            change = self._change(chain) if chain else None
            if change:
                changes.append(change)
        self.search.forget(upto)
        return changes

    def _closed(self, upto: int) -> list[int]:
        """Takes the open seconds before `upto` off the order."""
        place = bisect_left(self._order, upto)
        closed, self._order = self._order[:place], self._order[place:]
        if self._tried < upto:
            self._trial = None
        return closed

    def certain_alarms(self, closed: int | None) -> Iterator[Change]:
        """The chains that are complete, and that a final alert will confirm or replace whatever comes later.

        A chain of events that are all there is completed by its last event at the latest. Which final alert
        takes the place of which provisional one is only known while their times do not overlap, and while
        none can be held back.

        Args:
            closed: until when every second is closed.
        """
        until, _ = self.held.get("ALARM", (0, 0))
        delivered = [item for item in self.provisional.values() if item.delivered]
        if self.alarm.suppress and (delivered or (until and (closed is None or until > closed))):
            return
        for chain in self._try():
            start, end = chain[0].seconds, chain[-1].seconds
            if all(start > item.end or end < item.start for item in delivered):
                yield _change_of(chain, 0)
                if self.alarm.suppress:
                    return

    def _try(self) -> list[Chain]:
        """The chains that the open seconds complete, but for those that were found before the last second."""
        if not self._order:
            return []
        search = self._trial or self.search.copy()
        seconds = self._order[bisect_left(self._order, self._tried) if self._trial else 0 :]
        found = [search.take(one, self.open[one]) for one in seconds[:-1]]
        self._trial, self._tried = search.copy(), seconds[-1]
        found.append(search.take(seconds[-1], self.open[seconds[-1]]))
        return [chain for chain in found if chain]

    def provisional_of(self, change: Change) -> Provisional:
        """What is to be remembered of a provisional alert."""
        return Provisional(change.end, start=0 if self.alarm.suppress else change.start)

    def is_due(self, upto: int) -> bool:
        """Whether there is a match before `upto` that is not closed."""
        return bool(self._order) and self._order[0] < upto

    def wake(self) -> int:
        """The earliest `upto` at which there is something to close, or everything to forget."""
        if self._order:
            return self._order[0] + 1
        spent = [until + self.alarm.suppress for until, _ in self.held.values()]
        return max([self.search.spent(), *spent])

    def is_spent(self, upto: int) -> bool:
        """Whether nothing is known here that a new series would not know as well."""
        if self.open or self.provisional:
            return False
        self.search.forget(upto)
        return not self.search and all(until + self.alarm.suppress <= upto for until, _ in self.held.values())

    def encode(self) -> bytes | None:
        """What cannot be found again from the matches, for the checkpoint; None when all can."""
        if self.search.since is None and not self.held and not self.provisional:
            return None
        return msgspec.msgpack.encode([self.search.since, self.held, self.provisional])

    def restore(self, data: bytes) -> None:
        """Takes what `encode` returned."""
        self.search.since, self.held, self.provisional = _decode(data)
        self.saved = data

    def resume(self, closed: int | None) -> None:
        """Finds the unfinished chains once the matches are restored: all before `closed` were taken."""
        self._trial = None
        if closed is None or self.alarm.within is None:
            return
        for seconds in self._closed(closed):
            second = self.open.pop(seconds)
            if seconds >= closed - self.alarm.within:
                self.search.take(seconds, second)

    def _change(self, chain: Chain) -> Change | None:
        """The change that a chain makes; None when it is held back."""
        alarm, end = self.alarm, chain[-1].seconds
        until, suppressed = self.held.get("ALARM", (end, 0))
        if alarm.suppress and end < until:
            self.held["ALARM"] = (until, suppressed + 1)
            return None
        if alarm.suppress:
            suppressed = suppressed if end < until + alarm.suppress else 0
            self.held["ALARM"] = (end + alarm.suppress, 0)
        return _change_of(chain, suppressed)


_decode = msgspec.msgpack.Decoder(
    tuple[int | None, dict[AlarmState, tuple[int, int]], dict[str, Provisional]]
).decode


def _change_of(chain: Chain, suppressed: int) -> Change:
    period = Period()
    for sample in chain:
        period.add(sample)
    start, end = chain[0].seconds, chain[-1].seconds
    steps = tuple((str(sample.value), sample.seconds) for sample in chain)
    return Change("ALARM", start, end, [period], None, 0, suppressed, 0, steps)
