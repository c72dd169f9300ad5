"""The values of HCL's expressions.

Source: github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

from __future__ import annotations

import re
import textwrap
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
from trailsieve.interchange.text import whole

_MAX_STEPS = 1_000_000  # of one set of files: a local that uses another twice doubles the work
_LITERALS = {"true": True, "false": False, "null": None}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|.)", re.DOTALL)
_HEREDOC = re.compile(r"<<(-?)([\w.-]+)\r?\n(.*?)[ \t]*\2\s*\Z", re.DOTALL)


class _UnknownError(Exception):
    """The value is only known to Terraform."""


class _Root(str):
    """The start of a name: `var`, `local`, `aws_sns_topic`."""

    __slots__ = ()


@dataclass(slots=True)
class Scope:
    """What names stand for. The methods `eval_…` evaluate the nodes of that name in python-hcl2's grammar.

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

    def evaluate(self, tree: Any) -> Any:
        """The value of an expression; `Unresolved`, with its text, if only Terraform knows it.

        Raises:
            UsageError: the files come to more than a million values.
        """
        try:
            return self._complete(tree)
        except (_UnknownError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError):
            return Unresolved(f"${{{written(tree)}}}")

    def body_values(self, body: Any, address: str) -> dict[str, Any]:
        """The attributes of a body as values, and its blocks as lists of such tables."""
        values = {name: self.evaluate(tree) for name, tree in attributes_of(body).items()}
        for (kind, *labels), inner in blocks_of(body):
            if kind == "dynamic":
                self.unsupported.append(
                    f"{address}: the dynamic block {labels[0]} is not evaluated; import a plan instead"
                )
            else:
                values.setdefault(kind, []).append(self.body_values(inner, address))
        return {key: value for key, value in values.items() if value is not None}

    def _value(self, tree: Any) -> Any:
        """The value of an expression, or the start of a name."""
        self.steps[0] += 1
        if self.steps[0] > _MAX_STEPS:
            raise UsageError("too large: its expressions come to over a million values")
        method = getattr(self, f"eval_{kind_of(tree)}", None)
        if method is None:
            raise _UnknownError
        return method(tree)

    def _complete(self, tree: Any) -> Any:
        value = self._value(tree)
        if isinstance(value, _Root | _Reference):
            raise _UnknownError
        return value

    def _known(self, tree: Any) -> Any:
        """The value of an expression that something is computed from."""
        value = self._complete(tree)
        if isinstance(value, Unresolved):
            raise _UnknownError
        return value

    def eval_expr_term(self, tree: Any) -> Any:
        [inner] = parts(tree)
        return self._value(inner)

    # --- literals ---

    def eval_literal_value(self, tree: Any) -> Any:
        return _LITERALS[str(tree.children[0])]

    def eval_float_lit(self, tree: Any) -> Any:
        return whole(float(tree.children[0]))

    eval_int_lit = eval_float_lit

    def eval_string(self, tree: Any) -> Any:
        content = [part.children[0] for part in parts(tree)]
        if len(content) == 1 and kind_of(content[0]) == "interpolation":
            return self.evaluate(parts(content[0])[0])  # "${x}" is x itself
        return joined(map(self._text, content))

    def _text(self, part: Any) -> Any:
        """A part of a quoted string as text."""
        if not kind_of(part):
            return _ESCAPE.sub(_unescaped, str(part).translate(SIGNS))
        if kind_of(part) != "interpolation":
            raise _UnknownError  # %{ if … }
        value = self.evaluate(parts(part)[0])
        if isinstance(value, dict | list) or value is None:
            raise _UnknownError
        return str(value).lower() if isinstance(value, bool) else value

    def eval_heredoc_template(self, tree: Any) -> Any:
        found = _HEREDOC.match(str(tree.children[0]))
        if not found:
            raise _UnknownError
        text = textwrap.dedent(found[3]) if found[1] else found[3]
        return self._interpolated(text) if re.search(r"[$%]\{", text) else text.translate(SIGNS)

    eval_heredoc_template_trim = eval_heredoc_template

    def _interpolated(self, text: str) -> Any:
        """A heredoc with `${…}`, evaluated as a quoted string: python-hcl2 parses those only."""
        pieces = re.split(r"(\$\{[^{}\"]*\})", text)
        pieces[::2] = [orjson.dumps(piece).decode()[1:-1] for piece in pieces[::2]]
        return self._value(attributes_of(parse(f'x = "{"".join(pieces)}"'))["x"])

    def eval_tuple(self, tree: Any) -> list[Any]:
        return list(map(self.evaluate, parts(tree)))

    def eval_object(self, tree: Any) -> dict[str, Any]:
        pairs = map(parts, parts(tree))
        return {self._key(key): self.evaluate(value) for key, value in pairs}

    def _key(self, tree: Any) -> str:
        """A key; a bare name stands for itself."""
        [inner] = tree.children
        is_name = len(inner.children) == 1 and list(map(kind_of, parts(inner))) == ["identifier"]
        return written(inner) if is_name or kind_of(inner) == "keyword" else str(self._value(inner))

    # --- operators and functions ---

    def eval_conditional(self, tree: Any) -> Any:
        condition, if_true, if_false = parts(tree)
        return self._value(if_true if self._holds(condition) else if_false)

    def _holds(self, condition: Any) -> bool:
        return self._known(condition) in (True, "true")

    def eval_binary_op(self, tree: Any) -> Any:
        left, term = parts(tree)
        sign, right = parts(term)
        return OPERATORS[written(sign)](self._known(left), self._known(right))

    def eval_unary_op(self, tree: Any) -> Any:
        [operand] = parts(tree)
        return not self._holds(operand) if str(tree.children[0]) == "!" else -self._known(operand)

    def eval_function_call(self, tree: Any) -> Any:
        name, *rest = parts(tree)
        arguments = [self._known(argument) for argument in parts(rest[0])] if rest else []
        return FUNCTIONS[written(name)](*arguments)

    # --- names ---

    def eval_identifier(self, tree: Any) -> Any:
        name = written(tree)
        return self.local_names[name] if name in self.local_names else _Root(name)

    def eval_get_attr_expr_term(self, tree: Any) -> Any:
        return self._step(self._value(tree.children[0]), _name(parts(tree)[1]))

    def eval_index_expr_term(self, tree: Any) -> Any:
        value, index = self._value(tree.children[0]), tree.children[1]
        key = int(_name(index)) if kind_of(index) == "short_index" else self.eval_expr_term(index)
        return self._step(value, key)

    def _step(self, value: Any, key: Any) -> Any:
        """The attribute or item `key` of a value, or what a name that is now complete stands for."""
        if isinstance(value, Unresolved):
            raise _UnknownError
        if not isinstance(value, _Root):
            return value[key]
        pair = (value, key)
        if pair in self.values:
            return self.values[pair]
        outer = replace(self, local_names={})
        if pair in self.expressions:
            return outer._value(self.expressions[pair])
        if pair in self.resources:
            return _Reference(self.resources[pair], outer)
        raise _UnknownError

    def eval_attr_splat_expr_term(self, tree: Any) -> list[Any]:
        value, splat = self._known(tree.children[0]), tree.children[1]
        value = list(value.values()) if isinstance(value, dict) else value
        items = value if isinstance(value, list) else [value]
        for step in parts(splat):
            items = [self._step(item, _name(step)) for item in items]
        return items

    eval_full_splat_expr_term = eval_attr_splat_expr_term

    def eval_for_tuple_expr(self, tree: Any) -> list[Any]:
        return [value for (value,) in self._results(tree)]

    def eval_for_object_expr(self, tree: Any) -> dict[str, Any]:
        return {str(key): value for key, value in self._results(tree)}

    def _results(self, tree: Any) -> list[list[Any]]:
        """The values, or keys and values, that a `for` makes."""
        intro, *results = parts(tree)
        condition = parts(results.pop())[0] if kind_of(results[-1]) == "for_cond" else None
        *names, given = parts(intro)
        source = self._known(given)
        found = []
        for pair in source.items() if isinstance(source, dict) else enumerate(source):
            inner = self.within(dict(zip(map(written, names), pair[-len(names) :], strict=True)))
            if condition is None or inner._holds(condition):
                found.append([inner._value(result) for result in results])
        return found


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
            each = self.scope.evaluate(attributes["for_each"])
            value = each[key] if isinstance(each, dict) else key
            return self._values({"each": {"key": key, "value": value}})
        return self._values({})[key]

    def _values(self, names: dict[str, Any]) -> dict[str, Any]:
        values = replace(self.scope.within(names), unsupported=[]).body_values(self.body, "")
        if "metric_transformation" in values:
            values["id"] = values["name"]  # the provider's id of a metric filter
        return values


def _name(tree: Any) -> str:
    """The name or number after a dot."""
    return written(tree).lstrip(".")


def _unescaped(found: re.Match[str]) -> str:
    text = found[1]
    return chr(int(text[1:], 16)) if len(text) > 1 else _ESCAPES.get(text, "\\" + text)
