"""Metric filters and alarms of an account, from saved `describe-*` output or from AWS."""

from __future__ import annotations

from pathlib import Path

from trailsieve.cloudwatch.describe import OPERATIONS, describe
from trailsieve.cloudwatch.snapshot import Json, load
from trailsieve.errors import SourceError, UsageError
from trailsieve.interchange.importers.model import ImportResult, Item, composite, json_of
from trailsieve.wire.aws import AwsConfig, client, explained

_LISTS = ("metricFilters", "MetricAlarms", "CompositeAlarms")


def read(path: Path) -> ImportResult:
    """The metric filters and alarms in saved output, or in a folder that `trailsieve audit aws --save` wrote.

    Raises:
        UsageError: the file holds neither metric filters nor alarms.
    """
    if path.is_dir():
        result = ImportResult()
        for call, response in load(path).responses.items():
            result.add(_found(f"{path / call.path}", response.content))
        return result
    content = json_of(path)
    if not isinstance(content, dict) or not any(isinstance(content.get(key), list) for key in _LISTS):
        raise UsageError(
            f"{path}: neither `metricFilters` nor `MetricAlarms` in it; save what "
            "`aws logs describe-metric-filters` and `aws cloudwatch describe-alarms` print as JSON"
        )
    return _found(str(path), content)


def fetch(config: AwsConfig) -> ImportResult:
    """The metric filters and alarms of one region, from two read-only calls.

    Raises:
        SourceError: AWS cannot be reached, or denies a call.
    """
    content: Json = {}
    for name in ("describe-metric-filters", "describe-alarms"):
        operation = OPERATIONS[name]
        with explained(f"cannot read from the account ({operation.action})", SourceError):
            content |= describe(client(operation.service, config), operation)
    return _found(config.region or config.profile or "account", content)


def _found(origin: str, content: Json) -> ImportResult:
    filters, alarms, composites = (
        [item for item in content.get(key) or [] if isinstance(item, dict)] for key in _LISTS
    )
    return ImportResult(
        [Item(origin, item) for item in filters],
        [Item(origin, item) for item in alarms],
        [composite(origin, item.get("AlarmName"), item.get("AlarmRule")) for item in composites],
    )
