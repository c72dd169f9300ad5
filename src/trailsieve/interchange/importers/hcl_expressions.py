"""The values of HCL's expressions.

Source: github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from trailsieve.errors import UsageError
from trailsieve.interchange.importers.hcl_functions import FUNCTIONS, OPERATORS
from trailsieve.interchange.importers.hcl_tree import (
    SIGNS,
    attributes_of,
    blocks_of,
    kind_of,
    parse,
    parts,
    written,
)
from trailsieve.interchange.importers.model import Unresolved, joined
from trailsieve.interchange.numbers import whole

_MAX_STEPS = 1_000_000  # of one set of files: a local that uses another twice doubles the work
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_HEREDOC = re.compile(r"<<(-?)([\w.-]+)\r?\n(.*?)[ \t]*\2\s*\Z", re.DOTALL)


@dataclass(slots=True)
class Scope:
    """What names stand for.

    Attributes:
        values: variables that are given, by kind and name: `("var", "region")`.
        expressions: locals and defaults of variables, evaluated on use.
        resources: bodies of resources by type and name.
        local_names: `each`, `count` and the names of a `for`.
        unsupported: what is not evaluated, one sentence each.
        steps: nodes that were evaluated so far.
    """

    values: dict[tuple[str, str], Any] = field(default_factory=dict)
    expressions: dict[tuple[str, str], Any] = field(default_factory=dict)
    resources: dict[tuple[str, str], Any] = field(default_factory=dict)
    local_names: dict[str, Any] = field(default_factory=dict)
    unsupported: list[str] = field(default_factory=list)
    steps: list[int] = field(default_factory=lambda: [0])

    def within(self, names: dict[str, Any]) -> Scope:
        """The scope with more local names."""
        return replace(self, local_names={**self.local_names, **names})


class _UnknownError(Exception):
    """The value is only known to Terraform."""


class _Path(tuple[str, ...]):
    """The start of a name: `var`, `local`, `aws_sns_topic`."""

    __slots__ = ()


@dataclass(slots=True)
class _Reference:
    """A resource that an expression names; an attribute or the key of an instance follows."""

    body: Any
    scope: Scope

    def __getitem__(self, key: Any) -> Any:
        attributes = attributes_of(self.body)
        if "count" in attributes:
            return self._values({"count": {"index": key}})
        if "for_each" in attributes:
            each = evaluate(attributes["for_each"], self.scope)
            value = each[key] if isinstance(each, dict) else key
            return self._values({"each": {"key": key, "value": value}})
        return self._values({})[key]

    def _values(self, names: dict[str, Any]) -> dict[str, Any]:
        values = body_values(self.body, replace(self.scope.within(names), unsupported=[]), "")
        if "metric_transformation" in values:
            values["id"] = values["name"]  # the provider's id of a metric filter
        return values


def evaluate(tree: Any, scope: Scope) -> Any:
    """The value of an expression; `Unresolved`, with its text, if only Terraform knows it.

    Raises:
        UsageError: the files come to more than a million values.
    """
    try:
        return _complete(_value(tree, scope))
    except (_UnknownError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
        return Unresolved(f"${{{written(tree)}}}")


def body_values(body: Any, scope: Scope, address: str) -> dict[str, Any]:
    """The attributes of a body as values, and its blocks as lists of such tables."""
    values = {name: evaluate(tree, scope) for name, tree in attributes_of(body).items()}
    for (kind, *labels), inner in blocks_of(body):
        if kind == "dynamic":
            scope.unsupported.append(
                f"{address}: the dynamic block {labels[0]} is not evaluated; import a plan instead"
            )
        else:
            values.setdefault(kind, []).append(body_values(inner, scope, address))
    return {key: value for key, value in values.items() if value is not None}


def _value(tree: Any, scope: Scope) -> Any:
    """The value of an expression, or the start of a name."""
    scope.steps[0] += 1
    if scope.steps[0] > _MAX_STEPS:
        raise UsageError("too large: its expressions come to over a million values")
    kind = kind_of(tree)
    if kind not in _KINDS:
        raise _UnknownError
    return _KINDS[kind](tree, scope)


def _complete(value: Any) -> Any:
    if isinstance(value, _Path | _Reference):
        raise _UnknownError
    return value


def _known(tree: Any, scope: Scope) -> Any:
    """The value of an expression that something is computed from."""
    value = _complete(_value(tree, scope))
    if isinstance(value, Unresolved):
        raise _UnknownError
    return value


def _inner(tree: Any, scope: Scope) -> Any:
    [inner] = parts(tree)
    return _value(inner, scope)


# --- literals ---


def _literal(tree: Any, scope: Scope) -> Any:
    return {"true": True, "false": False, "null": None}[str(tree.children[0])]


def _number(tree: Any, scope: Scope) -> Any:
    return whole(float(tree.children[0]))


def _string(tree: Any, scope: Scope) -> Any:
    content = [part.children[0] for part in parts(tree)]
    if len(content) == 1 and kind_of(content[0]) == "interpolation":
        return evaluate(parts(content[0])[0], scope)  # "${x}" is x itself
    return joined(_text(part, scope) for part in content)


def _text(part: Any, scope: Scope) -> Any:
    """A part of a quoted string as text."""
    if kind_of(part) == "interpolation":
        return _as_text(evaluate(parts(part)[0], scope))
    if kind_of(part):
        raise _UnknownError  # %{ if … }
    return _ESCAPE.sub(lambda found: _unescaped(found[1]), str(part).translate(SIGNS))


def _as_text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list) or value is None:
        raise _UnknownError
    return value


def _unescaped(text: str) -> str:
    return chr(int(text[1:], 16)) if len(text) > 1 else _ESCAPES.get(text, "\\" + text)


def _heredoc(tree: Any, scope: Scope) -> Any:
    found = _HEREDOC.match(str(tree.children[0]))
    if not found:
        raise _UnknownError
    text = textwrap.dedent(found[3]) if found[1] else found[3]
    return _interpolated(text, scope) if re.search(r"[$%]\{", text) else text.translate(SIGNS)


def _interpolated(text: str, scope: Scope) -> Any:
    """A heredoc with `${…}`, evaluated as a quoted string: python-hcl2 parses those only."""
    pieces = re.split(r"(\$\{[^{}\"]*\})", text)
    quoted = "".join(
        piece if number % 2 else orjson.dumps(piece).decode()[1:-1] for number, piece in enumerate(pieces)
    )
    return _value(attributes_of(parse(f'x = "{quoted}"'))["x"], scope)


def _tuple(tree: Any, scope: Scope) -> list[Any]:
    return [evaluate(item, scope) for item in parts(tree)]


def _object(tree: Any, scope: Scope) -> dict[str, Any]:
    pairs = [parts(element) for element in parts(tree)]
    return {_key(key, scope): evaluate(value, scope) for key, value in pairs}


def _key(tree: Any, scope: Scope) -> str:
    """A key; a bare name stands for itself."""
    [inner] = tree.children
    only = parts(inner)
    if kind_of(inner) == "keyword" or (
        len(inner.children) == 1 and only and kind_of(only[0]) == "identifier"
    ):
        return written(inner)
    return str(_value(inner, scope))


# --- operators and functions ---


def _conditional(tree: Any, scope: Scope) -> Any:
    condition, if_true, if_false = parts(tree)
    return _value(if_true if _truth(_known(condition, scope)) else if_false, scope)


def _truth(value: Any) -> bool:
    return value in (True, "true")


def _binary(tree: Any, scope: Scope) -> Any:
    left, term = parts(tree)
    sign, right = parts(term)
    return OPERATORS[written(sign)](_known(left, scope), _known(right, scope))


def _unary(tree: Any, scope: Scope) -> Any:
    value = _known(parts(tree)[0], scope)
    return not _truth(value) if str(tree.children[0]) == "!" else -value


def _call(tree: Any, scope: Scope) -> Any:
    name, *rest = parts(tree)
    arguments = [_known(argument, scope) for argument in parts(rest[0])] if rest else []
    return FUNCTIONS[written(name)](*arguments)


# --- names ---


def _name(tree: Any, scope: Scope) -> Any:
    name = written(tree)
    return scope.local_names[name] if name in scope.local_names else _Path((name,))


def _attribute(tree: Any, scope: Scope) -> Any:
    return _step(_value(tree.children[0], scope), written(parts(tree)[1]).lstrip("."), scope)


def _index(tree: Any, scope: Scope) -> Any:
    value, index = _value(tree.children[0], scope), tree.children[1]
    key = int(written(index).lstrip(".")) if kind_of(index) == "short_index" else _inner(index, scope)
    return _step(value, key, scope)


def _step(value: Any, key: Any, scope: Scope) -> Any:
    """The attribute or item `key` of a value, or what a name that is now complete stands for."""
    if isinstance(value, Unresolved):
        raise _UnknownError
    if not isinstance(value, _Path):
        return value[key]
    pair = (value[0], key)
    if pair in scope.values:
        return scope.values[pair]
    outer = replace(scope, local_names={})
    if pair in scope.expressions:
        return _value(scope.expressions[pair], outer)
    if pair in scope.resources:
        return _Reference(scope.resources[pair], outer)
    raise _UnknownError


def _splat(tree: Any, scope: Scope) -> list[Any]:
    value, splat = _known(tree.children[0], scope), tree.children[1]
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    for step in parts(splat):
        items = [_step(item, written(step).lstrip("."), scope) for item in items]
    return items


def _for(tree: Any, scope: Scope) -> Any:
    intro, *results = parts(tree)
    condition = parts(results.pop())[0] if kind_of(results[-1]) == "for_cond" else None
    *names, source = parts(intro)
    values: list[Any] = []
    for pair in _pairs(_known(source, scope)):
        inner = scope.within(dict(zip(map(written, names), pair[-len(names) :], strict=True)))
        if condition is None or _truth(_known(condition, inner)):
            values.append([_value(result, inner) for result in results])
    return {str(key): value for key, value in values} if len(results) == 2 else [one for (one,) in values]


def _pairs(source: Any) -> Iterable[tuple[Any, Any]]:
    return source.items() if isinstance(source, dict) else enumerate(source)


_KINDS: dict[str, Callable[[Any, Scope], Any]] = {
    "expr_term": _inner,
    "literal_value": _literal,
    "int_lit": _number,
    "float_lit": _number,
    "string": _string,
    "heredoc_template": _heredoc,
    "heredoc_template_trim": _heredoc,
    "tuple": _tuple,
    "object": _object,
    "conditional": _conditional,
    "binary_op": _binary,
    "unary_op": _unary,
    "identifier": _name,
    "get_attr_expr_term": _attribute,
    "index_expr_term": _index,
    "attr_splat_expr_term": _splat,
    "full_splat_expr_term": _splat,
    "for_tuple_expr": _for,
    "for_object_expr": _for,
    "function_call": _call,
}
