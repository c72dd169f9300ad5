"""`trailsieve config`: check a configuration, and whether its source and sinks answer."""

from __future__ import annotations

import time
from pathlib import Path

import click

from trailsieve.alarms.shared.dynamodb import DynamoTable
from trailsieve.app.accept import accept_source
from trailsieve.app.alarm_state import split_alarms
from trailsieve.app.build import open_part, rules_of
from trailsieve.app.config import AlarmsConfig, Part
from trailsieve.app.load import load_config
from trailsieve.app.registry import Group
from trailsieve.cli.options import CommandGroup, Size, global_options
from trailsieve.engine.checkpoint import verify
from trailsieve.engine.heartbeat import test_alert
from trailsieve.errors import (
    CheckpointError,
    DeliveryError,
    SinkError,
    SourceError,
    counted,
    visible,
)
from trailsieve.ports import RunContext
from trailsieve.secret import masked

_EXAMPLES = """\b
Examples:
  trailsieve config check trailsieve.toml
  trailsieve config check --connect trailsieve.toml
"""
_ACCEPT_EXAMPLES = """\b
Examples:
  trailsieve config accept-source trailsieve.toml                    after a topic was recreated
  trailsieve config accept-source --keep-positions trailsieve.toml   after a cluster moved with its offsets
"""


@click.group("config", cls=CommandGroup, epilog=_EXAMPLES)
@global_options
def command() -> None:
    """Check configuration files, and let a checkpoint accept another source."""


@command.command("check", epilog=_EXAMPLES)
@click.argument("path", metavar="CONFIG.toml", type=click.Path(dir_okay=False))
@click.option(
    "--connect",
    is_flag=True,
    help="Also connect to source, sinks and the table of alarms, and send each sink a test alert.",
)
@global_options
def check(path: str, connect: bool) -> int:
    """Report every mistake in CONFIG.toml with its line; with --connect also test what it names.

    Each sink then gets one alert of the rule trailsieve-test, whose text says that it is a test. A checkpoint
    that is damaged or incomplete is reported in both cases.
    """
    config = load_config(path)
    rules = rules_of(config)
    sinks = counted(len(config.sinks), "sink")
    click.echo(f"ok    {path}: {counted(len(rules), 'rule')}, source {config.source.kind}, {sinks}")
    if split := split_alarms(config, rules):
        click.echo(f"note  {split}")
    sound = _check_checkpoint(Path(config.checkpoint.path))
    if not connect:
        return 0 if sound else 3
    parts: list[tuple[Group, Part]] = [("sources", config.source)]
    parts += [("sinks", sink) for sink in config.sinks]
    answers = [_try(group, part, Size().convert(config.max_object_size, None, None)) for group, part in parts]
    if config.alarms.state == "dynamodb":
        answers.append(_try_table(config.alarms))
    return 0 if sound and all(answers) else 3


@command.command("accept-source", epilog=_ACCEPT_EXAMPLES)
@click.argument("path", metavar="CONFIG.toml", type=click.Path(dir_okay=False))
@click.option(
    "--keep-positions",
    is_flag=True,
    help="Continue from the saved positions: for the same data at another place.",
)
@global_options
def accept(path: str, keep_positions: bool) -> int:
    """Let the checkpoint of CONFIG.toml continue with another source, such as a topic that was recreated.

    `trailsieve run` refuses to start when a checkpoint belongs to another source. The next run takes over the
    source that it finds. Alert ids and the state of alarms stay. The service must be stopped.
    """
    config = load_config(path)
    forgotten = accept_source(config, keep_positions=keep_positions)
    what = "positions kept" if keep_positions else f"{counted(forgotten, 'position')} forgotten"
    click.echo(f"ok    {config.checkpoint.path}: the next run accepts its source; {what}")
    return 0


def _check_checkpoint(path: Path) -> bool:
    """Checks the checkpoint, if there is one, and prints what is wrong with it."""
    try:
        verify(path)
    except CheckpointError as error:
        click.echo(f"FAIL  checkpoint: {visible(masked(str(error)))}")
        return False
    return True


def _try(group: Group, part: Part, max_object_size: int) -> bool:
    """Checks one source or sink, sends a sink a test alert, and prints the answer."""
    label, answer = f"{group.removesuffix('s')} {part.name}", ""
    try:
        opened = open_part(group, part, RunContext(max_object_size=max_object_size))
        try:
            answer = opened.check()
            if group == "sinks":
                test = test_alert(time.time())
                opened.deliver([test])
                answer += f"; it accepted the test alert {test.id}"
        finally:
            opened.close()
    except (SourceError, SinkError, DeliveryError) as error:
        unsent = "; no test alert was sent" if group == "sinks" and not answer else ""
        click.echo(f"FAIL  {label}: {visible(masked(str(error)))}{_refused(error)}{unsent}")
        return False
    click.echo(f"ok    {label}: {visible(masked(answer))}")
    return True


def _try_table(config: AlarmsConfig) -> bool:
    """Checks the table that alarms share, and prints the answer."""
    try:
        answer = DynamoTable(config, config.table).check()
    except CheckpointError as error:
        click.echo(f"FAIL  alarms: {visible(masked(str(error)))}")
        return False
    click.echo(f"ok    alarms: {visible(masked(answer))}")
    return True


def _refused(error: Exception) -> str:
    reasons = error.refused.values() if isinstance(error, DeliveryError) else ()
    return "".join(f"; {visible(masked(reason))}" for reason in reasons if reason not in str(error))
