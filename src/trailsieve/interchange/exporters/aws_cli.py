"""Rules as commands of the AWS CLI: `put-metric-filter` and `put-metric-alarm`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from trailsieve.errors import visible
from trailsieve.interchange.exporters.cloudwatch import Pair, pairs
from trailsieve.interchange.exporters.model import Export, ExportTarget, Placeholder, without_sequences
from trailsieve.rules.rule import Rule


def export(rules: Sequence[Rule], target: ExportTarget) -> Export:
    """A shell script, with placeholders as shell variables."""
    patterns, unsupported = without_sequences(rules)
    made = pairs(patterns, target)
    lines = ["#!/bin/sh", "set -eu"]
    for pair in made:
        lines += ["", *(f"# ! {visible(loss)}" for loss in pair.losses), *_commands(pair)]
    used = sorted(set(re.findall(r'"\$\{([A-Z_]+):\?', "\n".join(lines))))
    lines[1:1] = [f"# Set {', '.join(used)} first."] * bool(used)
    return Export("\n".join(lines) + "\n", {pair.rule.id: pair.losses for pair in made}, unsupported)


def _commands(pair: Pair) -> Iterator[str]:
    yield _command("logs put-metric-filter", pair.filter)
    switch = pair.alarm["ActionsEnabled"]
    given = {key: item for key, item in pair.alarm.items() if key != "ActionsEnabled"}
    yield _command("cloudwatch put-metric-alarm", given, "" if switch else "--no-actions-enabled")


def _command(call: str, given: dict[str, Any], *flags: str) -> str:
    # `--x=…` because a pattern can begin with a hyphen
    options = [f"--{_option(key)}={_argument(item)}" for key, item in given.items()]
    return " \\\n  ".join([f"aws {call}", *options, *filter(None, flags)])


def _argument(content: Any) -> str:
    if isinstance(content, Placeholder):
        name = re.sub(r"(?<!^)(?=[A-Z])", "_", content).upper()
        return f'"${{{name}:?}}"'
    if isinstance(content, list) and content and isinstance(content[0], str):
        return " ".join(map(_argument, content))
    if isinstance(content, list) and "Name" in content[0]:
        return " ".join(
            f"{shlex.quote('Name=' + item['Name'])},Value={_argument(item['Value'])}" for item in content
        )
    return shlex.quote(content if isinstance(content, str) else orjson.dumps(content).decode())


def _option(key: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|(?<=OK)(?=A)", "-", key).lower()
