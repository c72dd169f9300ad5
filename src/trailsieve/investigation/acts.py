"""The calls that matter by themselves, whatever rules say: what they amount to, and in which words."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from trailsieve.investigation.model import Call, total
from trailsieve.investigation.names import by_service, last_part
from trailsieve.trail.catalogue.calls import plain

_CREATED = re.compile(
    r"(Create(?!PolicyVersion|Tags|Grant|Route$|LoginProfile)|Run|Register|Import|CopyDB|CopySnapshot|CopyImage)[A-Z]"
)
_TAKEN = frozenset(
    {"logging stopped", "logging reduced", "data destroyed", "data encrypted", "encryption changed"}
)  # kinds that do no harm to resources that the caller made
_DATA = frozenset({"objects touched", "secrets read"})  # kinds that are part of daily work
_EVERYTHING = ("every action on every resource", "administrator access", "full access to IAM")


@dataclass(frozen=True, slots=True)
class Act:
    """A row of acts.toml.

    Attributes:
        kind: what it amounts to, a row of the weights.
        infinitive: "stop", for attempts.
        past: "stopped".
        noun: what it is done to: "trail".
        needs_effect: whether it counts only if it had an effect.
        source: the service, if several have a call of that name.
        when: the text that the effect must contain; "" for any effect.
        ending: how a sentence about it ends.
    """

    kind: str
    infinitive: str
    past: str
    noun: str
    needs_effect: bool
    source: str
    when: str
    ending: str


@lru_cache(maxsize=1)
def table() -> dict[str, list[dict[str, Any]]]:
    """Returns acts.toml."""
    return tomllib.loads(Path(__file__).with_name("acts.toml").read_text("utf-8"))


@lru_cache(maxsize=1)
def _acts() -> dict[str, list[Act]]:
    """The acts by call; those that depend on the effect first."""
    acts: dict[str, list[Act]] = defaultdict(list)
    for row in sorted(table()["act"], key=lambda row: "when" not in row):
        infinitive, past = row["says"]
        act = Act(
            row["kind"],
            infinitive,
            past,
            row["noun"],
            row.get("effect", False),
            row.get("source", ""),
            row.get("when", ""),
            row.get("with", ""),
        )
        for name in row["calls"].split():
            acts[name].append(act)
    return acts


@lru_cache(maxsize=4096)
def _named(event_name: str) -> Sequence[Act]:
    return _acts().get(plain(event_name), ())


def act_of(call: Call) -> Act | None:
    """Returns what a call amounts to; None for calls that do not matter by themselves."""
    act = next((act for act in _named(call.event_name) if act.when in call.effect), None)
    if act is None or (act.needs_effect and not call.effect and not call.error_code):
        return None
    if act.source and not call.event_source.startswith(act.source):
        return None
    return None if act.kind in _DATA and by_service(call.actor.service) else act


class Acts:
    """The acts among the calls of one chain, which knows what the chain made itself."""

    def __init__(self, calls: Iterable[Call]) -> None:
        self._own = {
            last_part(call.targets[0].name)
            for call in calls
            if not call.error_code and call.targets and _CREATED.match(call.event_name)
        }

    def kind(self, call: Call) -> str:
        """Returns the row of weights of a call; "" for calls that do not matter by themselves."""
        act = act_of(call)
        if act is None:
            return ""
        if act.kind in _TAKEN and self._is_own(call):
            return "clean-up"
        return kind_of(call, act)

    def _is_own(self, call: Call) -> bool:
        names = [last_part(target.name) for target in call.targets]
        # a secret's ARN ends with six characters that its name does not have
        return bool(names) and all(name in self._own or name[:-7] in self._own for name in names)


def kind_of(call: Call, act: Act) -> str:
    """Returns the row of weights: rights and keys count more if somebody gives them to themselves."""
    if act.kind == "rights changed" and gives_everything(call):
        return "rights for itself" if for_itself(call) else "rights for another"
    if act.kind == "key made" and for_itself(call):
        return "key for itself"
    return act.kind


def gives_everything(call: Call) -> bool:
    """Whether a call gave all rights, or those that suffice to take all."""
    return any(mark in call.effect for mark in _EVERYTHING)


def for_itself(call: Call) -> bool:
    """Whether a user or role did this to itself; a call that names no user is about the caller."""
    if "itself" in call.effect:
        return True
    own = {last_part(call.actor.principal), last_part(call.actor.issuer)} - {""}
    touched = {last_part(target.name) for target in call.targets if target.kind in ("user", "role")}
    return bool(own & touched) or (not touched and call.event_name == "CreateAccessKey")


def phrase(act: Act, kind: str, calls: list[Call]) -> str:
    """Returns an act in words: "stopped trail audit", "tried to delete 2 buckets"."""
    succeeded = [call for call in calls if not call.error_code]
    count = total(succeeded or calls)
    verb = act.past if succeeded else f"tried to {act.infinitive}"
    if kind == "rights for itself":
        return "granted itself all rights" if succeeded else "tried to grant itself all rights"
    if kind == "rights for another":
        if act.noun == "policy":
            return f"{verb} {_touched(act, succeeded or calls, 1)} to allow everything"
        return (
            f"{'gave' if succeeded else 'tried to give'} all rights to {_touched(act, succeeded or calls, 1)}"
        )
    if kind == "key for itself":
        return f"{verb} {'an access key' if count == 1 else f'{count} access keys'} for itself"
    own = " of its own" if kind == "clean-up" else ""
    ending = f" {act.ending}" if act.ending else ""
    return f"{verb} {_touched(act, succeeded or calls, count)}".rstrip() + ending + own


def _touched(act: Act, calls: list[Call], count: int) -> str:
    if not act.noun:
        return ""
    found = [target for call in calls for target in call.targets]
    known = [target for target in found if target.kind == act.noun] or found[:1]
    names = list(dict.fromkeys(last_part(target.name) for target in known))
    if len(names) == 1:
        kind = known[0].kind
        noun = act.noun if kind in (act.noun, "target") else f"{plural(act.noun)} of {kind}"
        return f"{noun} {names[0]}" + (f" {_times(count)}" if count > 1 else "")
    if count > 1:
        return f"{count:,} {plural(act.noun)}"
    return f"{act.noun} {names[0]}" if names else f"{'an' if act.noun[0] in 'aeiou' else 'a'} {act.noun}"


def _times(count: int) -> str:
    return "twice" if count == 2 else f"{count:,} times"


def plural(noun: str) -> str:
    """Returns a noun in the plural."""
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeiou" else noun + "s"
