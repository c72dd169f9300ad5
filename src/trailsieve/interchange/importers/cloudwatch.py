"""Metric filters and alarms of `describe-*` answers: saved files, or a live account."""

from __future__ import annotations

import json
from pathlib import Path

from trailsieve.cloudwatch.snapshot import Json, load
from trailsieve.errors import SourceError, UsageError
from trailsieve.interchange.importers.model import ImportResult, Item, composite, text_of
from trailsieve.wire.aws import AwsConfig, client, explained

_LISTS = ("metricFilters", "MetricAlarms", "CompositeAlarms")


def read(path: Path) -> ImportResult:
    """What a saved answer holds, or a folder that `trailsieve audit aws --save` wrote.

    Raises:
        UsageError: the file holds no such answer.
    """
    if path.is_dir():
        result = ImportResult()
        for question, answer in load(path).answers.items():
            result.add(_found(f"{path / question.path}", answer.content))
        return result
    try:
        content = json.loads(text_of(path))
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(content, dict) or not any(isinstance(content.get(key), list) for key in _LISTS):
        raise UsageError(
            f"{path}: neither `metricFilters` nor `MetricAlarms` in it; save what "
            "`aws logs describe-metric-filters` and `aws cloudwatch describe-alarms` print as JSON"
        )
    return _found(str(path), content)


def ask(config: AwsConfig) -> ImportResult:
    """The metric filters and alarms of one region of a live account; two calls, read-only.

    Raises:
        SourceError: AWS cannot be asked, or refuses.
    """
    content: Json = {}
    calls: tuple[tuple[str, str, str, Json], ...] = (
        ("logs", "describe_metric_filters", "logs:DescribeMetricFilters", {}),
        ("cloudwatch", "describe_alarms", "cloudwatch:DescribeAlarms", {"AlarmTypes": _TYPES}),
    )
    for service, operation, action, parameters in calls:
        with explained(f"this account cannot be asked ({action})", SourceError):
            pages = client(service, config).get_paginator(operation).paginate(**parameters)
            for page in pages:
                for key in _LISTS:
                    content.setdefault(key, []).extend(page.get(key, []))
    return _found(config.region or config.profile or "account", content)


_TYPES = ["MetricAlarm", "CompositeAlarm"]


def _found(origin: str, content: Json) -> ImportResult:
    filters, alarms, composites = (
        [item for item in content.get(key) or [] if isinstance(item, dict)] for key in _LISTS
    )
    return ImportResult(
        [Item(origin, item) for item in filters],
        [Item(origin, item) for item in alarms],
        [composite(origin, item.get("AlarmName"), item.get("AlarmRule")) for item in composites],
    )
