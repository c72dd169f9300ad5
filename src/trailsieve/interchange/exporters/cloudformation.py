"""Rules as a CloudFormation template, in JSON; losses stand in the filters' `Metadata`."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.interchange.exporters.cloudwatch import Export, Pair, Place, Placeholder, pairs
from trailsieve.rules.rule import Rule

_MEANING = {"LogGroup": "Name of the log group that the trail writes to", "Topic": "ARN of the topic to tell"}


def exported(rules: Sequence[Rule], place: Place) -> Export:
    """The template."""
    made = pairs(rules, place)
    resources: dict[str, Json] = {}
    for pair in made:
        resources |= _resources(pair, set(resources))
    parameters = {name: _parameter(name) for name in sorted(set(_placeholders(resources)))}
    template = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Metric filters and alarms of trailsieve rules",
        "Parameters": parameters,
        "Resources": _referred(resources),
    }
    if not parameters:
        del template["Parameters"]
    losses = {pair.rule.id: pair.losses for pair in made}
    return Export(json.dumps(template, indent=2, ensure_ascii=False) + "\n", losses)


def _resources(pair: Pair, taken: set[str]) -> dict[str, Json]:
    name = _logical(pair.filter["filterName"], taken)
    properties = {_pascal(key): item for key, item in pair.filter.items()}
    [given] = pair.filter["metricTransformations"]
    transformation = {_pascal(key): item for key, item in given.items()}
    if "Dimensions" in transformation:
        transformation["Dimensions"] = [
            {"Key": key, "Value": item} for key, item in transformation["Dimensions"].items()
        ]
    properties["MetricTransformations"] = [transformation]
    return {
        f"{name}Filter": {
            "Type": "AWS::Logs::MetricFilter",
            "Metadata": {"NotCarriedOver": pair.losses},
            "Properties": properties,
        },
        f"{name}Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": pair.alarm},
    }


def _logical(name: str, taken: set[str]) -> str:
    """Letters and digits; one of its own."""
    base = "".join(part[:1].upper() + part[1:] for part in re.split(r"[^A-Za-z0-9]+", name))[:200] or "Rule"
    number, logical = 1, base
    while f"{logical}Filter" in taken:
        number += 1
        logical = f"{base}x{number}"
    return logical


def _parameter(name: str) -> Json:
    meaning = _MEANING.get(name, f"Value of the dimension {name.removeprefix('Dimension')} to watch")
    return {"Type": "String", "Description": meaning}


def _placeholders(content: Any) -> list[str]:
    if isinstance(content, Placeholder):
        return [str(content)]
    items = content.values() if isinstance(content, dict) else content if isinstance(content, list) else []
    return [name for item in items for name in _placeholders(item)]


def _referred(content: Any) -> Any:
    if isinstance(content, Placeholder):
        return {"Ref": str(content)}
    if isinstance(content, dict):
        return {key: _referred(item) for key, item in content.items()}
    return [_referred(item) for item in content] if isinstance(content, list) else content


def _pascal(name: str) -> str:
    return name[:1].upper() + name[1:]
