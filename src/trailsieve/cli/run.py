"""`trailsieve run`: the service."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import closing
from typing import Any

import click

from trailsieve.app import build
from trailsieve.app.load import load_config
from trailsieve.cli.idle import Idle
from trailsieve.cli.options import Screen, Size, global_options, screen
from trailsieve.cli.standard_streams import lost_messages, messages_are_lost
from trailsieve.cli.thread_deaths import ThreadDeaths
from trailsieve.engine.delivery import StoppedError
from trailsieve.engine.pipeline import Pipeline
from trailsieve.errors import OtherSourceError, SourceError, counted
from trailsieve.ports import RunContext

_EXAMPLES = """\b
Examples:
  trailsieve run trailsieve.toml
  trailsieve config check --connect trailsieve.toml      before the first run
  trailsieve run --replay-dead-letters trailsieve.toml   after the cause is fixed
"""
_OTHER_SOURCE = """\
If [source] is wrong, correct it. For a second source, set another path in [checkpoint]. Otherwise:
  trailsieve config accept-source {0}                   forgets the positions: reading starts as [source] says
  trailsieve config accept-source --keep-positions {0}  the same data has moved: reading continues"""
_REPORT_EVERY = 60.0  # seconds


@click.command("run", epilog=_EXAMPLES)
@click.argument("config", metavar="CONFIG.toml", type=click.Path(dir_okay=False))
@click.option(
    "--replay-dead-letters",
    is_flag=True,
    help="Process the dead letters instead of the source; what still cannot be read stays there.",
)
@click.option(
    "--until-idle",
    is_flag=True,
    help="Stop when alarms are evaluated and no record has arrived for 10 seconds: for scheduled jobs.",
)
@global_options
def command(config: str, replay_dead_letters: bool, until_idle: bool) -> int:
    """Run rules over a source continuously and deliver the alerts, as configured in CONFIG.toml.

    SIGTERM and Ctrl-C stop it gracefully: everything that was read is delivered and committed first. After
    a crash it resumes from the checkpoint: no alert is lost, and one that is raised twice keeps its id.
    The exit code is not 0 if anything ended it, such as a reader of standard output that went away.
    """
    shown = screen()
    loaded = load_config(config)
    stop = _Stop()
    gauges: dict[str, float] = {}
    context = RunContext(shown.info, Size().convert(loaded.max_object_size, None, None), gauges.__setitem__)
    service = build.service(loaded, context, stop, shown.problem, dead_letters_only=replay_dead_letters)
    if until_idle:
        stop.idle = Idle(service.pipeline, shown.info)
    reporter = _StatusReporter(service.pipeline, shown, gauges)
    shown.info(
        f"running {counted(len(loaded.rules), 'rule pack')} over {loaded.source.kind}; Ctrl-C stops it"
    )
    try:
        service.pipeline.run()
    except StoppedError as stopped:
        shown.info(f"stopped while {stopped}: what was not committed will be read again")
        return 3
    except OtherSourceError as error:
        raise SourceError(f"{error}\n{_OTHER_SOURCE.format(config)}") from None
    except BrokenPipeError as error:  # `main` would take it for a reader of standard output that has enough
        raise SourceError(f"a connection broke: {error}") from error
    finally:
        with closing(reporter):
            service.close()
    stop.deaths.check()
    return 3 if messages_are_lost() else 0


class _Stop:
    """True after a signal, or when the run is idle.

    Calls raise ThreadError once a thread has died.
    """

    def __init__(self) -> None:
        self.idle: Callable[[], bool] = lambda: False
        self.deaths = ThreadDeaths()
        self._asked = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: Any) -> None:
        if self._asked.is_set():
            sys.exit(130)  # a second one means now
        self._asked.set()

    def __call__(self) -> bool:
        self.deaths.check()
        return self._asked.is_set() or self.idle()


class _StatusReporter:
    """Reports the counts of a run once a minute, from a thread that only reads them."""

    def __init__(self, pipeline: Pipeline, shown: Screen, gauges: dict[str, float]) -> None:
        self._pipeline = pipeline
        self._shown = shown
        self._gauges = gauges
        self._reported = time.monotonic()
        self._ended = threading.Event()
        threading.Thread(target=self._run, name="status", daemon=True).start()

    def _run(self) -> None:
        while not self._ended.wait(0.5):
            if time.monotonic() - self._reported > _REPORT_EVERY:
                self.report()

    def close(self) -> None:
        """Ends the thread after a last report."""
        self._ended.set()
        self.report()

    def report(self) -> None:
        """Prints one line of counts."""
        self._reported = time.monotonic()
        stats = self._pipeline.stats
        counts = {
            "records": stats.records,
            "alerts": sum(counts.alerts for counts in list(stats.rules.values())),
            **stats.early,
            "duplicates": stats.duplicates,
            "unreadable": stats.unreadable,
            "control_messages": stats.control_messages,
        }
        if lost := lost_messages():
            counts["lost_messages"] = lost
        gauges = dict(sorted(self._gauges.copy().items()))
        figures = [f"{count:,} {name}" for name, count in counts.items()]
        figures += [f"{name} {value:,.6g}" for name, value in gauges.items()]
        self._shown.info(", ".join(figures).replace("_", " "), **counts, **gauges)
