"""How generated code reads the value of a selector: from a decoded object, or from a projection.

A projection is a msgspec struct with only the fields that the patterns read; decoding skips the rest. A field
that is absent from the JSON text is `ABSENT` in the struct; null is None.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any, Protocol

import msgspec

from trailsieve.jsontext import decoder
from trailsieve.pattern.nodes import Selector, Step
from trailsieve.pattern.runtime import ABSENT


class View(Protocol):
    """Where generated code finds values. Lines that must run first are collected in `lines`."""

    lines: list[str]
    names: dict[str, Any]

    def value(self, selector: Selector) -> str:
        """An expression for the value of a selector without wildcards."""

    def base(self, selector: Selector) -> tuple[str, tuple[Step, ...]]:
        """An expression to follow the rest of a wildcard selector's steps from, and those steps."""


class ObjectView:
    """The decoded object in the variable `record`."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self._variables: dict[Selector, str] = {}

    def value(self, selector: Selector) -> str:
        if not selector.steps:
            return "record"
        if selector not in self._variables:
            self._variables[selector] = variable = f"v{len(self._variables)}"
            first, *rest = selector.steps
            self.lines.append(f"{variable} = {_followed(f'record.get({first!r}, ABSENT)', rest)}")
        return self._variables[selector]

    def base(self, selector: Selector) -> tuple[str, tuple[Step, ...]]:
        return "record", selector.steps


class ValueView:
    """The value of one selector in the variable `value`, for terms that all test that selector."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}

    def value(self, selector: Selector) -> str:
        return "value"

    def base(self, selector: Selector) -> tuple[str, tuple[Step, ...]]:
        return "value", tuple(selector.steps[len(plain_steps(selector)) :])


# Names that msgspec accepts for a field. U+FFFD may replace invalid UTF-8, which needs full decoding.
_FIELD_NAME = re.compile(r'[^"\\\x00-\x1f\ud800-\udfff\ufffd]+')


def plain_steps(selector: Selector) -> tuple[str, ...]:
    """The names at the start of a selector that a projection can hold, before any index or wildcard."""
    return tuple(takewhile(_is_plain, selector.steps))  # type: ignore[arg-type]


def _is_plain(step: Step) -> bool:
    return isinstance(step, str) and _FIELD_NAME.fullmatch(step) is not None


def _followed(code: str, steps: Iterable[Step]) -> str:
    for step in steps:
        code = f"{'field' if isinstance(step, str) else 'element'}({code}, {step!r})"
    return code


@dataclass(slots=True)
class _Node:
    """One field of the projection; `whole` means that its value is needed as it is, `raw` that it is text."""

    number: int = 0
    whole: bool = False
    raw: bool = False
    fields: dict[str, _Node] = field(default_factory=dict)


class Projection:
    """The struct type that holds what some selectors need, and nothing else.

    Args:
        raw: names of top-level fields that are kept as JSON text; a pattern's view decodes them when it
            reads them, and may raise `jsontext.REFUSALS` then.

    Attributes:
        type: a msgspec struct for one event; it takes any JSON object.
        possible: False when a selector starts with a wildcard or an odd name and so needs every field.
    """

    def __init__(self, selectors: Iterable[Selector], raw: Iterable[str] = ()) -> None:
        root = _Node()
        root.fields = {name: _Node(number, raw=True) for number, name in enumerate(raw)}
        self.possible = True
        for selector in selectors:
            names = plain_steps(selector)
            self.possible = self.possible and bool(names)
            node = root
            for name in names:
                node = node.fields.setdefault(name, _Node(len(node.fields)))
            node.whole = True
        self._root = root
        self._types: dict[int, type[msgspec.Struct]] = {}
        self._lazy: dict[int, Callable[[Any], Any]] = {}
        self.type = self._struct(root)

    def _struct(self, node: _Node) -> type[msgspec.Struct]:
        fields = [
            (f"f{number}", self._type(child), ABSENT) for number, child in enumerate(node.fields.values())
        ]
        rename = {f"f{number}": name for number, name in enumerate(node.fields)}
        made = msgspec.defstruct(
            f"Projection{len(self._types)}", fields, rename=rename, gc=False, frozen=True
        )
        self._types[id(node)] = made
        return made

    def _type(self, node: _Node) -> Any:
        if node.raw:
            self._lazy[node.number] = _lazily(Any if node.whole else self._parent(node))
            return msgspec.Raw
        return Any if node.whole else self._parent(node)

    def _parent(self, node: _Node) -> Any:
        """An object of which some fields are read; any other JSON value is taken and not looked into."""
        return self._struct(node) | list[msgspec.Raw] | str | int | float | bool | None

    def view(self) -> ProjectionView:
        """A view on the struct in the variable `record`."""
        return ProjectionView(self._root, self._types, self._lazy)


def _lazily(kind: Any) -> Callable[[Any], Any]:
    decode = decoder(kind).decode
    return lambda value: decode(value) if value.__class__ is msgspec.Raw else value


class ProjectionView:
    """A struct of `Projection.type` in the variable `record`."""

    def __init__(
        self, root: _Node, types: dict[int, type[msgspec.Struct]], lazy: dict[int, Callable[[Any], Any]]
    ) -> None:
        self._lazy = lazy
        self.lines: list[str] = []
        self.names: dict[str, Any] = {}
        self._root = root
        self._types = types
        self._variables: dict[tuple[str, ...], str] = {}

    def value(self, selector: Selector) -> str:
        code, rest = self._reach(selector)
        return _followed(code, rest) if rest else code

    def base(self, selector: Selector) -> tuple[str, tuple[Step, ...]]:
        return self._reach(selector)

    def _reach(self, selector: Selector) -> tuple[str, tuple[Step, ...]]:
        """The variable of the last projected field on the way, and the steps from there."""
        node, variable, path = self._root, "record", tuple[str, ...]()
        for name in plain_steps(selector):
            holder, node, path = node, node.fields[name], (*path, name)
            variable = self._load(variable, holder, node.number, path)
            if node.whole:
                break
        return variable, selector.steps[len(path) :]

    def _load(self, variable: str, holder: _Node, number: int, path: tuple[str, ...]) -> str:
        if path not in self._variables:
            self._variables[path] = loaded = f"v{len(self._variables)}"
            code = f"{variable}.f{number}"
            if holder is self._root and number in self._lazy:
                self.names[f"lazy{number}"] = self._lazy[number]
                code = f"lazy{number}({code})"
            if holder is not self._root:
                kind = self._types[id(holder)].__name__
                self.names[kind] = self._types[id(holder)]
                code = f"{code} if {variable}.__class__ is {kind} else ABSENT"
            self.lines.append(f"{loaded} = {code}")
        return self._variables[path]
