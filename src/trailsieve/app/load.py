"""Configuration files: TOML into `Config`, with every mistake reported at once, each with its line."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterator
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import msgspec

from trailsieve.app import registry
from trailsieve.app.config import CheckpointConfig, Config, DeadLettersConfig, Part, RulesConfig
from trailsieve.app.expand import Expansion
from trailsieve.app.lines import TableLines
from trailsieve.engine.routing import Routing
from trailsieve.errors import ConfigError, UsageError
from trailsieve.times import duration_seconds

_COMMON = {field.name for field in msgspec.structs.fields(Routing)}  # keys of every [[sink]]
_TABLES = ("source", "sink", "rules", "checkpoint", "dead_letters", "run")


class _Run(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """`[run]`: worker processes for whole objects (0: one a processor), limits, heartbeat's period."""

    workers: int = 0
    max_object_size: str = "256MiB"
    limits: bool = True
    heartbeat: str = ""

    def __post_init__(self) -> None:
        if self.heartbeat:
            duration_seconds(self.heartbeat, "heartbeat")


def load_config(path: str | Path) -> tuple[Config, frozenset[str]]:
    """The configuration in a file, and the secrets in it, which must never be shown.

    Raises:
        ConfigError: the file holds mistakes; it lists them all with file and line.
        UsageError: there is no such file.
    """
    file = Path(path)
    try:
        text = file.read_text("utf-8")
        content = tomllib.loads(text)
    except FileNotFoundError:
        raise UsageError(f"{path}: no such configuration file") from None
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError([f"{path}: {error}"]) from None
    reader = _Reader(TableLines(file, text))
    config = reader.config(content)
    if reader.problems or config is None:
        raise ConfigError(reader.problems)
    return config, frozenset(reader.expansion.secrets)


class _Reader:
    def __init__(self, lines: TableLines) -> None:
        self.lines = lines
        self.problems: list[str] = []
        self.expansion = Expansion()

    def say(self, problem: str, table: str, number: int = 0, key: str = "") -> None:
        self.problems.append(f"{self.lines.at(table, number, key)}: {problem}")

    def config(self, content: dict[str, Any]) -> Config | None:
        for name in content.keys() - set(_TABLES):
            self.say(f"unknown table [{name}]{_meant(name, _TABLES)}", name)
        source = self.part("source", content.get("source"), 0)
        sinks = [self.part("sink", table, n) for n, table in enumerate(self.tables(content, "sink"))]
        rules = [self.take("rules", RulesConfig, t, n) for n, t in enumerate(self.tables(content, "rules"))]
        checkpoint = self.take("checkpoint", CheckpointConfig, content.get("checkpoint", {}))
        dead_letters = self.take("dead_letters", DeadLettersConfig, content.get("dead_letters", {}))
        run = self.take("run", _Run, content.get("run", {})) or _Run()
        for number, rule in enumerate(rules):
            if rule and bool(rule.pack) == bool(rule.path):
                self.say("a [[rules]] table names either a `pack` or a `path`", "rules", number)
        if self.problems:
            return None
        return Config(
            source=source,  # type: ignore[arg-type]
            sinks=[sink for sink in sinks if sink],
            rules=[rule for rule in rules if rule],
            checkpoint=checkpoint or CheckpointConfig(),
            dead_letters=dead_letters or DeadLettersConfig(),
            workers=run.workers,
            max_object_size=run.max_object_size,
            limits=run.limits,
            heartbeat=duration_seconds(run.heartbeat, "heartbeat") if run.heartbeat else 0,
        )

    def tables(self, content: dict[str, Any], name: str) -> list[Any]:
        tables = content.get(name)
        if tables is None:
            self.say(f"[[{name}]] is missing: write at least one", name)
            return []
        if not isinstance(tables, list):
            self.say(f"write [[{name}]], with two brackets: there may be several", name)
            return []
        return tables

    def part(self, table: str, given: Any, number: int) -> Part | None:
        """A source or sink, with the settings that its kind takes."""
        group: registry.Group = "sources" if table == "source" else "sinks"
        known = registry.kinds(group)
        if not isinstance(given, dict):
            self.say(f"[{table}] is missing; its `kind` is one of {', '.join(known)}", table)
            return None
        settings = dict(given)
        kind = settings.pop("kind", None)
        name = str(settings.pop("name", "") or kind)
        if kind not in known:
            wrong = f"unknown kind {kind!r}{_meant(str(kind), known)}" if kind else "`kind` is missing"
            self.say(f"[{table}] {wrong}; kinds: {', '.join(known)}", table, number, "kind")
            return None
        try:
            module = registry.module(group, kind)
        except ImportError as error:
            self.say(f"{error}; pip install 'trailsieve[{kind}]'", table, number, "kind")
            return None
        common = {} if table == "source" else {key: settings.pop(key) for key in _COMMON & settings.keys()}
        routing = self.take(table, Routing, {**common, "name": name}, number)
        typed = self.take(table, module.Config, settings, number, () if table == "source" else _COMMON)
        return Part(kind, typed, name, routing) if typed is not None and routing is not None else None

    def take(self, table: str, kind: Any, given: Any, number: int = 0, common: Collection[str] = ()) -> Any:
        """A table as a struct; None when it holds mistakes, each of which is noted.

        Args:
            common: keys that the table may have beside the struct's own.
        """
        if not isinstance(given, dict):
            self.say(f"[{table}] is a table", table, number)
            return None
        missing = len(self.expansion.missing)
        before = len(self.problems)
        given = self.expansion.expand(given)
        for text in self.expansion.missing[missing:]:
            self.say(text, table, number)
        values = dict(given)
        fields = {field.encode_name: field for field in msgspec.structs.fields(kind)}
        for key, problem in _mistakes(fields, values, common):
            self.say(f"[{table}] {problem}", table, number, key)
        if len(self.problems) > before:
            return None
        try:
            return msgspec.convert(values, kind)
        except msgspec.ValidationError as error:
            self.say(f"[{table}] {error}", table, number)
            return None


def _mistakes(
    fields: dict[str, Any], values: dict[str, Any], common: Collection[str]
) -> Iterator[tuple[str, str]]:
    known = [*fields, *sorted(common)]
    for key, value in values.items():
        if key not in fields:
            yield key, f"unknown key `{key}`{_meant(key, known)}; known are {', '.join(known)}"
            continue
        try:
            msgspec.convert(value, fields[key].type)
        except msgspec.ValidationError as error:
            yield key, f"`{key}`: {str(error)[0].lower()}{str(error)[1:]}"
    for name, field in fields.items():
        if field.required and name not in values:
            yield "", f"`{name}` is missing"


def _meant(given: str, known: list[str] | tuple[str, ...]) -> str:
    close = get_close_matches(given, known, 1)
    return f"; did you mean `{close[0]}`?" if close else ""
