"""`trailsieve parity`: what CloudWatch would have done, compared with what the rules do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from trailsieve.analysis.alarm_history import HistoryComparison, compare, to_alarm
from trailsieve.analysis.parity import Difference, Parity, Span, minutes, parity
from trailsieve.analysis.simulation import Archive
from trailsieve.cli.inputs import over, time_range
from trailsieve.cli.json_output import print_json
from trailsieve.cli.options import global_options, max_object_size, screen
from trailsieve.errors import counted, visible, visible_lines
from trailsieve.interchange.exporters.model import NO_SEQUENCE
from trailsieve.interchange.importers.cloudwatch import read
from trailsieve.interchange.importers.metric_filters import rule_drafts
from trailsieve.interchange.importers.model import ImportResult, json_of
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Rule, joined
from trailsieve.times import rfc3339
from trailsieve.trail.selection import Selection

_EXAMPLES = """\b
Examples:
  trailsieve parity samples/rules/alarms.toml --over samples/archive
  trailsieve parity cis-aws --over samples/archive --since 2026-03-14 --format json
"""
_SHOWN = 10  # differences of a rule


@click.command("parity", epilog=_EXAMPLES)
@click.argument("packs", metavar="RULES...", nargs=-1, required=True)
@over
@click.option(
    "--cloudwatch",
    "states",
    metavar="STATE.json",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Output of describe-metric-filters, describe-alarms or describe-alarm-history; may be repeated.",
)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="For people or for programs.",
)
@click.option(
    "--within",
    "tolerance",
    metavar="SECONDS",
    type=click.IntRange(0),
    default=1800,
    show_default=True,
    help="How far apart a real and a computed change of state may be to count as the same.",
)
@time_range
@max_object_size
@global_options
def command(
    packs: tuple[str, ...],
    inputs: tuple[str, ...],
    states: tuple[Path, ...],
    shape: str,
    tolerance: int,
    max_object_size: int,
    **times: Any,
) -> int:
    """Compare RULES with what CloudWatch would have done over an archive, minute by minute.

    Each rule runs beside the metric filter and alarm that it would be in CloudWatch, or that it is according
    to --cloudwatch. Where only one of them is in ALARM, trying the differing settings one by one finds the
    reason. An alarm history adds what AWS's own alarm did. A real alarm also depends on when events reached
    CloudWatch, which an archive does not tell: here events count as if they had arrived in time.

    Exit code 1 means that there are differences.
    """
    rules = [rule for rule in _rules(packs) if rule.enabled]
    configured, history = _state(states)
    counterparts = _paired(rules, configured)
    archive = Archive.open(inputs, Selection.parse(**times), max_object_size)
    found = parity(rules, counterparts, archive, screen().problem)
    real = to_alarm(history)
    histories = {
        item.rule.id: compare(real[name], item.cloudwatch, tolerance)
        for item in found
        if (name := _alarm_name(item, real))
    }
    for rule in (item.rule.id for item in found if configured and item.rule.id not in counterparts):
        screen().info(f"{rule}: --cloudwatch has no filter and alarm for it; derived from the rule")
    if shape == "json":
        print_json([_as_dict(item, histories.get(item.rule.id)) for item in found])
    else:
        lines = [line for item in found for line in _lines(item, histories.get(item.rule.id))]
        click.echo(visible_lines("\n".join(lines)), color=True)
    apart = [item for item in histories.values() if item.real_only or item.computed_only]
    return int(any(item.differences for item in found) or bool(apart))


def _rules(packs: Sequence[str]) -> list[Rule]:
    rules = joined(load_pack(pack) for pack in packs)
    for rule in rules:
        if rule.sequence:
            screen().info(f"{rule.id}: not compared: {NO_SEQUENCE}")
    return [rule for rule in rules if not rule.sequence]


def _state(paths: Sequence[Path]) -> tuple[list[Rule], list[dict[str, Any]]]:
    """Metric filters and alarms as rules, and the items of alarm histories."""
    result, history = ImportResult(), []
    for path in paths:
        content = json_of(path)
        items = content.get("AlarmHistoryItems") if isinstance(content, dict) else None
        if isinstance(items, list):
            history += [item for item in items if isinstance(item, dict)]
        if not isinstance(items, list) or "metricFilters" in content or "MetricAlarms" in content:
            result.add(read(path))
    return [draft.to_rule() for draft in rule_drafts(result) if not draft.broken], history


def _paired(rules: Sequence[Rule], configured: Sequence[Rule]) -> dict[str, Rule]:
    """By rule id, its filter and alarm in CloudWatch: with the same id, else with the same pattern."""
    by_id = {other.id: other for other in configured if other.alarm}
    by_pattern = {other.pattern.text: other for other in configured if other.alarm}
    pairs = {rule.id: by_id.get(rule.id) or by_pattern.get(rule.pattern.text) for rule in rules}
    return {name: other for name, other in pairs.items() if other}


def _alarm_name(item: Parity, real: dict[str, list[int]]) -> str:
    names = (item.rule.id, item.counterpart.id, item.counterpart.title)
    return next((name for name in names if name in real), "")


# --- output ---


def _lines(item: Parity, history: HistoryComparison | None) -> Iterator[str]:
    both = minutes(item.own) - minutes([d.span for d in item.differences if d.only == "rule"])
    same = "" if item.differences else "  the same in every minute"
    cloudwatch, own = item.notifications
    yield f"{visible(item.rule.id)}{same}"
    yield f"  minutes in ALARM  CloudWatch {minutes(item.cloudwatch)}, rule {minutes(item.own)}, both {both}"
    yield f"  notifications     CloudWatch {cloudwatch}, rule {own}"
    for difference in item.differences[:_SHOWN]:
        yield from _difference(difference)
    if len(item.differences) > _SHOWN:
        yield f"  … and {counted(len(item.differences) - _SHOWN, 'more difference')}"
    if history:
        yield from _history(history)
    yield ""


def _difference(difference: Difference) -> Iterator[str]:
    sentence = f": {difference.sentence}" if difference.sentence else ""
    yield f"  {_span(difference.span)}  {difference.only} only{sentence}"
    for reason in difference.reasons:
        yield f"      {reason}"


def _history(found: HistoryComparison) -> Iterator[str]:
    total = len(found.matched) + len(found.real_only)
    yield f"  history           {len(found.matched)} of {total} real alarms were computed"
    for real, computed in found.matched:
        when = "after" if real >= computed else "before"
        yield f"  {rfc3339(real)}  {abs(real - computed)} seconds {when} the computed alarm"
    for moment in found.real_only:
        yield f"  {rfc3339(moment)}  history only: events missing in the archive, or another definition"
    for moment in found.computed_only:
        yield f"  {rfc3339(moment)}  computed only: events arrived late, or another definition"


def _span(span: Span) -> str:
    return f"{rfc3339(span[0])} to {rfc3339(span[1])}"


def _as_dict(item: Parity, history: HistoryComparison | None) -> dict[str, Any]:

    def spans(found: Sequence[Span]) -> list[dict[str, str]]:
        return [{"start": rfc3339(start), "end": rfc3339(end)} for start, end in found]

    def side(found: Sequence[Span], notifications: int) -> dict[str, Any]:
        return {"minutes": minutes(found), "notifications": notifications, "alarm": spans(found)}

    cloudwatch, own = item.notifications
    shown: dict[str, Any] = {
        "rule": item.rule.id,
        "cloudwatch": side(item.cloudwatch, cloudwatch),
        "own": side(item.own, own),
        "differences": [
            {"only": one.only, **spans([one.span])[0], "reasons": one.reasons, "summary": one.sentence}
            for one in item.differences
        ],
    }
    if history:
        both = (map(rfc3339, pair) for pair in history.matched)
        shown["history"] = {
            "matched": [{"real": real, "computed": computed} for real, computed in both],
            "real_only": list(map(rfc3339, history.real_only)),
            "computed_only": list(map(rfc3339, history.computed_only)),
        }
    return shown
