"""Rule drafts as the text of a rule file, each with its facts and losses as comments above it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import tomlkit
from tomlkit.exceptions import InvalidStringError
from tomlkit.items import InlineTable, Item

from trailsieve.errors import visible
from trailsieve.interchange.importers.rule_draft import RuleDraft


def rule_file(drafts: Sequence[RuleDraft], unsupported: Iterable[str], source: str) -> str:
    """The text of a rule file; a broken draft is a comment in it."""
    head = [f"From {source}.", "Lines with ! list what is not carried over."]
    lines = list(map(_comment, [*head, *(f"! {text}" for text in unsupported)]))
    for draft in drafts:
        lines += ["", *_rule(draft)]
    return "\n".join(lines) + "\n"


def _rule(draft: RuleDraft) -> Iterator[str]:
    yield from map(_comment, [*draft.facts, *(f"! {loss}" for loss in draft.all_losses())])
    table = {key: _literal(text) if key == "pattern" else _item(text) for key, text in draft.table().items()}
    text = "[[rule]]\n" + tomlkit.dumps(table).rstrip("\n")
    yield "\n".join(map(_comment, text.split("\n"))) if draft.broken else text


def _comment(text: str) -> str:
    return f"# {visible(text)}".rstrip()


def _item(content: Any) -> Item:
    """A value in TOML; tables stay on one line."""
    if isinstance(content, str):
        return _literal(content) if any(sign in content for sign in '\\"\n') else tomlkit.string(content)
    if isinstance(content, dict):
        return _inline(content)
    if isinstance(content, list):
        array = tomlkit.array()
        array.extend(map(_item, content))
        return array
    item: Item = tomlkit.item(content)
    return item


def _inline(content: dict[str, Any]) -> InlineTable:
    """`{ a = 1 }`, with spaces inside the braces."""
    table = tomlkit.inline_table()
    table.add(tomlkit.ws(" "))
    for key, item in content.items():
        table.add(key, _item(item))
    table.add(tomlkit.ws(" "))
    return table


def _literal(text: str) -> Item:
    """A string without escapes if TOML can write it so; readers may change line endings in long ones."""
    for multiline in (False, True) if "\r" not in text else ():
        with suppress(InvalidStringError):
            return tomlkit.string(text, literal=True, multiline=multiline)
    return tomlkit.string(text)
