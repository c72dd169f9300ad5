"""Space-delimited patterns as people write them, and what they meant."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from trailsieve.errors import UnclearError
from trailsieve.pattern import lenient, nodes

_PIECE = re.compile(r"""(?:"(?:[^"\\]|\\.)*"|'[^']*'|%[^%]*%|\([^()]*\)|[^,;"'%])+""")
_NAME = re.compile(r"""(["']?)\$?\.?([^\W\d][\w-]*)\1""")
_QUOTED_NAME = re.compile(r"""^(["'])([^\W\d][\w-]*)\1(?=\s*[=!<>])""")
_QUOTED = re.compile(r'"[^"*=<>!]+"|\'[^\'*=<>!]+\'')
_NAMELESS = re.compile(r"(?:[=!<>]=?|<>)\s*[^\s=]")
_AWK = re.compile(
    r"(?:\S+\s*\|\s*)?awk\s+(?:-F\s*(?:'[^']*'|\"[^\"]*\"|\S+)\s+)?(['\"])(.+)\1\s*\S*", re.DOTALL
)
_ACTION = re.compile(r"\s*\{[^{}]*\}\s*\Z")
_NUMBERED = re.compile(r"[(!\s]*\$\d{1,2}\s*(?:===?|!==?|<=|>=|=|<|>|!?~)\s*\S")
_MARKS = re.compile(r"[-_]")
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


def read(text: str) -> nodes.Pattern:
    """A space-delimited pattern for fields with other commas, quotes, names and operators.

    Raises:
        UnclearError: there is none.
    """
    inner = re.sub(r"[\])}\s]+$", "", text.strip().removeprefix("["))
    if re.search(r"\bin\s*\([^()]*\Z", inner, re.IGNORECASE):
        inner += ")"
    if re.search(r",\s*(?:,|\Z)|\A\s*,", inner) and re.search(r",\s*,", inner):  # columns without names
        inner = f" {inner} "
    pieces = [found[0].strip() for found in _PIECE.finditer(re.sub(r"(?<=[,;])(?=\s*[,;])", " ", inner))]
    if not inner:
        raise UnclearError
    if len(pieces) == 1 and not re.search(r"[=<>!\"'%]|\b(?:IS|NOT|EXISTS)\b", inner):
        pieces = inner.split()  # blanks instead of commas
    pieces = [f"f{place} {p}" if _NAMELESS.match(p) else p for place, p in enumerate(pieces, 1)]
    if all(_QUOTED.fullmatch(piece) for piece in pieces):  # `["a", "b"]`
        return nodes.TextPattern(tuple(nodes.TextTerm(piece[1:-1], quoted=True) for piece in pieces))
    columns = [column for piece in pieces for column in _columns(_QUOTED_NAME.sub(r"\2", piece))]
    return _as_terms(columns) or nodes.DelimitedPattern(tuple(_unique(columns)))


def _as_terms(columns: list[nodes.Column | nodes.Ellipsis]) -> nodes.Pattern | None:
    """The text pattern for several columns of one name: `[terms = "a", terms = "b"]`."""
    terms = [column.condition for column in columns if isinstance(column, nodes.Column)]
    names = {column.name for column in columns if isinstance(column, nodes.Column)}
    found = []
    for term in terms:
        if not isinstance(term, nodes.Comparison) or not isinstance(term.value, nodes.String):
            return None
        text = term.value.text.strip("*")
        found.append(nodes.TextTerm(text, "excluded" if term.is_negative else "required", quoted=True))
    several = 1 < len(columns) == len(found) and len(names) == 1
    return nodes.TextPattern(tuple(found)) if several and not any("*" in t.text for t in found) else None


def of_awk(text: str) -> str:
    """The condition of a program of awk, "" for another text."""
    program = _AWK.fullmatch(text.strip())
    return _ACTION.sub("", program[2]) if program else ""


def numbered(text: str) -> str:
    """The conditions on columns by their numbers, as awk has them (`$6 >= 500`); "" for another text."""
    text = of_awk(text) or _ACTION.sub("", text)
    return text if _NUMBERED.match(text) and "$." not in text else ""


