"""TOML files as typed structs: every mistake is reported, with its line, what is allowed and the nearest key.

tomllib and tomlkit do not say where a key is, so a small scanner finds the lines.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, field, is_dataclass
from functools import cache, reduce
from operator import or_
from pathlib import Path
from types import MappingProxyType, NoneType, UnionType
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from trailsieve.did_you_mean import did_you_mean

T = TypeVar("T")
Place = tuple[str | int, ...]  # the keys and indexes that lead to a value: ("rule", 0, "alarm", "period")
Report = Callable[[Place, str], None]
Parser = Callable[[Any], Any]  # raises ValueError with what is wrong

_STRING = r'"(?:\\.|[^"\\\n])*"|' + r"'[^'\n]*'"
_TOKENS = re.compile(
    r'"""(?:\\.|[^\\])*?"{3,5}|' + r"'''.*?'{3,5}|" + _STRING + r"|#[^\n]*|[\[{]|[\]}]|\n|\Z", re.DOTALL
)
_NAME = rf"(?:[\w-]+|{_STRING})"
_STATEMENT = re.compile(rf"\s*(\[{{0,2}})\s*({_NAME}(?:\s*\.\s*{_NAME})*)\s*[\]=]")
_TOML_PLACE = re.compile(r" \(at line (\d+), column (\d+)\)")
_NOTHING: Mapping[str, Any] = MappingProxyType({})

AtLeastOne = Annotated[int, msgspec.Meta(ge=1, description="a whole number, 1 or more")]
Duration = Annotated[str, msgspec.Meta(description='a duration, such as "5m"')]
NotNegative = Annotated[int, msgspec.Meta(ge=0, description="a whole number, 0 or more")]


class TomlFile:
    """A TOML file and the mistakes in it.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not TOML; the text begins with its path and line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text("utf-8")
            self.content = tomllib.loads(text)
        except ValueError as error:
            raise ValueError(_TOML_PLACE.sub("", f"{path}{_line_of(error)}: {error}")) from None
        self._lines = _find_lines(text)
        self._mistakes: list[tuple[int, str]] = []

    @property
    def mistakes(self) -> list[str]:
        """`file:line: message` for each mistake, in the order of the lines."""
        return [
            f"{self.path}:{line}: {text}"
            for line, text in sorted(self._mistakes, key=lambda mistake: mistake[0])
        ]

    def report(self, place: Place, message: str) -> None:
        """Adds a mistake."""
        self._mistakes.append((self.line(place), message))

    def line(self, place: Place) -> int:
        """The line, from 1, of a table or key, or of what it is in if it does not begin a line."""
        while place and place not in self._lines:
            place = place[:-1]
        return self._lines.get(place, 1)

    def tables(self, name: str) -> Iterator[tuple[Place, dict[str, Any]]]:
        """The `[[name]]` tables with their places."""
        tables = self.content.get(name, [])
        if isinstance(tables, list) and all(isinstance(table, dict) for table in tables):
            for number, table in enumerate(tables):
                yield (name, number), table
        else:
            self.report((name,), f"write [[{name}]], with two brackets")


def _line_of(error: ValueError) -> str:
    found = _TOML_PLACE.search(str(error))
    return f":{found[1]}" if found else ""


# --- lines ---


def _find_lines(text: str) -> dict[Place, int]:
    """The line of every table, and of every key that begins a line."""
    lines: dict[Place, int] = {}
    lengths: Counter[Place] = Counter()  # of arrays of tables
    table: Place = ()
    for line, brackets, names in _statements(text):
        place = table if not brackets else ()
        for number, name in enumerate(names, 1):
            place = (*place, name)
            lines.setdefault(place, line)
            if brackets == "[[" and number == len(names):
                lengths[place] += 1
            if brackets and place in lengths:
                place = (*place, lengths[place] - 1)
                lines.setdefault(place, line)
        table = place if brackets else table
    return lines


def _statements(text: str) -> Iterator[tuple[int, str, list[str]]]:
    """The line, the opening brackets and the dotted name of each header and key outside of any value."""
    line, depth, start = 1, 0, 0
    for token in _TOKENS.finditer(text):
        if token[0] in ("[", "{"):
            depth += 1
        elif token[0] in ("]", "}"):
            depth -= 1
        elif token[0] in ("\n", "") and not depth:
            if found := _STATEMENT.match(text, start, token.start()):
                yield line, found[1], [name.strip("\"'") for name in re.findall(_NAME, found[2])]
            line += text.count("\n", start, token.end())
            start = token.end()


# --- tables to structs ---


@dataclass(slots=True)
class TableReader:
    """Converts tables to structs or dataclasses by their type hints and reports all mistakes.

    Attributes:
        parsers: how to convert a value, by type hint; msgspec converts what has no parser.
        checks: by class, what else must hold; returns the struct to use.
    """

    report: Report
    parsers: Mapping[Any, Parser] = field(default_factory=dict)
    checks: Mapping[type, Callable[[Any, dict[str, Any], Place], Any]] = field(default_factory=dict)
    count: int = 0

    def mistake(self, place: Place, message: str) -> None:
        """Reports a mistake."""
        self.count += 1
        self.report(place, message)

    def read(
        self,
        kind: type[T],
        table: object,
        place: Place,
        known: Collection[str] = (),
        given: Mapping[str, Any] = _NOTHING,
    ) -> T | None:
        """The table as a struct, None if there is a mistake in it.

        Args:
            known: keys that the table may have and that are no fields of the struct.
            given: fields that are not read from the table.
        """
        if not isinstance(table, dict):
            self.mistake(place, f"{_quoted(place)}expected a table")
            return None
        before = self.count
        values = dict(given)
        fields = {name: found for name, found in _fields(kind).items() if name not in given}  # type: ignore[arg-type]
        for key in table:
            if key not in fields and key not in known:
                allowed = [*fields, *known]
                text = f"unknown key `{dotted((*place, key))}`{nearest(key, allowed)}"
                self.mistake((*place, key), f"{text} (allowed: {', '.join(allowed)})")
        for name, (hint, required) in fields.items():
            if name in table:
                values[name] = self.convert(hint, table[name], (*place, name))
            elif required:
                self.mistake(place, f"`{dotted((*place, name))}` is missing")
        return self._made(kind, values, table, place) if self.count == before else None

    def _made(self, kind: type[T], values: dict[str, Any], table: dict[str, Any], place: Place) -> T | None:
        before = self.count
        try:
            made = kind(**values)
        except ValueError as error:
            self.mistake(place, str(error))
            return None
        if kind in self.checks:
            made = self.checks[kind](made, table, place)
        return made if self.count == before else None

    def convert(self, hint: Any, value: object, place: Place) -> Any:
        """The value as what the type hint says, None if there is a mistake in it."""
        try:
            if parser := self.parsers.get(hint):
                return parser(value)
            if item := self._item(hint):
                return self._items(item, value, place)
            if _is_struct(hint):
                return self.read(hint, value, place)
            return msgspec.convert(value, hint)
        except msgspec.ValidationError:
            self.mistake(place, f"{_quoted(place)}expected {_described(hint)}{_meant(value, hint)}")
        except ValueError as error:
            self.mistake(place, f"{_quoted(place)}{error}")
        return None

    def _item(self, hint: Any) -> Any:
        """The type of the items of a list that msgspec cannot convert."""
        if get_origin(hint) is Annotated:
            return self._item(get_args(hint)[0])
        if get_origin(hint) is not tuple:
            return None
        item = get_args(hint)[0]
        return item if item in self.parsers or _is_struct(item) or get_origin(item) is tuple else None

    def _items(self, item: Any, value: object, place: Place) -> Any:
        if get_origin(item) is tuple and isinstance(value, dict):  # pairs of name and value
            kind = get_args(item)[1]
            return tuple((name, self.convert(kind, found, (*place, name))) for name, found in value.items())
        if get_origin(item) is tuple or not isinstance(value, list):
            raise msgspec.ValidationError
        return tuple(self.convert(item, found, (*place, n)) for n, found in enumerate(value))


@cache
def _fields(kind: Any) -> dict[str, tuple[Any, bool]]:
    """The type and whether it is required, by name of the field."""
    hints = get_type_hints(kind, include_extras=True)
    parameters = inspect.signature(kind).parameters.values()
    return {
        parameter.name: (_without_none(hints[parameter.name]), parameter.default is parameter.empty)
        for parameter in parameters
    }


def _without_none(hint: Any) -> Any:
    if get_origin(hint) not in (Union, UnionType) or NoneType not in get_args(hint):
        return hint
    return reduce(or_, [choice for choice in get_args(hint) if choice is not NoneType])


def _is_struct(hint: Any) -> bool:
    return isinstance(hint, type) and (is_dataclass(hint) or issubclass(hint, msgspec.Struct))


# --- words ---


_WORDS = {str: "string", bool: "true or false", int: "whole number", float: "number", dict: "table"}


def dotted(place: Place) -> str:
    """`alarm.period` for a key of a top-level table."""
    return ".".join(part for part in place[1:] if isinstance(part, str))


def nearest(given: object, known: Collection[str]) -> str:
    """`; did you mean …?`, or nothing if nothing is similar."""
    question = did_you_mean(str(given), known)
    return f"; {question}" if question else ""


def _quoted(place: Place) -> str:
    return f"`{name}`: " if (name := dotted(place)) else ""


def _meant(value: object, hint: Any) -> str:
    choices = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return nearest(value, [text for one in choices if get_origin(one) is Literal for text in get_args(one)])


def _described(hint: Any) -> str:
    """What a value of this type looks like: `a list of strings`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        texts = (getattr(meta, "description", None) for meta in arguments[1:])
        return next(filter(None, texts), _described(arguments[0]))
    if origin is Literal:
        return f"one of {', '.join(map(str, arguments))}"
    if origin in (Union, UnionType):
        return " or ".join(dict.fromkeys(map(_described, arguments)))
    if origin in (list, tuple):
        return f"a list of {_plural(arguments[0])}"
    return _word(hint) if hint is bool else f"a {_word(hint)}"


def _plural(hint: Any) -> str:
    if get_origin(hint) is Literal:
        return f"the values {', '.join(map(str, get_args(hint)))}"
    choices = get_args(hint) if get_origin(hint) in (Union, UnionType) else (hint,)
    return " and ".join(f"{_word(choice)}s" for choice in choices)


def _word(hint: Any) -> str:
    return "table" if _is_struct(hint) else _WORDS.get(get_origin(hint) or hint, "value")
