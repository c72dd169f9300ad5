"""The syntax tree that python-hcl2 parses: blocks, attributes, and expressions as text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

# python-hcl2 takes `$${` and everything up to the next `}` as one token, even past the closing quote.
# While it parses, noncharacters stand for the escaped signs: no text file holds those.
_ESCAPED = re.compile(r"([$%])\1(?=\{)")
_MARKS = {"$": "\ufdd0", "%": "\ufdd1"}
SIGNS = {ord(mark): sign for sign, mark in _MARKS.items()}
_DOUBLED = {ord(mark): sign * 2 for sign, mark in _MARKS.items()}


def parse(text: str) -> Any:
    """The body of an HCL file; `translate(SIGNS)` on its strings gives `${` for `$${` and `%{` for `%%{`.

    Raises:
        ImportError: python-hcl2 is not installed.
        ValueError: the text is not HCL.
    """
    from hcl2 import parses_to_tree
    from lark.exceptions import LarkError

    try:
        return parses_to_tree(_ESCAPED.sub(lambda found: _MARKS[found[1]], text)).children[0]
    except (LarkError, RecursionError) as error:
        raise ValueError(str(error).splitlines()[0]) from None


def kind_of(tree: Any) -> str:
    """The grammar rule of a node; empty for a token."""
    return str(getattr(tree, "data", ""))


def parts(tree: Any) -> list[Any]:
    """The child nodes of a node, without punctuation and comments."""
    return [child for child in tree.children if kind_of(child) not in ("", "new_line_or_comment")]


def written(tree: Any) -> str:
    """An expression as the file has it, without comments and line breaks."""
    if not hasattr(tree, "children"):
        return str(tree).translate(_DOUBLED)
    children = (child for child in tree.children if kind_of(child) != "new_line_or_comment")
    return "".join(map(written, children)).strip()


def blocks_of(body: Any) -> Iterator[tuple[list[str], Any]]:
    """The blocks in a body: type and labels, and the body of each."""
    for block in parts(body):
        if kind_of(block) == "block":
            *names, inner = parts(block)
            yield [written(name).strip('"') for name in names], inner


def attributes_of(body: Any) -> dict[str, Any]:
    """The expressions in a body by attribute name."""
    found = [node for node in parts(body) if kind_of(node) == "attribute"]
    return {written(attribute.children[0]): attribute.children[-1] for attribute in found}
