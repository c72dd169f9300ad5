"""`trailsieve parity`: what CloudWatch would have done, against what the rules do."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from trailsieve.cli.options import global_options, max_object_size, screen
from trailsieve.cli.tune import Archive
from trailsieve.errors import UsageError, visible, visible_lines

if TYPE_CHECKING:
    from trailsieve.analysis.alarm_history import Compared
    from trailsieve.analysis.parity import Difference, Parity, Span
    from trailsieve.rules.rule import Rule

_EXAMPLES = """\b
Examples:
  trailsieve parity samples/rules/alarms.toml --over samples/archive
  trailsieve parity cis-aws --over samples/archive --since 2026-03-14 --format json
"""
_SHOWN = 10  # differences of a rule


@click.command("parity", epilog=_EXAMPLES)
@click.argument("packs", metavar="RULES...", nargs=-1, required=True)
@click.option(
    "--over",
    "inputs",
    metavar="ARCHIVE",
    multiple=True,
    required=True,
    help="Files or folders; may be repeated.",
)
@click.option(
    "--cloudwatch",
    "states",
    metavar="STATE.json",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What describe-metric-filters, describe-alarms or describe-alarm-history printed; may be repeated.",
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
    "patience",
    metavar="SECONDS",
    type=click.IntRange(0),
    default=1800,
    show_default=True,
    help="How far a real change of state may lie from a computed one to be the same.",
)
@click.option("--since", metavar="TIME", help="Events from this time on: ISO 8601, or 24h, 7d before now.")
@click.option("--until", metavar="TIME", help="Events before this time.")
@max_object_size
@global_options
def command(
    packs: tuple[str, ...],
    inputs: tuple[str, ...],
    states: tuple[Path, ...],
    shape: str,
    patience: int,
    **options: Any,
) -> int:
    """Compare RULES with what CloudWatch would have done over an archive, minute by minute.

    Each rule runs beside the metric filter and alarm that it would be in CloudWatch, or that --cloudwatch
    says it is. Where only one of them is in ALARM, the reason is found by trying what differs one by one.
    With an alarm history, what AWS's own alarm did is set beside it. A real alarm also depends on when
    events reached CloudWatch, which an archive does not tell: here they count as if they came in time.

    Exit code 1 means that there are differences.
    """
    from trailsieve.analysis.alarm_history import compared, to_alarm
    from trailsieve.analysis.parity import parity

    rules = [rule for rule in _rules(packs) if rule.enabled]
    twins, history = _state(states)
    paired = _paired(rules, twins)
    found = parity(rules, paired, *Archive(inputs, **options).read())
    real = to_alarm(history)
    names = {item.rule.id: _alarm_name(item, real) for item in found}
    beside = {
        item.rule.id: compared(real[names[item.rule.id]], item.cloudwatch, patience)
        for item in found
        if names[item.rule.id] in real
    }
    if twins:
        for item in found:
            if item.rule.id not in paired:
                screen().say(f"{item.rule.id}: no filter and alarm of it in --cloudwatch; as the rule has it")
    if shape == "json":
        click.echo(json.dumps([_as_dict(item, beside.get(item.rule.id)) for item in found], indent=2))
    else:
        lines = [line for item in found for line in _lines(item, beside.get(item.rule.id))]
        click.echo(visible_lines("\n".join(lines)), color=True)
    apart = [item for item in beside.values() if item.real_only or item.computed_only]
    return int(any(item.differences for item in found) or bool(apart))


def _rules(packs: Sequence[str]) -> list[Rule]:
    from trailsieve.rules.load import load_pack
    from trailsieve.rules.rule import joined

    return joined(load_pack(pack) for pack in packs)


def _state(paths: Sequence[Path]) -> tuple[list[Rule], list[dict[str, Any]]]:
    """The rules that metric filters and alarms come to, and the items of histories."""
    from tempfile import TemporaryDirectory

    from trailsieve.interchange.importers.cloudwatch import read
    from trailsieve.interchange.importers.metric_filters import rule_drafts
    from trailsieve.interchange.importers.model import ImportResult, text_of
    from trailsieve.interchange.importers.rule_file import rule_file
    from trailsieve.rules.load import load_pack

    result, history = ImportResult(), []
    for path in paths:
        try:
            content = json.loads(text_of(path))
        except (ValueError, RecursionError) as error:
            raise UsageError(f"{path}: cannot be read as JSON: {error}") from None
        items = content.get("AlarmHistoryItems") if isinstance(content, dict) else None
        if isinstance(items, list):
            history += [item for item in items if isinstance(item, dict)]
        if not isinstance(items, list) or "metricFilters" in content or "MetricAlarms" in content:
            result.add(read(path))
    made = rule_drafts(result)
    if not any(not draft.broken for draft in made):
        return [], history
    with TemporaryDirectory() as folder:
        file = Path(folder) / "cloudwatch.toml"
        file.write_text(rule_file(made, (), "--cloudwatch"), "utf-8")
        return list(load_pack(file).rules), history


def _paired(rules: Sequence[Rule], twins: Sequence[Rule]) -> dict[str, Rule]:
    """By rule id, its filter and alarm in CloudWatch: of the same id, else of the same pattern."""
    by_id = {twin.id: twin for twin in twins if twin.alarm}
    by_pattern = {twin.pattern.text: twin for twin in twins if twin.alarm}
    pairs = {rule.id: by_id.get(rule.id) or by_pattern.get(rule.pattern.text) for rule in rules}
    return {name: twin for name, twin in pairs.items() if twin}


def _alarm_name(item: Parity, real: dict[str, list[int]]) -> str:
    return next((name for name in (item.rule.id, item.twin.id, item.twin.title) if name in real), "")


# --- output ---


def _lines(item: Parity, beside: Compared | None) -> Iterator[str]:
    from trailsieve.analysis.parity import minutes

    both = minutes(item.own) - minutes([d.span for d in item.differences if d.only == "rule"])
    same = "" if item.differences else "  the same in every minute"
    yield f"{visible(item.rule.id)}{same}"
    yield f"  minutes in ALARM  CloudWatch {minutes(item.cloudwatch)}, rule {minutes(item.own)}, both {both}"
    yield f"  told              CloudWatch {item.told[0]}, rule {item.told[1]}"
    for difference in item.differences[:_SHOWN]:
        yield from _difference(difference)
    if len(item.differences) > _SHOWN:
        yield f"  … and {len(item.differences) - _SHOWN} more differences"
    if beside:
        yield from _beside(beside)
    yield ""


def _difference(difference: Difference) -> Iterator[str]:
    said = f": {difference.sentence}" if difference.sentence else ""
    yield f"  {_span(difference.span)}  {difference.only} only{said}"
    for reason in difference.reasons:
        yield f"      {reason}"


def _beside(found: Compared) -> Iterator[str]:
    from trailsieve.times import rfc3339

    total = len(found.met) + len(found.real_only)
    yield f"  history           {len(found.met)} of {total} real alarms computed"
    for real, computed in found.met:
        when = "after" if real >= computed else "before"
        yield f"  {rfc3339(real)}  {abs(real - computed)} seconds {when} computed"
    for moment in found.real_only:
        yield f"  {rfc3339(moment)}  history only: no such events in the archive, or another definition ran"
    for moment in found.computed_only:
        yield f"  {rfc3339(moment)}  computed only: its events came late, or another definition ran"


def _span(span: Span) -> str:
    from trailsieve.times import rfc3339

    return f"{rfc3339(span[0])} to {rfc3339(span[1])}" if span[0] else f"until {rfc3339(span[1])}"


def _as_dict(item: Parity, beside: Compared | None) -> dict[str, Any]:
    from trailsieve.analysis.parity import minutes
    from trailsieve.times import rfc3339

    def spans(found: Sequence[Span]) -> list[dict[str, str]]:
        return [{"start": rfc3339(start), "end": rfc3339(end)} for start, end in found]

    shown: dict[str, Any] = {
        "rule": item.rule.id,
        "cloudwatch": {
            "minutes": minutes(item.cloudwatch),
            "told": item.told[0],
            "alarm": spans(item.cloudwatch),
        },
        "own": {"minutes": minutes(item.own), "told": item.told[1], "alarm": spans(item.own)},
        "differences": [
            {
                "only": found.only,
                **spans([found.span])[0],
                "reasons": found.reasons,
                "summary": found.sentence,
            }
            for found in item.differences
        ],
    }
    if beside:
        shown["history"] = {
            "met": [{"real": rfc3339(real), "computed": rfc3339(computed)} for real, computed in beside.met],
            "real_only": list(map(rfc3339, beside.real_only)),
            "computed_only": list(map(rfc3339, beside.computed_only)),
        }
    return shown
