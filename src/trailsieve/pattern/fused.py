"""Many JSON patterns as one: which of them match which events, with as little decoding as possible.

Events are decoded into a projection of the fields that the patterns read (`views`). One generated loop looks
up the values of a few selectors in trigger tables (`triggers`); only a pattern that a value triggers is tested.
The cost of an event hardly grows with the number of patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from trailsieve.pattern.codegen import FUNCTION, Generated, generate
from trailsieve.pattern.loader import load
from trailsieve.pattern.nodes import JsonPattern, Selector, selectors_of
from trailsieve.pattern.triggers import TriggerTable, popularity, triggers
from trailsieve.pattern.views import ObjectView, Projection, View, plain_steps

Predicate = Callable[[Any], bool]


@dataclass(slots=True)
class FusedPatterns:
    """JSON patterns over events decoded with `decode_as`, a msgspec type.

    Attributes:
        decode_as: the projection's struct type; `dict[str, Any]` when a pattern needs every field.
    """

    patterns: Sequence[JsonPattern]
    decode_as: Any = field(init=False)
    _scan: Callable[[Sequence[Any]], list[int]] = field(init=False)
    _tables: list[tuple[TriggerTable, Callable[[Any], Any]]] = field(init=False)
    _predicates: list[Predicate | None] = field(init=False)
    _view: Callable[[], View] = field(init=False)

    def __post_init__(self) -> None:
        projection = Projection(s for pattern in self.patterns for s in selectors_of(pattern))
        self.decode_as = projection.type if projection.possible else dict[str, Any]
        self._view = projection.view if projection.possible else ObjectView
        self._predicates = [None] * len(self.patterns)
        tables = self._trigger_tables()
        self._scan = self._scanner(tables)
        self._tables = [(table, self._getter(selector)) for selector, table in tables.items()]

    def _trigger_tables(self) -> dict[Selector, TriggerTable]:
        popular = popularity(pattern.expression for pattern in self.patterns)
        tables: dict[Selector, TriggerTable] = {}
        for number, pattern in enumerate(self.patterns):
            for selector, conditions in triggers(pattern.expression, popular).items():
                tables.setdefault(_watched(selector), TriggerTable()).add(number, conditions)
        return tables

    def _scanner(self, tables: dict[Selector, TriggerTable]) -> Callable[[Sequence[Any]], list[int]]:
        """The generated loop: the positions of the events that trigger any pattern."""
        view = self._view()
        quiet = [f"{view.value(selector)} in quiet_{number}" for number, selector in enumerate(tables)]
        generated = Generated(constants=dict(view.names, enumerate=enumerate, TypeError=TypeError))
        generated.constants.update((f"quiet_{n}", table.quiet) for n, table in enumerate(tables.values()))
        generated.source = "\n".join(
            [
                f"def {FUNCTION}(records):",
                "    found = []",
                "    for index, record in enumerate(records):",
                *(f"        {line}" for line in view.lines),
                "        try:",
                f"            if {' and '.join(quiet) or 'True'}:",
                "                continue",
                "        except TypeError:  # an array or object in place of a text",
                "            pass",
                "        found.append(index)",
                "    return found",
            ]
        )
        return load(generated, "fused patterns")

    def _getter(self, selector: Selector) -> Callable[[Any], Any]:
        view = self._view()
        value = view.value(selector)
        lines = "\n".join(f"    {line}" for line in view.lines)
        source = f"def {FUNCTION}(record):\n{lines}\n    return {value}\n"
        return load(Generated(source, constants=dict(view.names)), "selector")

    def matches(self, records: Sequence[Any]) -> list[tuple[int, list[int]]]:
        """For each event that any pattern matches: its position, and the patterns' numbers in order."""
        return [
            (index, numbers) for index in self._scan(records) if (numbers := self.matching(records[index]))
        ]

    def matching(self, record: Any) -> list[int]:
        """The numbers of the patterns that match one event, in order."""
        candidates: set[int] = set()
        for table, value_of in self._tables:
            candidates |= table.triggered(value_of(record))
        return [number for number in sorted(candidates) if self._predicate(number)(record)]

    def _predicate(self, number: int) -> Predicate:
        predicate = self._predicates[number]
        if predicate is None:
            predicate = self._predicates[number] = load(generate(self.patterns[number], self._view()))
        return predicate


def _watched(selector: Selector) -> Selector:
    """The selector whose value a trigger is about: what stands before a wildcard, else the whole path."""
    return Selector(plain_steps(selector)) if selector.wildcards else selector