def read_numbered(conditions: str) -> nodes.Pattern:
    """The pattern for conditions on columns by their numbers.

    Raises:
        UnclearError: there is none.
    """
    numbers = [int(found) for found in re.findall(r"(?<![\w\"'])\$(\d{1,2})\b", conditions)]
    if not all(0 < number <= len(_LETTERS) for number in numbers):
        raise UnclearError("$0 and columns beyond the 26th were not understood")
    named = re.sub(r"(?<![\w\"'])\$(\d{1,2})\b", lambda found: _LETTERS[int(found[1]) - 1], conditions)
    tested = {column.name: column for column in _conditions(_as_fields(lenient.read(named)))}
    columns = [tested.get(name, nodes.Column(name)) for name in _LETTERS[: max(numbers)]]
    return nodes.DelimitedPattern((*columns, nodes.Ellipsis()))


def named_columns(expression: nodes.Expression, names: Sequence[str]) -> nodes.Pattern:
    """The pattern for lines whose columns have names, with conditions on some of them.

    Raises:
        UnclearError: a condition is on something else.
    """
    plain = {_MARKS.sub("", name).lower(): name for name in names}
    tested: dict[str, nodes.Column] = {}
    for column in _conditions(_as_fields(expression)):
        name = plain.get(_MARKS.sub("", column.name).lower())
        if name is None:
            raise UnclearError
        tested[name] = column
    return nodes.DelimitedPattern(tuple(tested.get(name, nodes.Column(name)) for name in names))


def _columns(piece: str) -> list[nodes.Column | nodes.Ellipsis]:
    if piece in ("...", "…"):
        return [nodes.Ellipsis()]
    if piece in ("", "*", "_", "-"):
        return [nodes.Column("")]
    if name := _NAME.fullmatch(piece):
        return [nodes.Column(name[2])]
    try:
        return [*_conditions(_as_fields(lenient.read(piece)))]
    except UnclearError:
        parts = re.split(r"\s*(?:&&|\bAND\b)\s*", piece)
        if len(parts) == 1:
            raise
        return [column for part in parts for column in _columns(part)]


def _as_fields(expression: nodes.Expression) -> nodes.Expression:
    """The same conditions on named columns."""
    if isinstance(expression, nodes.Group):  # a column is never absent
        terms = [_as_fields(t) for t in expression.terms if not isinstance(t, nodes.NotExists)]
        return terms[0] if len(terms) == 1 else replace(expression, terms=tuple(terms))
    names = expression.target.steps if isinstance(expression.target, nodes.Selector) else ()
    if not isinstance(expression, nodes.Comparison) or len(names) != 1 or not isinstance(names[0], str):
        raise UnclearError
    return replace(expression, target=nodes.Field(names[0]))


def _conditions(expression: nodes.Expression) -> list[nodes.Column]:
    """One column for each name; conditions on several ones must be joined by &&."""
    by_name: dict[str, list[nodes.Expression]] = {}
    for part in expression.terms if isinstance(expression, nodes.And) else (expression,):
        names = {term.target.name for term in nodes.terms_of(part) if isinstance(term.target, nodes.Field)}
        if len(names) != 1:
            raise UnclearError("|| between conditions on different columns has no pattern: make two")
        by_name.setdefault(names.pop(), []).append(part)
    return [
        nodes.Column(name, parts[0] if len(parts) == 1 else nodes.And(tuple(parts)))
        for name, parts in by_name.items()
    ]


def _unique(columns: list[nodes.Column | nodes.Ellipsis]) -> list[nodes.Column | nodes.Ellipsis]:
    """The columns without a name where it is not the first with that name (rule 57)."""
    seen: set[str] = set()
    found: list[nodes.Column | nodes.Ellipsis] = []
    for column in columns:
        if isinstance(column, nodes.Column) and column.name in seen:
            if column.condition is not None:
                raise UnclearError
            found.append(nodes.Column(""))
            continue
        if isinstance(column, nodes.Column) and column.name:
            seen.add(column.name)
        found.append(column)
    return found
