"""HCL's expressions as values, walking the tree that python-hcl2 parses.

Source: github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

from __future__ import annotations

import json
import operator
import re
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from trailsieve.errors import UsageError
from trailsieve.interchange.importers.model import Unresolved, joined

_MAX_DEPTH = 100  # of names that stand for names
_MAX_STEPS = 1_000_000  # of one set of files: names that stand for names can multiply
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_HEREDOC = re.compile(r"<<(-?)([\w.-]+)\r?\n(.*?)[ \t]*\2\s*\Z", re.DOTALL)
_BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": operator.mod,
    "&&": lambda a, b: a and b,
    "||": lambda a, b: a or b,
}


@dataclass(slots=True)
class Scope:
    """What names stand for.

    Attributes:
        known: values of variables.
        late: expressions of locals and defaults, evaluated when they are asked for.
        resources: bodies of resources by kind and name.
        here: names that only hold here: `each`, `count`, those of `for`.
    """

    known: dict[tuple[str, str], Any] = field(default_factory=dict)
    late: dict[tuple[str, str], Any] = field(default_factory=dict)
    resources: dict[tuple[str, str], Any] = field(default_factory=dict)
    here: dict[str, Any] = field(default_factory=dict)
    depth: int = 0
    steps: list[int] = field(default_factory=lambda: [0])

    def within(self, names: dict[str, Any]) -> Scope:
        """The same with more names."""
        return replace(self, here={**self.here, **names})

    def deeper(self) -> Scope:
        """The scope of what a name stands for.

        Raises:
            UsageError: names stand for each other in a circle.
        """
        if self.depth > _MAX_DEPTH:
            raise UsageError("names stand for each other in a circle")
        return replace(self, here={}, depth=self.depth + 1)


class _LaterError(Exception):
    """What is asked for is only known to Terraform."""


def evaluate(tree: Any, scope: Scope) -> Any:
    """The value of an expression; `Unresolved`, as it is written, when only Terraform knows it."""
    try:
        value = _value(tree, scope)
        if isinstance(value, _Path | _Instances):
            raise _LaterError
        return value
    except (_LaterError, TypeError, ValueError, KeyError, IndexError, AttributeError, ZeroDivisionError):
        return Unresolved(f"${{{written(tree)}}}")


def written(tree: Any) -> str:
    """An expression as it is written, without comments and line breaks."""
    if not hasattr(tree, "children"):
        return str(tree)
    return "".join(written(child) for child in tree.children if _data(child) != "new_line_or_comment").strip()


def _data(tree: Any) -> str:
    return str(getattr(tree, "data", ""))


def _parts(tree: Any) -> list[Any]:
    """The children that mean something: no comments, no punctuation."""
    return [child for child in tree.children if _data(child) not in ("", "new_line_or_comment")]


def _value(tree: Any, scope: Scope) -> Any:
    kind = _data(tree)
    scope.steps[0] += 1
    if scope.steps[0] > _MAX_STEPS:
        raise UsageError("too large: its expressions come to over a million values")
    if kind not in _KINDS:
        raise _LaterError
    return _KINDS[kind](tree, scope)


def _inner(tree: Any, scope: Scope) -> Any:
    [inner] = _parts(tree)
    return _value(inner, scope)


def _literal(tree: Any, scope: Scope) -> Any:
    return {"true": True, "false": False, "null": None}[str(tree.children[0])]


def _number(tree: Any, scope: Scope) -> Any:
    number = float(tree.children[0])
    return int(number) if number.is_integer() else number


def _string(tree: Any, scope: Scope) -> Any:
    return _template([part.children[0] for part in _parts(tree)], scope, _unescaped)


def _template(parts: list[Any], scope: Scope, literal: Callable[[str], str]) -> Any:
    texts: list[Any] = []
    for part in parts:
        if _data(part) == "interpolation":
            value = evaluate(_parts(part)[0], scope)
            if len(parts) == 1:
                return value
            texts.append(_shown(value))
        elif _data(part):
            raise _LaterError  # %{ if … }
        else:
            token = str(part)
            # `$${` and `%%{` are how a template writes `${` and `%{`.
            texts.append(token[1:] if token.startswith(("$${", "%%{")) else literal(token))
    return joined(texts)


def _shown(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, dict | list) or value is None:
        raise _LaterError
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _unescaped(text: str) -> str:
    return _ESCAPE.sub(lambda found: _escape(found[1]), text)


def _escape(text: str) -> str:
    return chr(int(text[1:], 16)) if len(text) > 1 else _ESCAPES.get(text, "\\" + text)


def _heredoc(tree: Any, scope: Scope) -> Any:
    found = _HEREDOC.match(str(tree.children[0]))
    if not found:
        raise _LaterError
    text = textwrap.dedent(found[3]) if found[1] else found[3]
    if re.search(r"(?<![$%])[$%]\{", text):
        return _interpolated(text, scope)
    return text.replace("$${", "${").replace("%%{", "%{")


def _interpolated(text: str, scope: Scope) -> Any:
    """A heredoc with `${…}` in it, read as the quoted string that it stands for."""
    from hcl2 import parses_to_tree

    pieces = re.split(r"((?<!\$)\$\{[^{}\"]*\})", text)  # what has quotes or braces of its own stays late
    quoted = "".join(
        piece if number % 2 else json.dumps(piece, ensure_ascii=False)[1:-1]
        for number, piece in enumerate(pieces)
    )
    body = parses_to_tree(f'x = "{quoted}"').children[0]
    return _value(body.children[0].children[-1], scope)


def _tuple(tree: Any, scope: Scope) -> list[Any]:
    return [evaluate(item, scope) for item in _parts(tree)]


def _object(tree: Any, scope: Scope) -> dict[str, Any]:
    found = {}
    for element in _parts(tree):
        key, value = _parts(element)
        found[_key(key, scope)] = evaluate(value, scope)
    return found


def _key(tree: Any, scope: Scope) -> str:
    """A key: a bare name is itself."""
    [inner] = tree.children
    if _data(inner) == "keyword":
        return written(inner)
    only = _parts(inner)
    if len(inner.children) == 1 and only and _data(only[0]) == "identifier":
        return written(only[0])
    return str(_value(inner, scope))


def _conditional(tree: Any, scope: Scope) -> Any:
    asked, yes, no = _parts(tree)
    return _value(yes if _truth(_value(asked, scope)) else no, scope)


def _truth(value: Any) -> bool:
    if isinstance(value, Unresolved):
        raise _LaterError
    return value in (True, "true")


def _binary(tree: Any, scope: Scope) -> Any:
    left, term = _parts(tree)
    sign, right = _parts(term)
    first, second = _value(left, scope), _value(right, scope)
    if isinstance(first, Unresolved) or isinstance(second, Unresolved):
        raise _LaterError
    return _BINARY[written(sign)](first, second)


def _unary(tree: Any, scope: Scope) -> Any:
    value = _value(_parts(tree)[0], scope)
    if isinstance(value, Unresolved):
        raise _LaterError
    return not _truth(value) if str(tree.children[0]) == "!" else -value


def _name(tree: Any, scope: Scope) -> Any:
    name = written(tree)
    if name in scope.here:
        return scope.here[name]
    return _Path((name,))


class _Path(tuple[str, ...]):
    """A name that is not complete yet: `var`, `local`, `aws_sns_topic.alerts`."""

    __slots__ = ()


def _attribute(tree: Any, scope: Scope) -> Any:
    value, name = _value(tree.children[0], scope), written(_parts(tree)[1]).lstrip(".")
    return _step(value, name, scope)


def _index(tree: Any, scope: Scope) -> Any:
    value, index = _value(tree.children[0], scope), tree.children[1]
    key = int(written(index).lstrip(".")) if _data(index) == "short_index" else _inner(index, scope)
    return _step(value, key, scope)


def _step(value: Any, key: Any, scope: Scope) -> Any:
    if isinstance(value, Unresolved):
        raise _LaterError
    if isinstance(value, _Path):
        return _resolved(_Path((*value, key)), scope)
    if isinstance(value, _Instances):
        return value.one(key)
    return value[key]


def _resolved(path: _Path, scope: Scope) -> Any:
    """What a path stands for, as soon as it is long enough."""
    if len(path) != 2:
        raise _LaterError
    pair = (path[0], path[1])
    if pair in scope.known:
        return scope.known[pair]
    if pair in scope.late:
        return _value(scope.late[pair], scope.deeper())
    if pair in scope.resources:
        return _Instances(scope.resources[pair], scope.deeper())
    raise _LaterError


class _Instances:
    """A resource that another one names: by an attribute, or by the key of an instance."""

    def __init__(self, body: Any, scope: Scope) -> None:
        self._body = body
        self._scope = scope

    def one(self, key: Any) -> Any:
        from trailsieve.interchange.importers.hcl import attributes_of

        attributes = dict(attributes_of(self._body))
        if "count" in attributes:
            return self._identified(self._scope.within({"count": {"index": key}}))
        if "for_each" in attributes:
            each = evaluate(attributes["for_each"], self._scope)
            value = each[key] if isinstance(each, dict) else key
            return self._identified(self._scope.within({"each": {"key": key, "value": value}}))
        return self._identified(self._scope)[key]

    def _identified(self, scope: Scope) -> dict[str, Any]:
        """The values of an instance; the id of a metric filter is its name."""
        from trailsieve.interchange.importers.hcl import body_values

        values = body_values(self._body, scope, "", [])
        return {"id": values["name"], **values} if "metric_transformation" in values else values


def _splat(tree: Any, scope: Scope) -> list[Any]:
    value, splat = _value(tree.children[0], scope), tree.children[1]
    if isinstance(value, Unresolved | _Path | _Instances):
        raise _LaterError
    items = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else [value]
    for step in _parts(splat):
        items = [_step(item, written(step).lstrip("."), scope) for item in items]
    return items


def _for(tree: Any, scope: Scope) -> Any:
    parts = _parts(tree)
    intro, results = parts[0], parts[1:]
    condition = _parts(results.pop())[0] if _data(results[-1]) == "for_cond" else None
    *names, source = _parts(intro)
    values: list[Any] = []
    for inner in _loop([written(name) for name in names], _value(source, scope), scope):
        if condition is None or _truth(_value(condition, inner)):
            values.append([_value(result, inner) for result in results])
    return {str(key): value for key, value in values} if len(results) == 2 else [one for (one,) in values]


def _loop(names: list[str], source: Any, scope: Scope) -> Iterator[Scope]:
    if isinstance(source, Unresolved | _Path | _Instances):
        raise _LaterError
    pairs = source.items() if isinstance(source, dict) else enumerate(source)
    for key, value in pairs:
        yield scope.within(dict(zip(names, (key, value) if len(names) == 2 else (value,), strict=True)))


def _call(tree: Any, scope: Scope) -> Any:
    name, *rest = _parts(tree)
    arguments = [_value(argument, scope) for argument in _parts(rest[0])] if rest else []
    if any(isinstance(argument, _Path | _Instances) for argument in arguments):
        raise _LaterError
    if any(isinstance(argument, Unresolved) for argument in arguments):
        raise _LaterError
    return _FUNCTIONS[written(name)](*arguments)


def _merged(*tables: dict[str, Any] | None) -> dict[str, Any]:
    return {key: value for table in tables if table for key, value in table.items()}


def _lookup(table: dict[str, Any], key: str, *otherwise: Any) -> Any:
    return table.get(key, *otherwise) if otherwise else table[key]


_FUNCTIONS: dict[str, Callable[..., Any]] = {
    "format": lambda text, *values: re.sub(r"%[sdv]", "%s", text) % values,
    "join": lambda between, *lists: between.join(str(item) for items in lists for item in items),
    "lower": str.lower,
    "upper": str.upper,
    "trimspace": str.strip,
    "chomp": lambda text: text.rstrip("\r\n"),
    "replace": lambda text, old, new: text.replace(old, new),
    "split": lambda between, text: text.split(between),
    "concat": lambda *lists: [item for items in lists for item in items],
    "compact": lambda items: [item for item in items if item],
    "merge": _merged,
    "lookup": _lookup,
    "toset": lambda items: sorted(set(items)),
    "tolist": list,
    "tomap": dict,
    "tostring": lambda value: value if isinstance(value, str) else json.dumps(value),
    "tonumber": float,
    "keys": sorted,
    "values": lambda table: [table[key] for key in sorted(table)],
    "length": len,
    "max": max,
    "min": min,
    "coalesce": lambda *values: next(value for value in values if value not in (None, "")),
    "jsonencode": lambda value: json.dumps(value, separators=(",", ":")),
    "try": lambda *values: values[0],
}
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
