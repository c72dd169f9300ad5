"""Terraform's operators and the functions that modules for metric filters use.

Source: developer.hashicorp.com/terraform/language/functions and
github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import orjson

from trailsieve.interchange.text import whole


def _arithmetic(operation: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    """The operation on numbers; Terraform converts strings."""

    def on_numbers(left: Any, right: Any) -> Any:
        value = operation(float(left), float(right))
        return value if isinstance(value, bool) else whole(value)

    return on_numbers


OPERATORS: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "&&": lambda left, right: left and right,
    "||": lambda left, right: left or right,
    "<": _arithmetic(operator.lt),
    "<=": _arithmetic(operator.le),
    ">": _arithmetic(operator.gt),
    ">=": _arithmetic(operator.ge),
    "+": _arithmetic(operator.add),
    "-": _arithmetic(operator.sub),
    "*": _arithmetic(operator.mul),
    "/": _arithmetic(operator.truediv),
    "%": _arithmetic(operator.mod),
}


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "format": lambda text, *values: re.sub(r"%[sdv]", "%s", text) % values,
    "join": lambda separator, *lists: separator.join(str(item) for items in lists for item in items),
    "lower": str.lower,
    "upper": str.upper,
    "trimspace": str.strip,
    "chomp": lambda text: text.rstrip("\r\n"),
    "replace": lambda text, old, new: text.replace(old, new),
    "split": lambda separator, text: text.split(separator),
    "concat": lambda *lists: [item for items in lists for item in items],
    "compact": lambda items: [item for item in items if item],
    "merge": lambda *tables: {key: value for table in tables if table for key, value in table.items()},
    "lookup": lambda table, key, *default: table.get(key, *default) if default else table[key],
    "toset": lambda items: sorted(set(items)),
    "tolist": list,
    "tomap": dict,
    "tostring": lambda value: value if isinstance(value, str) else orjson.dumps(value).decode(),
    "tonumber": lambda value: whole(float(value)),
    "keys": sorted,
    "values": lambda table: [table[key] for key in sorted(table)],
    "length": len,
    "max": max,
    "min": min,
    "coalesce": lambda *values: next((value for value in values if value not in (None, "")), None),
    "jsonencode": lambda value: orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS).decode(),
    "try": lambda *values: values[0],
}
