"""What was usual in an archive: who worked from where, with what, and which calls go on all the time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence

from trailsieve.investigation.identities import Chain, Member
from trailsieve.investigation.model import Call, total
from trailsieve.investigation.names import agent_name
from trailsieve.times import rfc3339, seconds_of

_LONG = 6 * 3600  # seconds of an archive in which a routine can show
_OFTEN = 8  # ten-minute steps, or reads, that a routine takes at least
_ENDS = 0.25  # the share of the archive at its start and end in which a routine must show


class Usual:
    """The habits of all subjects of an archive."""

    def __init__(self, chains: Iterable[Chain]) -> None:
        self.chains = list(chains)
        calls = [call for chain in self.chains for call in chain.calls]
        self.first = min((call.first for call in calls), default="")
        self.last = max((call.last for call in calls), default="")
        self._users: dict[tuple[str, str], set[int]] = defaultdict(set)
        for number, chain in enumerate(self.chains):
            for call in chain.calls:
                for kind, trait in _TRAITS.items():
                    self._users[kind, trait(call)].add(number)
        self._busiest = sorted(map(changes, self.chains), reverse=True)[:2]
        self._numbers = {id(chain): number for number, chain in enumerate(self.chains)}
        start, end = seconds_of(self.first) or 0, seconds_of(self.last) or 0
        self._long = end - start >= _LONG
        self._early = rfc3339(int(start + (end - start) * _ENDS))
        self._late = rfc3339(int(end - (end - start) * _ENDS))

    def only(self, chain: Chain, trait: tuple[str, str]) -> bool:
        """Whether nobody outside of a chain has a trait."""
        return self._users[trait] <= {self._numbers[id(chain)]}

    def routine(self, calls: Sequence[Call]) -> bool:
        """Whether calls go on from the start of a long archive to its end."""
        if not self._long or not calls:
            return False
        steps = max(
            len(calls), max(call.count for call in calls if call.read_only) if calls[0].read_only else 0
        )
        first, last = min(call.first for call in calls), max(call.last for call in calls)
        return steps >= _OFTEN and first <= self._early and last >= self._late

    def next_busiest(self, chain: Chain) -> int:
        """Returns the most calls of any other chain that changed something."""
        others = self._busiest[1:] if changes(chain) == self._busiest[0] else self._busiest[:1]
        return others[0] if others else 0

    def new(self, chain: Chain, kind: str) -> dict[str, str]:
        """Traits of a kind that members took up and nobody had before, with the first time of each."""
        found: dict[str, str] = {}
        of_chain = _first_times(chain.calls, kind)
        for calls in by_subject(chain.members).values():
            begun = min(call.first for call in calls)
            for name, first in _first_times(calls, kind).items():
                if begun < first == of_chain[name] and self.only(chain, (kind, name)):
                    found[name] = min(found.get(name, first), first)
        return dict(sorted(found.items(), key=lambda item: item[1]))


def changes(chain: Chain) -> int:
    """Returns the number of calls of a chain that changed something or tried to."""
    return total(call for call in chain.calls if not call.read_only)


_TRAITS: dict[str, Callable[[Call], str]] = {
    "address": lambda call: call.source_ip,
    "region": lambda call: call.region,
    "agent": lambda call: agent_name(call.user_agent),
    "call": lambda call: f"{call.event_source}:{call.event_name}",
}


def by_subject(members: Iterable[Member]) -> dict[str, list[Call]]:
    """Returns the calls of each user and role."""
    found: dict[str, list[Call]] = defaultdict(list)
    for member in members:
        found[member.subject] += member.calls
    return found


def _first_times(calls: Iterable[Call], kind: str) -> dict[str, str]:
    times: dict[str, str] = {}
    trait = _TRAITS[kind]
    for call in calls:
        name = trait(call)
        if name and call.first < times.get(name, "~"):
            times[name] = call.first
    return times
