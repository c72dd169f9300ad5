"""Metric filters and alarms of Terraform, from the JSON of a plan or state or from HCL files.

`terraform show -json PLAN` holds every value; HCL files are evaluated without Terraform (`hcl`). Both give
resources with the provider's argument names.
Source: registry.terraform.io/providers/hashicorp/aws/latest/docs/resources/cloudwatch_metric_alarm and
developer.hashicorp.com/terraform/internals/json-format
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from trailsieve.cloudwatch.snapshot import Json
from trailsieve.errors import UsageError
from trailsieve.interchange.importers.hcl import resources
from trailsieve.interchange.importers.model import (
    ALARM,
    COMPOSITE,
    FILTER,
    ImportResult,
    Item,
    Resource,
    Unresolved,
    composite,
    json_of,
)
from trailsieve.interchange.text import lower_first, upper_first

_OF_FILTER = {"name": "filterName", "pattern": "filterPattern"}
_OF_TRANSFORMATION = {"name": "metricName", "namespace": "metricNamespace", "value": "metricValue"}
_OF_ALARM = {
    "ok_actions": "OKActions",
    "alarm_name": "AlarmName",
    "evaluate_low_sample_count_percentiles": "EvaluateLowSampleCountPercentile",
    "metric_query": "Metrics",
}
_LEFT_OUT = {"id", "arn", "tags", "tags_all", "region", "provider", "lifecycle", "depends_on"}
_LEFT_OUT |= {"count", "for_each", "timeouts"}
_INDEX = re.compile(r"\[[^\]]*\]")


def read(path: Path, variables: Mapping[str, str] = {}) -> ImportResult:
    """The metric filters and alarms of a plan, a state, a `.tf` file, or all `.tf` files of a folder.

    Raises:
        UsageError: the file is none of these.
    """
    if path.is_dir() or path.suffix == ".tf":
        given, unsupported = resources(path, variables)
    else:
        given, unsupported = _planned(path), []
    result = ImportResult(unsupported=[f"{path}: {text}" for text in unsupported])
    for address, kind, every in given:
        origin = f"{path}: {address}"
        values = {key: value for key, value in every.items() if key not in _LEFT_OUT}
        if kind == FILTER:
            result.filters.append(Item(origin, _filter(address, values)))
        elif kind == ALARM:
            result.alarms.append(Item(origin, _alarm(address, values)))
        elif kind == COMPOSITE:
            result.unsupported.append(composite(origin, values.get("alarm_name"), values.get("alarm_rule")))
    return result


def _filter(address: str, values: Json) -> Json:
    described = {_OF_FILTER.get(key, _camel(key)): value for key, value in values.items()}
    described.setdefault("filterName", address)
    given = described.pop("metricTransformation", None) or []
    described["metricTransformations"] = [
        {
            _OF_TRANSFORMATION.get(key, _camel(key)): "" if value is None else value
            for key, value in one.items()
        }
        for one in (given if isinstance(given, list) else [given])
        if isinstance(one, dict)
    ]
    return described


def _alarm(address: str, values: Json) -> Json:
    described = {_OF_ALARM.get(key, _pascal(key)): value for key, value in values.items()}
    described.setdefault("AlarmName", address)
    if isinstance(described.get("Dimensions"), dict):
        described["Dimensions"] = _dimensions(described["Dimensions"])
    described["Metrics"] = [_query(query) for query in described.get("Metrics") or []]
    return described


def _query(query: Json) -> Json:
    """A block `metric_query` with the field names of AWS's API."""
    described = {_pascal(key): value for key, value in query.items() if key != "metric" and value is not None}
    for metric in query.get("metric") or []:
        own = {_pascal(key): metric.get(key) for key in ("namespace", "metric_name")}
        own["Dimensions"] = _dimensions(metric.get("dimensions") or {})
        stat = {_pascal(key): metric.get(key) for key in ("period", "stat", "unit")}
        described["MetricStat"] = {"Metric": own, **stat}
    return described


def _dimensions(given: Json) -> list[Json]:
    return [{"Name": name, "Value": value} for name, value in given.items()]


def _camel(name: str) -> str:
    return lower_first(_pascal(name))


def _pascal(name: str) -> str:
    return "".join(map(upper_first, name.split("_")))


# --- plans ---


def _planned(path: Path) -> list[Resource]:
    content = json_of(path)
    root = content if isinstance(content, dict) else {}
    values = root.get("planned_values") or root.get("values") or {}
    if "root_module" not in values:
        raise UsageError(
            f"{path}: this is not a plan; write one with `terraform plan -out p && terraform show -json p`"
        )
    references = dict(_references((root.get("configuration") or {}).get("root_module") or {}, ""))
    late = {
        change["address"]: change.get("change", {}).get("after_unknown") or {}
        for change in root.get("resource_changes") or []
    }
    found = []
    for resource in _resources(values["root_module"]):
        address = resource["address"]
        given, expressions = resource.get("values") or {}, references.get(_INDEX.sub("", address), {})
        if resource.get("mode") != "data":
            completed = _completed(given, late.get(address, {}), expressions)
            found.append(Resource(address, resource["type"], completed))
    return found


def _resources(module: Json) -> Iterator[Json]:
    yield from module.get("resources") or []
    for child in module.get("child_modules") or []:
        yield from _resources(child)


def _references(module: Json, prefix: str) -> Iterator[tuple[str, Json]]:
    """The address of each resource with its expressions."""
    for resource in module.get("resources") or []:
        yield prefix + resource["address"], resource.get("expressions") or {}
    for name, call in (module.get("module_calls") or {}).items():
        yield from _references(call.get("module") or {}, f"{prefix}module.{name}.")


def _completed(values: Json, late: Any, expressions: Json) -> Json:
    """The values, with the expressions of those that are known only after deployment."""
    known = dict(values)
    for key, unknown in late.items() if isinstance(late, dict) else ():
        if not unknown or key in _LEFT_OUT:
            continue
        given = expressions.get(key)
        names = given.get("references") or [] if isinstance(given, dict) else []
        written = Unresolved(f"${{{names[0]}}}" if names else "(known after apply)")
        if isinstance(unknown, list) or key.endswith("_actions"):
            known[key] = _filled(known.get(key), unknown, written)
        elif unknown is True:
            known[key] = written
    return known


def _filled(values: Any, unknown: Any, written: Unresolved) -> list[Any]:
    """The list, with `written` for items or parts of items that are known only after deployment."""
    if not isinstance(unknown, list):
        return [written]
    given = values if isinstance(values, list) else []
    filled: list[Any] = []
    for place, late in enumerate(unknown):
        value = given[place] if place < len(given) else None
        if isinstance(late, dict) and isinstance(value, dict):
            value = {**value, **{key: written for key, is_late in late.items() if is_late is True}}
        filled.append(written if late is True else value)
    return [value for value in filled if value is not None]
