"""Many JSON patterns as one: which of them match which events, with as little decoding as possible.

Events are decoded into a projection of the fields that the patterns read (`views`). One generated loop looks
up a few selectors' values in trigger tables (`triggers`); only a pattern that a value triggers is tested. The
cost of an event hardly grows with the number of patterns.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

import msgspec

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
        also: names of top-level fields that are decoded too, for `reader`.
        beside: further fields that are decoded.
        raw: names of top-level fields that are kept as JSON text, also where a pattern reads inside of them.
        decode_as: the projection's struct type; `dict[str, Any]` when a pattern needs every field.
        view: returns how generated code reads an event.
    """

    patterns: Sequence[JsonPattern]
    also: Sequence[str] = ()
    beside: Sequence[Selector] = ()
    raw: Sequence[str] = ()
    decode_as: Any = field(init=False)
    _tables: list[TriggerTable] = field(init=False)
    _scan: Callable[[Sequence[Any]], list[tuple[Any, ...]]] = field(init=False)
    _predicates: list[Predicate | None] = field(init=False)
    view: Callable[[], View] = field(init=False)

    def __post_init__(self) -> None:
        selectors = [s for pattern in self.patterns for s in selectors_of(pattern)]
        also = [Selector((name,)) for name in self.also]
        projection = Projection([*selectors, *also, *self.beside], self.raw)
        self.decode_as = projection.type if projection.possible else dict[str, Any]
        self.view = projection.view if projection.possible else ObjectView
        self._predicates = [None] * len(self.patterns)
        tables = self._trigger_tables()
        self._tables = list(tables.values())
        self._scan = self._scanner(tables)

    def _trigger_tables(self) -> dict[Selector, TriggerTable]:
        popular = popularity(pattern.expression for pattern in self.patterns)
        tables: dict[Selector, TriggerTable] = {}
        for number, pattern in enumerate(self.patterns):
            for selector, conditions in triggers(pattern.expression, popular).items():
                tables.setdefault(_watched(selector), TriggerTable()).add(number, conditions)
        return tables

    def _scanner(self, tables: dict[Selector, TriggerTable]) -> Callable[[Sequence[Any]], Any]:
        """The generated loop: position and watched values of each event that may trigger a pattern."""
        view = self.view()
        values = [view.value(selector) for selector in tables]
        quiet = [f"{value} in quiet_{number}" for number, value in enumerate(values)]
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
                f"        found.append(({', '.join(['index', *values])}))",
                "    return found",
            ]
        )
        return load(generated, "fused patterns")

    @property
    def projects(self) -> bool:
        """Whether events are decoded as a projection; else a pattern needs every field."""
        return bool(self.decode_as != dict[str, Any])

    def getter(self, names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
        """What reads several top-level fields from an event that was decoded as a projection."""
        attributes = {found.encode_name: found.name for found in msgspec.structs.fields(self.decode_as)}
        return attrgetter(*(attributes[name] for name in names))

    def flattened(self) -> Callable[[Any], tuple[Any, ...]]:
        """The generated function that reads all of `beside` from an event; `ABSENT` where there is none."""
        view = self.view()
        values = ", ".join(view.value(selector) for selector in self.beside)
        lines = [
            f"def {FUNCTION}(record):",
            *(f"    {line}" for line in view.lines),
            f"    return ({values},)",
        ]
        return load(Generated("\n".join(lines), constants=dict(view.names)), "fields beside patterns")

    def reader(self, name: str) -> Callable[[Any], Any]:
        """What reads a field of `also` from a decoded event; `ABSENT` or None when it has none."""
        if not self.projects:
            return lambda record: record.get(name)
        fields = msgspec.structs.fields(self.decode_as)
        return attrgetter(next(found.name for found in fields if found.encode_name == name))

    def matches(self, records: Sequence[Any]) -> list[tuple[int, list[int]]]:
        """For each event that any pattern matches: its position, and the patterns' numbers in order."""
        found = []
        for index, *values in self._scan(records):
            numbers = self._matching(records[index], values)
            if numbers:
                found.append((index, numbers))
        return found

    def _matching(self, record: Any, values: list[Any]) -> list[int]:
        candidates: set[int] = set()
        for table, value in zip(self._tables, values, strict=True):
            candidates |= table.triggered(value)
        return [number for number in sorted(candidates) if self._predicate(number)(record)]

    def _predicate(self, number: int) -> Predicate:
        predicate = self._predicates[number]
        if predicate is None:
            predicate = self._predicates[number] = load(generate(self.patterns[number], self.view()))
        return predicate


def _watched(selector: Selector) -> Selector:
    """The selector whose value a trigger is about: the part before a wildcard, else the whole path."""
    return Selector(plain_steps(selector)) if selector.wildcards else selector
