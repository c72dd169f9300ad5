"""The events that options select, one a line, by event time: a table, CSV, or their exact original text."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial

from trailsieve.app.build import replay
from trailsieve.cli.alert_output import FittedTableSink, Output, with_header
from trailsieve.cli.archive import nothing_to_read, open_archive
from trailsieve.cli.events import Events, for_a_terminal, one_line
from trailsieve.cli.options import Screen
from trailsieve.engine.stats import RunStats
from trailsieve.engine.wanted import Wanted
from trailsieve.errors import counted, visible
from trailsieve.formats.csv import Csv
from trailsieve.formats.named_columns import NamedColumn, named_columns
from trailsieve.model import Alert
from trailsieve.sinks.stream import StreamSink

_TABLE = ("time", "event", "target", "principal", "ip", "region", "error")
_CSV = (
    *("time", "event", "source", "target", "effect", "principal", "access_key", "ip", "agent"),
    *("region", "account", "error", "id"),
)


def list_events(
    inputs: Sequence[str],
    wanted: Wanted,
    output: Output,
    shown: Screen,
    *,
    max_object_size: int,
    workers: int | None = None,
) -> int:
    """Prints the selected events of an archive, each once; returns how many.

    Raises:
        UsageError: an input does not exist, or the format has no columns to choose.
    """
    rule, rest = wanted.as_rule()
    with ExitStack() as stack:
        archive = open_archive(inputs, wanted.selection, max_object_size, workers, shown, stack)
        pipeline = replay(
            [rule],
            archive.source,
            [_sink(output, shown, stack)],
            archive.context,
            [shown.problem],
            archive.stats,
            archive.workers,
            wanted=rest,
        )
        with archive.progress:
            pipeline.run()
    stats = archive.stats
    found = stats.rules[rule.id].alerts if rule.id in stats.rules else 0
    if not stats.files:
        shown.info(nothing_to_read(inputs, stats))
    elif not found and wanted.narrows:
        Events(inputs, max_object_size, shown, wanted).print_why_nothing(stats.records)
    else:
        _summarize(found, stats, shown)
    return found


def _sink(output: Output, shown: Screen, stack: ExitStack) -> StreamSink:
    _columns(output, ())  # before a file is opened
    stream, form = output.open(stack)
    encode: Callable[[Alert], bytes]
    if form == "csv":
        encode = with_header(Csv(_columns(output, _CSV)), stream)
    elif form == "table":
        table = output.fitted_table(_columns(output, _TABLE), stream)
        return stack.enter_context(FittedTableSink(stream, table))
    else:
        encode = partial(_record, for_a_terminal if stream.isatty() else one_line)
    return output.sink(stream, encode, shown, stack, in_time=True)


def _columns(output: Output, usual: Sequence[str]) -> list[NamedColumn]:
    """The columns of events: those of an alert, but `id` is the event's."""
    (event_id,) = named_columns(["event_id"])
    return output.columns_of(usual, {"id": replace(event_id, name="id")})


def _record(finish: Callable[[bytes], bytes], alert: Alert) -> bytes:
    return finish(alert.records[0])


def _summarize(found: int, stats: RunStats, shown: Screen) -> None:
    skipped = "".join(
        f" · skipped: {count:,} × {visible(reason)}" for reason, count in sorted(stats.skipped.items())
    )
    doubled = f" · {counted(stats.duplicates, 'duplicate')} not shown again" if stats.duplicates else ""
    shown.info(
        f"{found:,} of {counted(stats.records, 'event')} in {counted(stats.files, 'file')}{doubled}{skipped}"
    )
