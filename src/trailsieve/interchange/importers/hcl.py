"""Terraform's HCL files: the resources that can be evaluated without Terraform.

Variables, locals, `count` and `for_each` are evaluated. Modules, data sources and `dynamic` blocks are not:
a plan has their values. A value that only Terraform knows keeps the text of its expression.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trailsieve.errors import UsageError
from trailsieve.interchange.importers.hcl_expressions import Scope
from trailsieve.interchange.importers.hcl_tree import attributes_of, blocks_of, parse
from trailsieve.interchange.importers.model import KINDS, Resource, Unresolved, text_of

_PLAN = "terraform plan -out p && terraform show -json p > plan.json"
_MAX_INSTANCES = 1000  # of one resource


def resources(path: Path, variables: Mapping[str, str]) -> tuple[list[Resource], list[str]]:
    """The metric filters and alarms of a file or folder, and one sentence for each thing not evaluated.

    Raises:
        UsageError: a file cannot be read as HCL, or its expressions do not come to an end.
    """
    files = sorted(path.glob("*.tf")) if path.is_dir() else [path]
    if not files:
        raise UsageError(f"{path}: no .tf file in this folder")
    blocks = [block for file in files for block in _blocks(file)]
    scope = Scope()
    try:
        for labels, body in blocks:
            _declare(labels, body, scope, variables)
        return list(_instances(scope)), scope.unsupported
    except RecursionError:
        raise UsageError(f"{path}: names refer to each other in a circle, or values nest too deep") from None


def _blocks(path: Path) -> Iterator[tuple[list[str], Any]]:
    text = text_of(path)
    try:
        return blocks_of(parse(text))
    except ImportError:
        raise UsageError(
            f"{path}: HCL needs python-hcl2: pip install 'trailsieve[import]'; or import a plan: {_PLAN}"
        ) from None
    except ValueError as error:
        raise UsageError(f"{path}: cannot be read as HCL: {error}") from None


def _declare(labels: list[str], body: Any, scope: Scope, variables: Mapping[str, str]) -> None:
    """Adds the names of a block that expressions can use."""
    attributes = attributes_of(body)
    match labels:
        case ["variable", name] if name in variables:
            scope.values["var", name] = variables[name]
        case ["variable", name] if "default" in attributes:
            scope.expressions["var", name] = attributes["default"]
        case ["locals"]:
            scope.expressions |= {("local", name): tree for name, tree in attributes.items()}
        case ["resource", kind, name]:
            scope.resources[kind, name] = body
        case ["module", name]:
            scope.unsupported.append(
                f"module.{name}: modules are not followed; import a plan instead: {_PLAN}"
            )


def _instances(scope: Scope) -> Iterator[Resource]:
    for (kind, name), body in scope.resources.items():
        if kind in KINDS:
            for key, inner in _scopes(attributes_of(body), scope, f"{kind}.{name}"):
                address = f"{kind}.{name}{key}"
                yield Resource(address, kind, inner.body_values(body, address))


def _scopes(attributes: dict[str, Any], scope: Scope, address: str) -> Iterator[tuple[str, Scope]]:
    """The key and scope of each instance that `count` or `for_each` makes."""
    if "count" in attributes:
        count = scope.evaluate(attributes["count"])
        if isinstance(count, Unresolved):
            scope.unsupported.append(f"{address}: imported once: only Terraform knows its count: {count}")
            count = 1
        for number in range(min(int(count), _MAX_INSTANCES)):
            yield f"[{number}]", scope.within({"count": {"index": number}})
    elif "for_each" in attributes:
        each = scope.evaluate(attributes["for_each"])
        if isinstance(each, Unresolved):
            scope.unsupported.append(f"{address}: not imported: only Terraform knows its for_each: {each}")
            return
        pairs = each.items() if isinstance(each, dict) else [(item, item) for item in each]
        for key, value in pairs:
            yield f'["{key}"]', scope.within({"each": {"key": key, "value": value}})
    else:
        yield "", scope
