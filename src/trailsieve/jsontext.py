"""Decodes JSON text without losing anything that filter patterns can see, and encodes it again.

Whole numbers become int and others Decimal with their original digits, so `1.0` and `9007199254740993` keep
their text; the last of duplicate keys counts. msgspec decodes nearly everything. JSON that it rejects (lone
surrogates, very long numbers, deep nesting) and invalid UTF-8, read as U+FFFD, take a slower path, so that no
record escapes the rules by being odd.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from decimal import Decimal, InvalidOperation
from json.decoder import scanstring  # type: ignore[attr-defined]
from typing import Any, NoReturn, TypeVar

import msgspec

from trailsieve.errors import UnreadableError

T = TypeVar("T")

_LONG = 400  # characters from which a whole number becomes a Decimal: Python limits int parsing
_MAX_EXPONENT = 10**17  # Decimal's own limit is 10**18 - 1


def _decimal(text: str) -> Decimal:
    """A number with fraction or exponent; it stays apart from a whole one, whose `str` is digits alone."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        mantissa, _, exponent = text.lower().partition("e")
        sign = "-" if exponent.startswith("-") else ""
        return Decimal(f"{mantissa}e{sign}{_MAX_EXPONENT}")
    return number if number.as_tuple().exponent else Decimal(f"{number}.0")


def _whole(text: str) -> int | Decimal:
    return int(text) if len(text) < _LONG else Decimal(text)


def decoder(kind: type[T]) -> msgspec.json.Decoder[T]:
    """A fast decoder into a msgspec type, with exact numbers; its `decode` raises `REFUSALS`."""
    return msgspec.json.Decoder(kind, float_hook=_decimal)


REFUSALS = (msgspec.MsgspecError, UnicodeError, RecursionError)
_fast: msgspec.json.Decoder[Any] = decoder(Any)


def decode(data: bytes | str) -> Any:
    """The value of one JSON text.

    Raises:
        UnreadableError: the text is not JSON; the reason gives the position in bytes.
    """
    try:
        return _fast.decode(data)
    except REFUSALS:
        return _decode_slowly(data if isinstance(data, str) else data.decode("utf-8", "replace"))


def decode_object(data: bytes | str) -> dict[str, Any] | None:
    """The JSON object in the text, or None if it is another value or not JSON (rule 23)."""
    try:
        value = decode(data)
    except UnreadableError:
        return None
    return value if value.__class__ is dict else None


def _no_constant(name: str) -> NoReturn:
    raise UnreadableError(f"not JSON: {name} is not a number")


