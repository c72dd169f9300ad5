"""Configuration files as `Config`; all mistakes are reported at once, each with its line."""

from __future__ import annotations

from pathlib import Path
from typing import Any, TypeVar, get_type_hints
from urllib.request import getproxies

import msgspec

from trailsieve.app import registry
from trailsieve.app.config import (
    AlarmsConfig,
    CheckpointConfig,
    Config,
    DeadLettersConfig,
    Part,
    RulesConfig,
    RunConfig,
)
from trailsieve.app.expand import Expansion
from trailsieve.engine.routing import Routing
from trailsieve.errors import ConfigError, RuleError, UsageError
from trailsieve.rules.load import load_pack, rule_files
from trailsieve.secret import hide_in, hide_login
from trailsieve.times import duration_seconds
from trailsieve.toml_file import Place, TableReader, TomlFile, nearest

T = TypeVar("T")

_ROUTING = {field.name for field in msgspec.structs.fields(Routing)}  # keys of every [[sink]]
_OF_ONE_MACHINE = ("files", "follow", "stdin")
_TABLES = ("source", "sink", "rules", "checkpoint", "dead_letters", "alarms", "run")


def load_config(path: str | Path) -> Config:
    """The configuration in a file. From then on the secrets in it are masked in everything that is printed.

    Raises:
        ConfigError: there are mistakes in the file; it lists all of them with file and line.
        UsageError: there is no such file.
    """
    try:
        file = TomlFile(Path(path))
    except FileNotFoundError:
        raise UsageError(f"{path}: no such configuration file") from None
    except OSError as error:
        raise ConfigError([f"{path}: {error}"]) from None
    except ValueError as error:
        raise ConfigError([str(error)]) from None
    for proxy in getproxies().values():
        hide_login(proxy, "(proxy)")
    loader = _Loader(file, Expansion())
    config = loader.config()
    if config is None:
        raise ConfigError(loader.mistakes)
    return config


