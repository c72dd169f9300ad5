"""Rule files as packs of rules; all mistakes of all files are reported at once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from msgspec import Struct
from msgspec.structs import asdict

from trailsieve.errors import RuleError, UsageError
from trailsieve.rules.rule import Override, Pack, Rule
from trailsieve.rules.rule_table import RuleTable, Table
from trailsieve.toml_file import Place, TableReader, TomlFile

_TABLES = ("pack", "rule", "override")


def built_in() -> dict[str, Path]:
    """The paths of the packs that come with trailsieve, files and folders, by name."""
    folder = Path(__file__).with_name("packs")
    paths = (path for path in folder.iterdir() if path.is_dir() or path.suffix == ".toml")
    return {path.stem: path for path in sorted(paths, key=lambda path: path.stem)}


def load_pack(name: str | Path, *, limits: bool = True) -> Pack:
    """The built-in pack of that name, or the rules of a TOML file or of all TOML files in a folder.

    Args:
        limits: refuse patterns that CloudWatch refuses for their size.

    Raises:
        RuleError: there are mistakes in the files; it lists all of them with file and line.
        UsageError: there is no such pack, file or folder.
    """
    path = built_in().get(str(name)) or Path(name)
    return _Loader(limits).load(rule_files(name), path.stem)


def rule_files(name: str | Path) -> list[Path]:
    """The file of the built-in pack of that name, or a TOML file, or all TOML files in a folder.

    Raises:
        UsageError: there is no such pack, file or folder.
    """
    path = built_in().get(str(name)) or Path(name)
    if path.is_dir():
        files = sorted(path.glob("**/*.toml"))
        if not files:
            raise UsageError(f"{name}: no rule file (*.toml) in this folder")
        return files
    if not path.is_file():
        raise UsageError(f"{name}: no such rule pack or file. Built in: {', '.join(built_in())}")
    return [path]


class _Head(Struct):
    """The table `[pack]`."""

    name: str = ""
    version: str = ""
    description: str = ""


class _Loader:
    def __init__(self, limits: bool) -> None:
        self.limits = limits
        self.mistakes: list[str] = []
        self.rules: list[Rule] = []
        self.places: dict[str, str] = {}
        self.head: dict[str, str] = {}
        self.overrides: list[Override] = []

    def load(self, files: Iterable[Path], name: str) -> Pack:
        for path in files:
            self.load_file(path)
        if self.mistakes:
            raise RuleError(self.mistakes)
        head = {"name": name, **self.head}
        return Pack(rules=tuple(self.rules), overrides=tuple(self.overrides), **head)

    def load_file(self, path: Path) -> None:
        try:
            file = TomlFile(path)
        except OSError as error:
            self.mistakes.append(f"{path}: {error}")
        except ValueError as error:
            self.mistakes.append(str(error))
        else:
            self.take(file)
            self.mistakes += file.mistakes

    def take(self, file: TomlFile) -> None:
        for key in file.content.keys() - set(_TABLES):
            file.report((key,), f"unknown key `{key}`; allowed: {', '.join(_TABLES)}")
        if "pack" in file.content:
            self.take_head(file)
        for place, table in file.tables("rule"):
            self.take_rule(file, place, table)
        for place, table in file.tables("override"):
            self.take_override(file, place, table)
        if not file.content.get("rule", []) and not file.content.get("override"):
            file.report((), "there are no rules in this file; write [[rule]] tables")

    def take_head(self, file: TomlFile) -> None:
        head = TableReader(file.report).read(_Head, file.content["pack"], ("pack",)) or _Head()
        self.head |= {key: value for key, value in asdict(head).items() if value}

    def take_rule(self, file: TomlFile, place: Place, table: Table) -> None:
        name = str(table.get("id", f"number {int(place[1]) + 1}"))
        line = file.line(place)
        if name in self.places:
            file.report((*place, "id"), f"rule {name}: this id is already used in {self.places[name]}")
        elif table.get("id"):
            self.places[name] = f"{file.path}:{line}"
        report = partial(_report, file, f"rule {name}")
        rule = RuleTable(report, limits=self.limits).rule(table, place, file.path, line)
        if rule is not None:
            self.rules.append(rule)

    def take_override(self, file: TomlFile, place: Place, table: Table) -> None:
        report = partial(_report, file, f"override of {table.get('rule', 'nothing')}")
        where = f"{file.path}:{file.line(place)}"
        override = RuleTable(report, limits=self.limits).override(table, place, where)
        if override is not None:
            self.overrides.append(override)


def _report(file: TomlFile, owner: str, place: Place, message: str) -> None:
    file.report(place, f"{owner}: {message}")
