"""Terraform's HCL files, evaluated as far as they explain themselves.

Variables with defaults or given values, locals, `count`, `for_each`, `dynamic` is left to Terraform, and so
are modules and data sources: a plan has their answers. What cannot be known reads as it is written.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trailsieve.errors import UsageError
from trailsieve.interchange.importers.hcl_expressions import Scope, evaluate, written
from trailsieve.interchange.importers.model import Unresolved, text_of
from trailsieve.interchange.importers.terraform import KINDS, Resource

_BLOCKS = ("variable", "locals", "resource", "module", "data")
_PLAN = "terraform plan -out p && terraform show -json p > plan.json"


def resources(path: Path, variables: Mapping[str, str]) -> tuple[list[Resource], list[str]]:
    """The metric filters and alarms of a file or folder, and what was not looked into.

    Raises:
        UsageError: there is no such file, or it is no HCL.
    """
    files = sorted(path.glob("*.tf")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"{path}: no .tf file in this folder")
    blocks = [block for file in files for block in _blocks(file)]
    scope = Scope()
    unsupported: list[str] = []
    for labels, body in blocks:
        _declare(labels, body, scope, variables, unsupported)
    made = [
        resource
        for labels, body in blocks
        if labels[0] == "resource" and labels[1] in KINDS
        for resource in _instances(labels, body, scope, unsupported)
    ]
    return made, unsupported


def _blocks(path: Path) -> Iterator[tuple[list[str], Any]]:
    try:
        from hcl2 import parses_to_tree
    except ImportError:
        raise UsageError(
            f"{path}: HCL needs python-hcl2: pip install 'trailsieve[import]'; or import a plan: {_PLAN}"
        ) from None
    from lark.exceptions import LarkError

    try:
        tree = parses_to_tree(text_of(path))
    except (LarkError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read as HCL: {str(error).splitlines()[0]}") from None
    for labels, body in blocks_of(tree.children[0]):
        if labels[0] in _BLOCKS:
            yield labels, body


def blocks_of(body: Any) -> Iterator[tuple[list[str], Any]]:
    """The blocks in a body: type and labels, and the body of each."""
    for child in body.children:
        if getattr(child, "data", "") == "block":
            *names, inner = [part for part in child.children if getattr(part, "data", None)]
            yield [written(name).strip('"') for name in names if name.data != "new_line_or_comment"], inner


def attributes_of(body: Any) -> Iterator[tuple[str, Any]]:
    """The attributes in a body: name and expression."""
    for child in body.children:
        if getattr(child, "data", "") == "attribute":
            yield written(child.children[0]), child.children[-1]


def _declare(
    labels: list[str], body: Any, scope: Scope, variables: Mapping[str, str], unsupported: list[str]
) -> None:
    """Notes what expressions may name."""
    attributes = dict(attributes_of(body))
    match labels:
        case ["variable", name]:
            if name in variables:
                scope.known["var", name] = variables[name]
            elif "default" in attributes:
                scope.late["var", name] = attributes["default"]
        case ["locals"]:
            scope.late.update({("local", name): tree for name, tree in attributes.items()})
        case ["resource", kind, name]:
            scope.resources[kind, name] = body
        case ["module", name]:
            unsupported.append(f"module.{name}: modules are not followed; import a plan instead: {_PLAN}")


def _instances(labels: list[str], body: Any, scope: Scope, unsupported: list[str]) -> Iterator[Resource]:
    _, kind, name = labels
    attributes = dict(attributes_of(body))
    address = f"{kind}.{name}"
    for key, inner in _scopes(attributes, scope, address, unsupported):
        yield Resource(f"{address}{key}", kind, body_values(body, inner, f"{address}{key}", unsupported))


def _scopes(
    attributes: dict[str, Any], scope: Scope, address: str, unsupported: list[str]
) -> Iterator[tuple[str, Scope]]:
    """One scope an instance, with what `count` or `for_each` make of it."""
    if "count" in attributes:
        count = evaluate(attributes["count"], scope)
        if isinstance(count, Unresolved):
            unsupported.append(f"{address}: taken once: its count is only known to Terraform: {count}")
            count = 1
        for number in range(min(int(count), 1000)):
            yield f"[{number}]", scope.within({"count": {"index": number}})
    elif "for_each" in attributes:
        each = evaluate(attributes["for_each"], scope)
        if isinstance(each, Unresolved):
            unsupported.append(f"{address}: left out: its for_each is only known to Terraform: {each}")
            return
        pairs = each.items() if isinstance(each, dict) else [(item, item) for item in each]
        for key, value in pairs:
            yield f'["{key}"]', scope.within({"each": {"key": key, "value": value}})
    else:
        yield "", scope


def body_values(body: Any, scope: Scope, address: str, unsupported: list[str]) -> dict[str, Any]:
    """The attributes of a body as values, and its blocks as lists of such."""
    values = {name: evaluate(tree, scope) for name, tree in attributes_of(body)}
    for (kind, *labels), inner in blocks_of(body):
        if kind == "dynamic":
            unsupported.append(
                f"{address}: its dynamic {labels[0]} is not evaluated; import a plan instead: {_PLAN}"
            )
        else:
            values.setdefault(kind, []).append(body_values(inner, scope, address, unsupported))
    return {key: value for key, value in values.items() if value is not None}
