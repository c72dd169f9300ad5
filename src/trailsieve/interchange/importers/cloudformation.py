"""Metric filters and alarms of CloudFormation templates, in JSON or YAML."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.errors import UsageError
from trailsieve.interchange.importers.intrinsics import NOTHING, Template
from trailsieve.interchange.importers.model import ImportResult, Item, Unresolved, composite, text_of
from trailsieve.interchange.text import lower_first

_FILTER, _ALARM = "AWS::Logs::MetricFilter", "AWS::CloudWatch::Alarm"
_COMPOSITE = "AWS::CloudWatch::CompositeAlarm"
_ELSEWHERE = {
    "AWS::CloudFormation::Stack": "a nested stack: import its template as well",
    "AWS::CloudFormation::StackSet": "a stack set: import its template as well",
}
_SHORT = ("Ref", "Condition")  # all other short forms mean Fn::…


def read(path: Path, parameters: Mapping[str, str] = {}) -> ImportResult:
    """The metric filters and alarms of a template.

    Raises:
        UsageError: the file is not a CloudFormation template.
    """
    content = _content(path)
    resources = content.get("Resources") if isinstance(content, dict) else None
    if not isinstance(resources, dict):
        raise UsageError(f"{path}: no `Resources` in it; is it a CloudFormation template?")
    template, result = Template(content, parameters), ImportResult()
    for name, resource in resources.items():
        try:
            _take(result, template, f"{path}: {name}", name, resource)
        except UsageError as error:
            raise UsageError(f"{path}: {name}: {error}") from None
        except RecursionError:
            raise UsageError(f"{path}: {name}: nested too deeply") from None
    if "Transform" in content:
        result.unsupported.append(
            f"{path}: its macros are not run: {content['Transform']}; what they add is not seen"
        )
    return result


def _take(result: ImportResult, template: Template, origin: str, name: str, resource: Any) -> None:
    if name.startswith("Fn::ForEach"):
        result.unsupported.append(f"{origin}: loops are not expanded; import the processed template")
    if not isinstance(resource, dict):
        return
    kind = resource.get("Type")
    if kind in _ELSEWHERE:
        result.unsupported.append(f"{origin}: {_ELSEWHERE[kind]}")
    if kind not in (_FILTER, _ALARM, _COMPOSITE):
        return
    condition = resource.get("Condition")
    holds = template.holds(condition) if condition else True
    if holds is False:
        result.unsupported.append(f"{origin}: its condition {condition} is false, so it is not deployed")
        return
    properties = template.value(resource.get("Properties") or {})
    if not isinstance(properties, dict) or properties is NOTHING:
        raise UsageError("`Properties` must be a mapping")
    if isinstance(holds, Unresolved):
        result.unsupported.append(
            f"{origin}: taken, though condition {condition} depends on parameters: --parameter"
        )
    if kind == _FILTER:
        result.filters.append(Item(origin, _filter(name, properties)))
    elif kind == _ALARM:
        switch = properties.get("ActionsEnabled", True)  # templates may write it as a string
        enabled = switch == "true" if switch in ("true", "false") else switch
        result.alarms.append(Item(origin, {"AlarmName": name, **properties, "ActionsEnabled": enabled}))
    else:
        result.unsupported.append(
            composite(origin, properties.get("AlarmName", name), properties.get("AlarmRule"))
        )


def _filter(name: str, properties: Json) -> Json:
    """A metric filter with the field names of `describe-metric-filters`."""
    described = {"filterName": name, **_lower(properties)}
    given = described.get("metricTransformations") or []
    described["metricTransformations"] = [_transformation(one) for one in given if isinstance(one, dict)]
    return described


def _transformation(given: Json) -> Json:
    described = _lower(given)
    if isinstance(described.get("dimensions"), list):
        described["dimensions"] = {item.get("Key"): item.get("Value") for item in described["dimensions"]}
    return described


def _lower(table: Json) -> Json:
    return {lower_first(key): item for key, item in table.items()}


def _content(path: Path) -> Any:
    text = text_of(path)
    try:
        if text.lstrip().startswith("{"):
            return orjson.loads(text)
    except ValueError:
        pass  # YAML can start with a brace, too
    try:
        import yaml
    except ImportError:
        raise UsageError(
            f"{path}: YAML needs PyYAML: pip install 'trailsieve[import]'; or convert it to JSON"
        ) from None
    try:
        return yaml.load(text, _loader(yaml))  # noqa: S506  # a SafeLoader with CloudFormation's tags
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as YAML: {error}") from None


def _loader(yaml: Any) -> Any:
    """A safe loader that reads `!Sub x` as `{"Fn::Sub": x}` and dates as strings."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]
        pass

    def construct(loader: Any, suffix: str, node: Any) -> Any:
        if isinstance(node, yaml.ScalarNode):
            content = loader.construct_scalar(node)
        elif isinstance(node, yaml.SequenceNode):
            content = loader.construct_sequence(node, deep=True)
        else:
            content = loader.construct_mapping(node, deep=True)
        return {suffix if suffix in _SHORT else f"Fn::{suffix}": content}

    Loader.add_multi_constructor("!", construct)
    Loader.add_constructor("tag:yaml.org,2002:timestamp", yaml.SafeLoader.construct_yaml_str)
    return Loader