def _decode_slowly(text: str) -> Any:
    try:
        return json.loads(text, parse_float=_decimal, parse_int=_whole, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        raise _not_json(text, error.pos, error.msg) from None
    except RecursionError:
        return _decode_deep(text)


def _not_json(text: str, position: int, message: str) -> UnreadableError:
    if not text.strip():
        return UnreadableError("not JSON: empty")
    byte = len(text[:position].encode("utf-8", "surrogatepass"))
    return UnreadableError(f"not JSON: {message[0].lower()}{message[1:]}, byte {byte}")


_BLANKS = re.compile(r"[ \t\n\r]*")
_SCALAR = re.compile(r"(-?(?:0|[1-9][0-9]*))(\.[0-9]+)?([eE][+-]?[0-9]+)?|true|false|null")
_LITERALS = {"true": True, "false": False, "null": None}


def _decode_deep(text: str) -> Any:
    """Decodes JSON of any depth, with an explicit stack instead of recursion."""
    return _DeepDecoder(text).decode()


class _DeepDecoder:
    def __init__(self, text: str) -> None:
        self.text = text
        self.position = 0
        self.open: list[tuple[dict[str, Any] | list[Any], Callable[[Any], None]]] = []
        self.result: list[Any] = []

    def decode(self) -> Any:
        store: Callable[[Any], None] = self.result.append
        while True:
            container = self._value(store)
            if container is None or self._closes("}" if isinstance(container, dict) else "]"):
                while self.open and not self._continues():
                    pass
            if not self.open:
                break
            store = self._slot()
        if self._peek():
            self._fail("extra data")
        return self.result[0]

    def _peek(self) -> str:
        match = _BLANKS.match(self.text, self.position)
        self.position = match.end() if match else self.position
        return self.text[self.position : self.position + 1]

    def _value(self, store: Callable[[Any], None]) -> dict[str, Any] | list[Any] | None:
        """Stores one value; returns it if it is a container, which is still empty."""
        start = self._peek()
        if start == '"':
            store(self._string())
        elif start in ("{", "["):
            container: dict[str, Any] | list[Any] = {} if start == "{" else []
            self.position += 1
            store(container)
            self.open.append((container, store))
            return container
        else:
            store(self._scalar())
        return None

    def _string(self) -> str:
        try:
            value, self.position = scanstring(self.text, self.position + 1)
        except json.JSONDecodeError as error:
            raise _not_json(self.text, error.pos, error.msg) from None
        return str(value)

    def _scalar(self) -> Any:
        match = _SCALAR.match(self.text, self.position)
        if not match:
            self._fail("expecting value")
        self.position = match.end()
        if match[0] in _LITERALS:
            return _LITERALS[match[0]]
        return _decimal(match[0]) if match[2] or match[3] else _whole(match[0])

    def _closes(self, mark: str) -> bool:
        """Closes the innermost container if it ends here; returns whether it does."""
        if self._peek() != mark:
            return False
        self.position += 1
        self.open.pop()
        return True

    def _continues(self) -> bool:
        """After a value: returns whether another one follows in the innermost container; closes it if not."""
        if self._peek() == ",":
            self.position += 1
            return True
        if not self._closes("}" if isinstance(self.open[-1][0], dict) else "]"):
            self._fail("expecting ',' delimiter")
        return False

    def _slot(self) -> Callable[[Any], None]:
        """The function that stores the next value of the innermost container; reads an object's key first."""
        container = self.open[-1][0]
        if isinstance(container, list):
            return container.append
        if self._peek() != '"':
            self._fail("expecting property name enclosed in double quotes")
        key = self._string()
        if self._peek() != ":":
            self._fail("expecting ':' delimiter")
        self.position += 1
        return lambda value: container.__setitem__(key, value)

    def _fail(self, message: str) -> NoReturn:
        raise _not_json(self.text, self.position, message)


_encoder = msgspec.json.Encoder(decimal_format="number")
_SURROGATE = re.compile(r"[\ud800-\udfff]")


def encode(value: Any) -> str:
    """The compact JSON text of a decoded value, with numbers as they were written."""
    try:
        return _encoder.encode(value).decode()
    except (UnicodeError, RecursionError, OverflowError):
        return "".join(_pieces(value))


def readable(value: Any) -> str:
    """JSON text of a decoded value on one line, with blanks; what cannot be printed is escaped."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{readable(key)}: {readable(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(readable, value)) + "]"
    if isinstance(value, Decimal):
        return str(value)
    return json.dumps(value, ensure_ascii=isinstance(value, str) and not value.isprintable())


def encodable(text: str) -> str:
    """The text with lone surrogates, which cannot be encoded, replaced by U+FFFD."""
    return text if text.isascii() else text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


class _Mark(str):
    """A piece of finished JSON text among values that have yet to be encoded."""

    __slots__ = ()


def _pieces(value: Any) -> Iterator[str]:
    """JSON of any depth in pieces, with lone surrogates escaped."""
    todo: list[Any] = [value]
    while todo:
        value = todo.pop()
        if isinstance(value, _Mark):
            yield value
        elif isinstance(value, dict):
            yield "{"
            members = [(f"{',' if n else ''}{_scalar(str(key))}:", key) for n, key in enumerate(value)]
            todo.append(_Mark("}"))
            for mark, key in reversed(members):
                todo += [value[key], _Mark(mark)]
        elif isinstance(value, list):
            yield "["
            todo.append(_Mark("]"))
            for index in range(len(value) - 1, -1, -1):
                todo += [value[index], _Mark("," if index else "")]
        else:
            yield _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, Decimal):
        return str(value)
    text = json.dumps(value, ensure_ascii=False, default=str)
    return _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
