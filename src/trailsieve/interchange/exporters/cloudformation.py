"""Rules as a CloudFormation template in JSON; the `Metadata` of each filter lists its losses."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.interchange.exporters.cloudwatch import Pair, pairs
from trailsieve.interchange.exporters.model import Export, ExportTarget, Placeholder, json_text
from trailsieve.interchange.text import unique_name, upper_first
from trailsieve.rules.rule import Rule

# Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/dynamic-references.html
_REFERENCE = "{{resolve:"


def export(rules: Sequence[Rule], target: ExportTarget) -> Export:
    """The template, as JSON."""
    made, result = pairs(rules, target)
    resources: dict[str, Json] = {}
    for pair in made:
        if _REFERENCE in json_text([pair.filter, pair.alarm]):
            del result.losses[pair.rule.id]
            result.unsupported[pair.rule.id] = f"CloudFormation would replace the text {_REFERENCE}…}}}}"
        else:
            resources |= _resources(pair, set(resources))
    parameters = {
        str(name): {"Type": "String", "Description": name.meaning}
        for name in sorted(set(_placeholders(resources)))
    }
    result.text = json_text(
        {
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "Metric filters and alarms of trailsieve rules",
            **({"Parameters": parameters} if parameters else {}),
            "Resources": _referred(resources),
        }
    )
    return result


def _resources(pair: Pair, taken: set[str]) -> dict[str, Json]:
    name = _logical(pair.filter["filterName"], taken)
    properties = {upper_first(key): item for key, item in pair.filter.items()}
    [given] = pair.filter["metricTransformations"]
    transformation = {upper_first(key): item for key, item in given.items()}
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
    """A logical id, which may hold letters and digits only."""
    base = "".join(map(upper_first, re.split(r"[^A-Za-z0-9]+", name)))[:200] or "Rule"
    return unique_name(base, {one.removesuffix("Filter") for one in taken}, "x")


def _placeholders(content: Any) -> list[Placeholder]:
    if isinstance(content, Placeholder):
        return [content]
    items = content.values() if isinstance(content, dict) else content if isinstance(content, list) else []
    return [name for item in items for name in _placeholders(item)]


def _referred(content: Any) -> Any:
    if isinstance(content, Placeholder):
        return {"Ref": str(content)}
    if isinstance(content, dict):
        return {key: _referred(item) for key, item in content.items()}
    return [_referred(item) for item in content] if isinstance(content, list) else content
