"""Rules as Terraform resources in HCL, with their losses as comments."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from trailsieve.errors import visible
from trailsieve.interchange.exporters.cloudwatch import Pair, pairs
from trailsieve.interchange.exporters.model import Export, ExportTarget, Placeholder
from trailsieve.interchange.text import snake_case, unique_name
from trailsieve.rules.rule import Rule


def export(rules: Sequence[Rule], target: ExportTarget) -> Export:
    """The text of one .tf file."""
    made, result = pairs(rules, target)
    used: dict[Placeholder, None] = {}
    labels: set[str] = set()
    lines = [line for pair in made for line in _resources(pair, _label(pair, labels), used)]
    variables = [line for name in used for line in _variable(name)]
    result.text = "\n".join([*variables, *lines]).strip("\n") + "\n"
    return result


def _label(pair: Pair, taken: set[str]) -> str:
    """The name of the resources, an identifier that is used once."""
    base = re.sub(r"[^A-Za-z0-9_-]", "_", pair.filter["filterName"])
    base = base if base[:1].isalpha() or base[:1] == "_" else f"rule_{base}"
    label = unique_name(base, taken, "_")
    taken.add(label)
    return label


def _variable(name: Placeholder) -> Iterator[str]:
    yield f'variable "{snake_case(name)}" {{'
    yield "  type        = string"
    yield f"  description = {_text(name.meaning)}"
    yield "}\n"


def _resources(pair: Pair, label: str, used: dict[Placeholder, None]) -> Iterator[str]:
    for loss in pair.losses:
        yield f"# ! {visible(loss)}"
    [transformation] = pair.filter["metricTransformations"]
    yield f'resource "aws_cloudwatch_log_metric_filter" "{label}" {{'
    own = {"name": "filterName", "log_group_name": "logGroupName", "pattern": "filterPattern"}
    yield from _attributes({name: pair.filter[key] for name, key in own.items()}, used)
    yield "  metric_transformation {"
    names = {"metricName": "name", "metricNamespace": "namespace", "metricValue": "value"}
    given = {names.get(key, snake_case(key)): item for key, item in transformation.items()}
    for line in _attributes(given, used):
        yield f"  {line}"
    yield "  }\n}\n"
    yield f'resource "aws_cloudwatch_metric_alarm" "{label}" {{'
    alarm = {snake_case(key): item for key, item in pair.alarm.items()}
    if "dimensions" in alarm:
        alarm["dimensions"] = {item["Name"]: item["Value"] for item in alarm["dimensions"]}
    yield from _attributes(alarm, used)
    yield "}\n"


def _attributes(given: dict[str, Any], used: dict[Placeholder, None]) -> Iterator[str]:
    width = max(map(len, given))
    for key, item in given.items():
        yield f"  {key:<{width}} = {_value(item, used)}"


def _value(content: Any, used: dict[Placeholder, None]) -> str:
    if isinstance(content, Placeholder):
        used[content] = None
        return f"var.{snake_case(content)}"
    if isinstance(content, str):
        return _text(content)
    if isinstance(content, list):
        return f"[{', '.join(_value(item, used) for item in content)}]"
    if isinstance(content, dict):
        pairs = (f"{_text(key)} = {_value(item, used)}" for key, item in content.items())
        return f"{{ {', '.join(pairs)} }}"
    return orjson.dumps(content).decode()


def _text(text: str) -> str:
    r"""A quoted string; HCL reads `${` and `%{` as templates, and lacks the escapes \b and \f."""
    quoted = orjson.dumps(text).decode()
    quoted = re.sub(r"([$%])\{", r"\1\1{", quoted)
    return re.sub(r"(?<!\\)((?:\\\\)*)\\([bf])", lambda m: f"{m[1]}\\u{ord(m[2]) % 98 + 8:04x}", quoted)
