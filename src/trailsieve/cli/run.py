"""`trailsieve run`: the service."""

from __future__ import annotations

import signal
import sys
import threading
import time
from typing import Any

import click

from trailsieve.cli.options import Screen, Size, global_options, screen

_EXAMPLES = """\b
Examples:
  trailsieve run trailsieve.toml
  trailsieve config check --connect trailsieve.toml      before the first run
  trailsieve run --replay-dead-letters trailsieve.toml   after what was wrong is mended
"""
_REPORT_EVERY = 60.0  # seconds


@click.command("run", epilog=_EXAMPLES)
@click.argument("config", metavar="CONFIG.toml", type=click.Path(dir_okay=False))
@click.option(
    "--replay-dead-letters",
    is_flag=True,
    help="Work on the dead letters instead of the source; what still cannot be read stays there.",
)
@click.option(
    "--until-idle", is_flag=True, help="End when the source has been quiet for 10 seconds: for jobs."
)
@global_options
def command(config: str, replay_dead_letters: bool, until_idle: bool) -> int:
    """Read a source for ever, run rules over it and deliver the alerts: as CONFIG.toml says.

    SIGTERM and Ctrl-C end it gracefully: what was read is finished, delivered and committed first. After any
    other end it goes on where the checkpoint stands: nothing is lost, and what is raised twice has the same
    id.
    """
    from trailsieve.app.build import build
    from trailsieve.app.load import load_config
    from trailsieve.engine.delivery import StoppedError
    from trailsieve.ports import RunContext

    shown = screen()
    loaded, _ = load_config(config)
    stop = _Stop(idle_after=10.0 if until_idle else None)
    gauges: dict[str, float] = {}
    context = RunContext(shown.say, Size().convert(loaded.max_object_size, None, None), gauges.__setitem__)
    service = build(loaded, context, stop, shown.problem, dead_letters_only=replay_dead_letters)
    watch = _Watch(service.pipeline, shown, stop, gauges)
    shown.say(f"running {len(loaded.rules)} rule packs over {loaded.source.kind}; SIGTERM or Ctrl-C ends it")
    try:
        service.pipeline.run()
    except StoppedError:
        shown.say("stopped while a sink refused alerts: they were not committed and will be raised again")
        return 3
    finally:
        watch.close()
        service.close()
    return 0


class _Stop:
    """True once a signal came, or once the source was idle for long enough."""

    def __init__(self, idle_after: float | None) -> None:
        self._asked = threading.Event()
        self._idle_after = idle_after
        self.last_busy = time.monotonic()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._on_signal)

    def _on_signal(self, number: int, frame: Any) -> None:
        if self._asked.is_set():
            sys.exit(130)  # a second one means now
        self._asked.set()

    def __call__(self) -> bool:
        idle = self._idle_after is not None and time.monotonic() - self.last_busy > self._idle_after
        return idle or self._asked.is_set()


class _Watch:
    """Says now and then how the run goes: a thread that only reads counts."""

    def __init__(self, pipeline: Any, shown: Screen, stop: _Stop, gauges: dict[str, float]) -> None:
        self._pipeline = pipeline
        self._shown = shown
        self._stop = stop
        self._gauges = gauges
        self._before = 0
        self._said = time.monotonic()
        self._ended = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while not self._ended.wait(0.5):
            records = self._pipeline.summary.records
            if records != self._before:
                self._before = records
                self._stop.last_busy = time.monotonic()
            if time.monotonic() - self._said > _REPORT_EVERY:
                self.say()

    def close(self) -> None:
        """The last line."""
        self._ended.set()
        self.say()

    def say(self) -> None:
        """One line of counts."""
        self._said = time.monotonic()
        summary = self._pipeline.summary
        alerts = sum(counts.alerts for counts in list(summary.rules.values()))
        gauges = dict(sorted(self._gauges.items()))
        shown = "".join(f", {name.replace('_', ' ')} {value:,.6g}" for name, value in gauges.items())
        self._shown.say(
            f"{summary.records:,} records, {alerts:,} alerts, {summary.repeated:,} again, "
            f"{summary.unread:,} unread, {summary.notices:,} notices{shown}",
            records=summary.records,
            alerts=alerts,
            repeated=summary.repeated,
            unread=summary.unread,
            notices=summary.notices,
            **gauges,
        )
