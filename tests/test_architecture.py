"""docs/architecture.md and the code say the same, and the code keeps the rules that the page states."""

from __future__ import annotations

import ast
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SRC = ROOT / "src" / "trailsieve"
PAGE = (ROOT / "docs" / "architecture.md").read_text("utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
ROW = re.compile(r"^\| `(\w+)(/|\.py)` \| (.+?) \| (.*?) \|$", re.MULTILINE)
FACADES = {"__init__"}


def name_of(file: Path) -> str:
    """The dotted name of a module below `trailsieve`; `__init__` for the package itself."""
    parts = file.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


@cache
def modules() -> dict[str, ast.Module]:
    return {name_of(file): ast.parse(file.read_text("utf-8")) for file in sorted(SRC.rglob("*.py"))}


def imported(tree: ast.AST) -> Iterator[str]:
    """The modules of the package that a module imports anywhere, also inside functions."""
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == "trailsieve":
            room = (node.module or "").removeprefix("trailsieve").lstrip(".")
            for alias in node.names:
                full = f"{room}.{alias.name}".lstrip(".")
                yield full if full in modules() else room or "__init__"
        elif isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.startswith("trailsieve."):
                    yield alias.name.removeprefix("trailsieve.")


@cache
def arrows() -> dict[str, set[str]]:
    """What each room and each single module imports of the others."""
    found: dict[str, set[str]] = defaultdict(set)
    for name, tree in modules().items():
        room = name.partition(".")[0]
        found[room] |= {target.partition(".")[0] for target in imported(tree)} - {room}
    return found


def drawn() -> dict[str, set[str]]:
    """The same, as the page's tables have it."""
    return {name: set(re.findall(r"`(\w+)`", targets)) for name, _, _, targets in ROW.findall(PAGE)}


def is_room(name: str) -> bool:
    return (SRC / name).is_dir()


def test_the_page_has_every_room_and_every_module_beside_them() -> None:
    kinds = {name: kind == "/" for name, kind, _, _ in ROW.findall(PAGE)}
    assert kinds == {name: is_room(name) for name in arrows().keys() - FACADES}


@pytest.mark.parametrize("name", sorted(arrows().keys() - FACADES))
def test_the_arrows_of_the_page_are_those_of_the_code(name: str) -> None:
    targets = arrows()[name] - FACADES
    if is_room(name):
        targets = set(filter(is_room, targets)) | targets & {"ports"}
    assert drawn().get(name) == targets


def test_every_file_that_the_page_names_exists() -> None:
    files = re.findall(r"`((?:\w+/)+\w+\.py)`", PAGE)
    assert len(files) > 10
    assert [file for file in files if not (SRC / file).is_file() and not (ROOT / file).is_file()] == []


def test_no_module_imports_itself_in_a_circle() -> None:
    graph = {name: set(imported(tree)) - {name} for name, tree in modules().items() if name not in FACADES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        pytest.fail(f"import cycle: {' -> '.join(error.args[1])}")


def test_no_room_holds_more_than_fifteen_percent_of_the_lines() -> None:
    lines: dict[str, int] = defaultdict(int)
    for file in SRC.rglob("*.py"):
        lines[name_of(file).partition(".")[0]] += len(file.read_bytes().splitlines())
    assert {name: n for name, n in lines.items() if n > 0.15 * sum(lines.values())} == {}


def calls_of(name: str) -> set[str]:
    """The modules that call a class or function by this name."""
    return {
        module
        for module, tree in modules().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name
    }


def test_one_module_builds_pipelines() -> None:
    assert calls_of("Pipeline") == {"app.build"}


def independent(group: str) -> set[str]:
    """The modules of a room that an import contract keeps apart."""
    contracts: Iterable[Mapping[str, list[str]]] = PROJECT["tool"]["importlinter"]["contracts"]
    names = {name for contract in contracts for name in contract.get("modules", ())}
    return {name for name in names if name.startswith(f"trailsieve.{group}.")}


@pytest.mark.parametrize("group", ["sources", "sinks"])
def test_import_contracts_keep_all_sources_and_sinks_apart(group: str) -> None:
    registered = PROJECT["project"]["entry-points"][f"trailsieve.{group}"].values()
    assert {name.removesuffix(".source") for name in registered} <= independent(group)
