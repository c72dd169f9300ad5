"""Rules as commands of the AWS CLI: `put-metric-filter` and `put-metric-alarm`."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from trailsieve.errors import visible
from trailsieve.interchange.exporters.cloudwatch import Pair, pairs
from trailsieve.interchange.exporters.model import Export, ExportTarget, Placeholder
from trailsieve.interchange.text import snake_case
from trailsieve.rules.rule import Rule


def export(rules: Sequence[Rule], target: ExportTarget) -> Export:
    """A shell script, with placeholders as shell variables."""
    made, result = pairs(rules, target)
    lines = ["#!/bin/sh", "set -eu"]
    for pair in made:
        lines += ["", *(f"# ! {visible(loss)}" for loss in pair.losses), *_commands(pair)]
    used = sorted(set(re.findall(r'"\$\{([A-Z_]+):\?', "\n".join(lines))))
    lines[1:1] = [f"# Set {', '.join(used)} first."] * bool(used)
    result.text = "\n".join(lines) + "\n"
    return result


def _commands(pair: Pair) -> Iterator[str]:
    yield _command("logs put-metric-filter", pair.filter)
    switch = pair.alarm["ActionsEnabled"]
    given = {key: item for key, item in pair.alarm.items() if key != "ActionsEnabled"}
    yield _command("cloudwatch put-metric-alarm", given, "" if switch else "--no-actions-enabled")


def _command(call: str, given: dict[str, Any], *flags: str) -> str:
    # `--x=…` because a pattern can begin with a hyphen
    options = [f"--{snake_case(key).replace('_', '-')}={_argument(item)}" for key, item in given.items()]
    return " \\\n  ".join([f"aws {call}", *options, *filter(None, flags)])


def _argument(content: Any) -> str:
    if isinstance(content, Placeholder):
        return f'"${{{snake_case(content).upper()}:?}}"'
    if isinstance(content, list) and content and isinstance(content[0], str):
        return " ".join(map(_argument, content))
    if isinstance(content, list) and "Name" in content[0]:
        given = [(shlex.quote(f"Name={item['Name']}"), _argument(item["Value"])) for item in content]
        return " ".join(f"{name},Value={value}" for name, value in given)
    return shlex.quote(content if isinstance(content, str) else orjson.dumps(content).decode())
