"""JSON that commands print."""

from __future__ import annotations

import re
from typing import Any

import click

from trailsieve.secret import masked

_UNSAFE = re.compile(r"[^\x20-\x7e\n]")


def print_json(value: Any, *, indent: bool = True, err: bool = False) -> None:
    """Prints `to_json(value)` and a newline, in UTF-8 whatever the locale."""
    click.echo(to_json(value, indent=indent).encode(), err=err)


def to_json(value: Any, *, indent: bool = True) -> str:
    """A value as JSON text, safe for a terminal: secrets masked, control and direction characters escaped."""
    import orjson

    layout = orjson.OPT_INDENT_2 if indent else 0
    try:
        text = orjson.dumps(value, default=_plain, option=layout).decode()
    except TypeError:  # file names that are not UTF-8 (lone surrogates), integers beyond 64 bits
        import json

        text = json.dumps(value, default=_plain, indent=2 if indent else None)
    return _UNSAFE.sub(_escaped, masked(text))


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else str(value)


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    if character.isprintable():
        return character
    return re.sub("(....)", r"\\u\1", character.encode("utf-16-be").hex())
