"""Access and openings that a chain of identities made and that nothing in the archive took away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from trailsieve.investigation.acts import Acts, table
from trailsieve.investigation.model import Call
from trailsieve.investigation.names import last_part, short
from trailsieve.model import Target


@dataclass(frozen=True, slots=True)
class _Made:
    """A row of acts.toml: what calls make, of whom, and the calls that undo it."""

    target: str
    of: str
    says: str
    needs_effect: bool
    undone: frozenset[str]


@lru_cache(maxsize=1)
def _rows() -> dict[str, _Made]:
    rows: dict[str, _Made] = {}
    for row in table()["made"]:
        target = row["target"]
        undone = frozenset(row["undone"].split())
        made = _Made(target, row.get("of", ""), row.get("says", target), row.get("effect", False), undone)
        rows.update(dict.fromkeys(row["calls"].split(), made))
    return rows


class Remains:
    """Finds what is left, given all calls of an archive in any order."""

    def __init__(self, calls: Iterable[Call]) -> None:
        undoing = frozenset(name for row in _rows().values() for name in row.undone)
        self._undone: dict[tuple[str, str], str] = {}
        self._used: dict[str, str] = {}
        for call in calls:
            key = call.actor.access_key
            if key and not call.error_code:
                self._used[key] = max(self._used.get(key, ""), call.last)
            if call.event_name in undoing and not call.error_code:
                for target in call.targets:
                    place = call.event_name, last_part(target.name)
                    self._undone[place] = max(self._undone.get(place, ""), call.last)

    def of(self, calls: Sequence[Call]) -> list[str]:
        """Returns one line for each thing that the calls made and that is still there, in time order."""
        acts = Acts(calls)
        kept = [call for call in calls if acts.kind(call) != "clean-up"]
        kept.sort(key=lambda call: call.first)
        return list(dict.fromkeys(line for call in kept for line in self._left(call)))

    def _left(self, call: Call) -> Iterator[str]:
        row = _rows().get(call.event_name)
        if row is None or call.error_code or (row.needs_effect and not call.effect):
            return
        owners = [target for target in call.targets if target.kind == row.of]
        for target in call.targets:
            if target.kind == row.target and not self._gone(row, call, [target, *owners]):
                yield self._line(row, call, target.name, [last_part(owner.name) for owner in owners])

    def _gone(self, row: _Made, call: Call, targets: Iterable[Target]) -> bool:
        """Whether a later call took it away; a policy also counts as gone with its user or role."""
        names = [last_part(target.name) for target in targets]
        return any(
            self._undone.get((event, name), "") > call.first
            for event in row.undone
            for name in (names[-1:] if len(names) > 1 and event.startswith("Delete") else names[:1])
        )

    def _line(self, row: _Made, call: Call, name: str, owners: Sequence[str]) -> str:
        of = f" of {row.of} {owners[0]}" if owners else ""
        line = f"{row.says} {last_part(name)}{of}, {call.first[11:16]} by {short(call.actor.principal)}"
        if row.target == "access key":
            used = self._used.get(name)
            line += f", last used {used[11:19]}" if used else ", not used in this archive"
        return line
