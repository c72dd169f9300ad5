"""Drafts as the text of a rule file: patterns untouched in `'…'`, losses as comments beside their rule."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from trailsieve.errors import visible
from trailsieve.interchange.importers.rule_draft import RuleDraft

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def rule_file(drafts: Sequence[RuleDraft], unsupported: Iterable[str], source: str) -> str:
    """The whole file."""
    lines = [*comment(f"From {source}."), *comment("Lines with ! say what is not carried over.")]
    lines += [line for text in unsupported for line in comment(f"! {text}")]
    for draft in drafts:
        lines += ["", *_rule(draft)]
    return "\n".join(lines) + "\n"


def _rule(draft: RuleDraft) -> Iterator[str]:
    broken = [f"no rule: {draft.broken}"] * bool(draft.broken)
    for text in [*draft.facts, *(f"! {loss}" for loss in [*broken, *draft.losses])]:
        yield from comment(text)
    lines = ["[[rule]]"]
    for key, content in draft.table().items():
        lines.append(f"{key} = {_string(content, plain='') if key == 'pattern' else value(content)}")
    if draft.broken:
        lines = [f"# {part}" for line in lines for part in map(visible, line.split("\n"))]
    yield from lines


def comment(text: str) -> Iterator[str]:
    """Comment lines; what would end one, or is no plain character, is made visible."""
    yield f"# {visible(text)}".rstrip()


def value(content: Any) -> str:
    """A value in TOML; strings as `'…'` where they can be."""
    if isinstance(content, str):
        return _string(content)
    if isinstance(content, dict):
        pairs = (f"{_key(key)} = {value(item)}" for key, item in content.items())
        return f"{{ {', '.join(pairs)} }}"
    if isinstance(content, list):
        return f"[{', '.join(map(value, content))}]"
    return str(content).lower() if isinstance(content, bool) else repr(content)


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _basic(name)


def _string(text: str, plain: str = '"') -> str:
    """`"…"` for words, `'…'` for what has backslashes or quotes, `'''…'''` for more than one line."""
    if plain and "\\" not in text and '"' not in text and text.isprintable():
        return f'"{text}"'
    if "'" not in text and text.isprintable():
        return f"'{text}'"
    lines = text.split("\n")
    if "'''" not in text and not text.endswith("'") and all(line.isprintable() for line in lines):
        return f"'''\n{text}'''" if len(lines) > 1 else f"'''{text}'''"
    return _basic(text)


def _basic(text: str) -> str:
    """`"…"` with everything escaped that TOML wants escaped; lone surrogates cannot be written."""
    safe = text.encode("utf-8", "replace").decode()
    return json.dumps(safe, ensure_ascii=False).replace("\x7f", "\\u007f")