class _Loader:
    def __init__(self, file: TomlFile, expansion: Expansion) -> None:
        self.file = file
        self.expansion = expansion
        self.reader = TableReader(self.report)
        self.rule_mistakes: list[str] = []

    @property
    def mistakes(self) -> list[str]:
        """Those of the file, then those of its rule files."""
        return self.file.mistakes + self.rule_mistakes

    def report(self, place: Place, message: str) -> None:
        self.file.report(place, f"[{self.label(place)}] {message}")

    def label(self, place: Place) -> str:
        """The table of a place, with the name that a sink has."""
        table = self.file.content["sink"][place[1]] if place[0] == "sink" else {}
        return f'sink "{name}"' if (name := table.get("name")) else str(place[0])

    def config(self) -> Config | None:
        content = self.file.content
        for name in content.keys() - set(_TABLES):
            self.file.report((name,), f"unknown table [{name}]{nearest(name, _TABLES)}")
        source = self.part(("source",), content.get("source"))
        sinks = [self.part(place, table) for place, table in self.tables("sink")]
        self.check_names(sinks)
        rules = [self.read(RulesConfig, table, place) for place, table in self.tables("rules")]
        checkpoint = self.read(CheckpointConfig, content.get("checkpoint", {}), ("checkpoint",))
        dead_letters = self.read(DeadLettersConfig, content.get("dead_letters", {}), ("dead_letters",))
        alarms = self.read(AlarmsConfig, content.get("alarms", {}), ("alarms",))
        run = self.read(RunConfig, content.get("run", {}), ("run",))
        if alarms and alarms.state != "local" and source and source.kind in _OF_ONE_MACHINE:
            self.report(
                ("alarms", "state"),
                f"`state`: {source.kind} reads what only this machine has, so its alarms are counted locally",
            )
        self.check_packs(rules)
        if self.file.mistakes:
            self.load_packs(rules, limits=not run or run.limits)
        if self.file.mistakes or not (source and checkpoint and dead_letters and alarms and run):
            return None
        return Config(
            source=source,
            sinks=[sink for sink in sinks if sink],
            rules=[rule for rule in rules if rule],
            checkpoint=checkpoint,
            dead_letters=dead_letters,
            alarms=alarms,
            workers=run.workers,
            max_object_size=run.max_object_size,
            limits=run.limits,
            heartbeat=duration_seconds(run.heartbeat, "heartbeat") if run.heartbeat else 0,
        )

    def tables(self, name: str) -> list[tuple[Place, dict[str, Any]]]:
        if name not in self.file.content:
            self.file.report((name,), f"[[{name}]] is missing: write at least one")
        return list(self.file.tables(name))

    def check_names(self, sinks: list[Part | None]) -> None:
        """Reports sinks with the name of an earlier one: `send` and dead letters know them by it."""
        names = [sink.name if sink else None for sink in sinks]
        for number, name in enumerate(names):
            if name and name in names[:number]:
                text = f"`name`: another sink is named {name}; give each sink its own name"
                self.report(("sink", number, "name"), text)

    def check_packs(self, rules: list[RulesConfig | None]) -> None:
        """Reports packs that do not exist, and those that an earlier table has."""
        for number, pack in enumerate(rules):
            if pack:
                key = "pack" if pack.pack else "path"
                try:
                    rule_files(pack.name)
                    again = f"{pack.name}: another [[rules]] table has it" if pack in rules[:number] else ""
                except UsageError as error:
                    again = str(error)
                if again:
                    self.report(("rules", number, key), f"`{key}`: {again}")

    def load_packs(self, rules: list[RulesConfig | None], *, limits: bool) -> None:
        """Adds the mistakes in rule files to those of the configuration."""
        for pack in rules:
            try:
                if pack:
                    load_pack(pack.name, limits=limits)
            except UsageError:
                continue  # `check_packs` reports it
            except RuleError as error:
                self.rule_mistakes += error.problems

    def part(self, place: Place, table: object) -> Part | None:
        """A source or sink, with the settings that its kind takes."""
        group: registry.Group = "sources" if place == ("source",) else "sinks"
        known = registry.kinds(group)
        if not isinstance(table, dict):
            self.file.report(place, f"[{place[0]}] is missing; its `kind` is one of {', '.join(known)}")
            return None
        kind = table.get("kind")
        if kind not in known:
            wrong = f"unknown kind {kind!r}{nearest(kind, known)}" if kind else "`kind` is missing"
            self.report((*place, "kind"), f"{wrong}; kinds: {', '.join(known)}")
            return None
        try:
            settings = registry.module(group, kind).Config
        except ImportError as error:
            self.file.report((*place, "kind"), f"{error}; pip install 'trailsieve[{kind}]'")
            return None
        return self.settings(place, table, kind, settings)

    def settings(self, place: Place, table: dict[str, Any], kind: str, settings: type[Any]) -> Part | None:
        name = str(table.get("name", "") or kind)
        common = set() if place == ("source",) else _ROUTING
        own = {key: value for key, value in table.items() if key not in ("kind", "name", *common)}
        routing = self.read(
            Routing, {key: table[key] for key in common & table.keys()} | {"name": name}, place
        )
        typed = self.read(settings, own, place, known=sorted(common))
        return Part(kind, typed, name, routing) if typed is not None and routing is not None else None

    def read(self, kind: type[T], table: object, place: Place, known: list[str] | None = None) -> T | None:
        if isinstance(table, dict):
            table = {key: self.expand(value, (*place, key)) for key, value in table.items()}
            for name, hint in get_type_hints(kind, include_extras=True).items():
                hide_in(hint, table.get(name), name)
        return self.reader.read(kind, table, place, known or ())

    def expand(self, value: object, place: Place) -> Any:
        """The value with every `${…}` replaced; what is missing is reported."""
        before = len(self.expansion.missing)
        expanded = self.expansion.expand(value, str(place[-1]))
        for text in self.expansion.missing[before:]:
            self.report(place, text)
        return expanded
