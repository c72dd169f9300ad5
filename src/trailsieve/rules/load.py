"""Rule files: TOML into rules, with every mistake of every file reported at once."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import Any, TypedDict

from trailsieve.errors import PatternError, RuleError, UsageError
from trailsieve.model import SEVERITIES
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.rules.alarm import Alarm, Metric, RuleException
from trailsieve.rules.lines import RuleLines
from trailsieve.rules.rule import Override, Pack, Rule
from trailsieve.rules.settings import Settings
from trailsieve.rules.tests_table import mistakes, read_tests

_KEYS: dict[str, type[Any]] = {
    "id": str,
    "title": str,
    "severity": str,
    "pattern": str,
    "description": str,
    "tags": list,
    "references": list,
    "enabled": bool,
    "tests": dict,
    "metric": dict,
    "alarm": dict,
    "exceptions": list,
    "lint_ignore": list,
}
_OVERRIDE_KEYS = ("rule", "severity", "enabled", "metric", "alarm", "exceptions")
_REQUIRED = ("id", "pattern")
_SETTINGS = ("metric", "alarm", "exceptions")  # what `settings` reads
_TYPE_NAMES = {str: "a string", list: "a list of strings", bool: "true or false", dict: "a table"}


def built_in() -> dict[str, Path]:
    """The packs that come with trailsieve, by name."""
    folder = Path(str(resources.files("trailsieve.rules") / "packs"))
    return {path.stem: path for path in sorted(folder.glob("*.toml"), key=lambda path: path.stem)}


def load_pack(name: str | Path, *, limits: bool = True) -> Pack:
    """A built-in pack by its name, or the rules of a TOML file or of a folder of them.

    Args:
        limits: refuse patterns that CloudWatch refuses for their size.

    Raises:
        RuleError: the files hold mistakes; it lists them all with file and line.
        UsageError: there is no such pack, file or folder.
    """
    path = built_in().get(str(name)) or Path(name)
    if path.is_dir():
        files = sorted(path.glob("**/*.toml"))
        if not files:
            raise UsageError(f"{name}: no rule file (*.toml) in this folder")
    elif path.is_file():
        files = [path]
    else:
        raise UsageError(f"{name}: no such rule pack or file. Built in: {', '.join(built_in())}")
    return _Loader(limits).load(files, path.stem)


class _Typed(TypedDict, total=False):
    metric: Metric
    alarm: Alarm | None
    exceptions: tuple[RuleException, ...]


class _Loader:
    def __init__(self, limits: bool) -> None:
        self.limits = limits
        self.problems: list[str] = []
        self.rules: list[Rule] = []
        self.places: dict[str, str] = {}
        self.head: dict[str, str] = {}
        self.overrides: list[Override] = []

    def load(self, files: Iterable[Path], name: str) -> Pack:
        for file in files:
            self.load_file(file)
        if self.problems:
            raise RuleError(self.problems)
        return Pack(
            self.head.get("name", name),
            tuple(self.rules),
            self.head.get("version", ""),
            self.head.get("description", ""),
            tuple(self.overrides),
        )

    def load_file(self, file: Path) -> None:
        try:
            text = file.read_text(encoding="utf-8")
            content = tomllib.loads(text)
        except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
            self.problems.append(f"{file}: {error}")
            return
        lines = RuleLines(file, text)
        for key in content.keys() - {"pack", "rule", "override"}:
            self.problems.append(f"{lines.at_top(key)}: unknown key `{key}`; rules stand in [[rule]] tables")
        self.take_head(content.get("pack", {}), lines)
        for number, table in enumerate(self.tables(content, "rule", lines)):
            self.take_rule(table, lines, number)
        lines = RuleLines(file, text, "override")
        for number, table in enumerate(self.tables(content, "override", lines)):
            self.take_override(table, lines, number)
        if not content.get("rule", []) and not content.get("override"):
            self.problems.append(f"{file}: no rule in it; write [[rule]] tables")

    def tables(self, content: dict[str, Any], kind: str, lines: RuleLines) -> list[dict[str, Any]]:
        tables = content.get(kind, [])
        if isinstance(tables, list) and all(isinstance(table, dict) for table in tables):
            return tables
        self.problems.append(f"{lines.at_top(kind)}: {kind}s stand in [[{kind}]] tables, with two brackets")
        return []

    def take_head(self, head: Any, lines: RuleLines) -> None:
        known = ("name", "version", "description")
        if not isinstance(head, dict) or any(
            k not in known or not isinstance(v, str) for k, v in head.items()
        ):
            self.problems.append(
                f"{lines.at_top('pack')}: [pack] holds the strings name, version and description"
            )
            return
        self.head.update(head)

    def take_rule(self, table: dict[str, Any], lines: RuleLines, number: int) -> None:
        before = len(self.problems)
        name = str(table.get("id", f"number {number + 1}"))
        for key, message in _mistakes(table):
            self.problems.append(f"{lines.at(number, key)}: rule {name}: {message}")
        if name in self.places:
            taken = f"this id is taken by {self.places[name]}"
            self.problems.append(f"{lines.at(number, 'id')}: rule {name}: {taken}")
        elif table.get("id"):
            self.places[name] = f"{lines.file}:{lines.line(number)}"
        pattern = self.compile(table.get("pattern"), lines.at(number, "pattern"), name)
        for message in mistakes(table.get("tests"), pattern):
            self.problems.append(f"{lines.at(number, 'tests')}: rule {name}: {message}")
        settings = self.settings(table, pattern, lines, number, f"rule {name}")
        if pattern is not None and len(self.problems) == before:
            self.rules.append(_rule(table, pattern, settings, lines, number))

    def take_override(self, table: dict[str, Any], lines: RuleLines, number: int) -> None:
        before = len(self.problems)
        name = f"override of {table.get('rule', 'nothing')}"
        known = {key: _KEYS.get(key, str) for key in _OVERRIDE_KEYS}
        for key, message in _mistakes(table, known, ("rule",)):
            self.problems.append(f"{lines.at(number, key)}: {name}: {message}")
        settings = self.settings(table, None, lines, number, name)
        if len(self.problems) == before:
            changes = {key: table[key] for key in ("rule", "severity", "enabled") if key in table}
            place = f"{lines.file}:{lines.line(number)}"
            self.overrides.append(Override(**changes, **settings, place=place))

    def settings(
        self, table: dict[str, Any], pattern: FilterPattern | None, lines: RuleLines, number: int, name: str
    ) -> _Typed:
        """The tables `metric`, `alarm` and `exceptions`, as far as they are given."""

        def reader(key: str) -> Settings:
            def say(text: str) -> None:
                self.problems.append(f"{lines.at(number, key)}: {name}: {text}")

            return Settings(pattern, say, limits=self.limits)

        found: _Typed = {}
        if "metric" in table:
            found["metric"] = reader("metric").metric(table["metric"])
        if "alarm" in table:
            found["alarm"] = reader("alarm").alarm(table["alarm"])
        if "exceptions" in table:
            found["exceptions"] = reader("exceptions").exceptions(table["exceptions"])
        metric, alarm = found.get("metric"), found.get("alarm")
        if metric and alarm and alarm.by and metric.default is not None:
            text = (
                "`metric.default` and `alarm.by` exclude each other: an event that does not match has no key"
            )
            self.problems.append(f"{lines.at(number, 'metric')}: {name}: {text}")
        return found

    def compile(self, text: Any, place: str, name: str) -> FilterPattern | None:
        if not isinstance(text, str):
            return None
        try:
            return compile(text.strip(), limits=self.limits)
        except PatternError as error:
            self.problems.append(f"{place}: rule {name}: {error}")
            return None


def _mistakes(
    table: dict[str, Any], known: dict[str, type[Any]] = _KEYS, required: Iterable[str] = _REQUIRED
) -> Iterable[tuple[str, str]]:
    """Each wrong key of a rule's or override's table and what is wrong with it."""
    for key in required:
        if not table.get(key):
            yield key, f"`{key}` is missing"
    for key, value in table.items():
        if key not in known:
            yield key, f"unknown key `{key}`; {_nearest(key, known)}"
        elif key not in _SETTINGS and not isinstance(value, known[key]):
            yield key, f"`{key}` is {_TYPE_NAMES[known[key]]}"
        elif key in ("tags", "references", "lint_ignore") and not all(
            isinstance(item, str) for item in value
        ):
            yield key, f"`{key}` is a list of strings"
    if table.get("severity", "medium") not in SEVERITIES:
        yield "severity", f"`severity` is one of {', '.join(SEVERITIES)}"


def _nearest(key: str, known: Iterable[str]) -> str:
    close = get_close_matches(key, known, 1)
    return f"did you mean `{close[0]}`?" if close else f"known are {', '.join(known)}"


def _rule(
    table: dict[str, Any], pattern: FilterPattern, settings: _Typed, lines: RuleLines, number: int
) -> Rule:
    return Rule(
        id=table["id"],
        title=table.get("title", table["id"]),
        severity=table.get("severity", "medium"),
        pattern=pattern,
        description=table.get("description", "").strip(),
        tags=tuple(table.get("tags", ())),
        references=tuple(table.get("references", ())),
        lint_ignore=tuple(table.get("lint_ignore", ())),
        enabled=table.get("enabled", True),
        tests=read_tests(table.get("tests", {})),
        **settings,
        file=lines.file,
        line=lines.line(number),
    )
