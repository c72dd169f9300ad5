"""`trailsieve send`: send saved alerts to one sink."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import click
import msgspec

from trailsieve import jsontext
from trailsieve.app.build import open_part
from trailsieve.app.load import load_config
from trailsieve.cli.options import Size, global_options, screen
from trailsieve.errors import DeliveryError, UnreadableError, UsageError, counted
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.wire.backoff import Backoff

_EXAMPLES = """\b
Examples:
  trailsieve send alert.json --config trailsieve.toml --sink siem
  trailsieve send dead-letters.alerts.jsonl --config trailsieve.toml --sink siem
"""
_BATCH = 500
_TRIES = 5


@click.command("send", epilog=_EXAMPLES)
@click.argument("alerts", metavar="ALERT.json", type=click.Path(dir_okay=False, allow_dash=True))
@click.option(
    "--config",
    "path",
    required=True,
    type=click.Path(dir_okay=False),
    help="The configuration of the sink.",
)
@click.option("--sink", "name", required=True, help="The name of the sink; its kind if it has no name.")
@global_options
def command(alerts: str, path: str, name: str) -> int:
    """Send alerts to one sink: one alert or JSON lines in the native format, or a file of dead letters.

    Alerts keep their ids, so the receiver recognizes those that it already has. From a file of dead letters
    only those of the sink are sent. Exit code 1 means that some alerts were not accepted or cut short.
    """
    shown = screen()
    config = load_config(path)
    part = next((part for part in config.sinks if part.name == name), None)
    if part is None:
        known = ", ".join(part.name for part in config.sinks)
        raise UsageError(f"{path} has no sink {name}; its sinks: {known}")
    torn: list[str] = []
    others: Counter[str] = Counter()
    try:
        with click.open_file(alerts, "rb") as file:
            given = list(_alerts(file.read(), name, torn, others))
    except OSError as error:
        raise UsageError(f"{alerts}: {error.strerror or error}") from None
    if others and not given:
        sinks = " or ".join(f"sink {other}" for other in others)
        raise UsageError(f"{alerts} has {counted(others.total(), 'alert')}, all of {sinks}; none of {name}")
    context = RunContext(shown.info, max_object_size=Size().convert(config.max_object_size, None, None))
    sink = open_part("sinks", part, context)
    refused: dict[str, str] = {}
    try:
        for start in range(0, len(given), _BATCH):
            refused |= _deliver(sink, given[start : start + _BATCH])
    finally:
        sink.close()
    for place in torn:
        shown.info(f"{alerts}: {place}; skipped", skipped=place)
    for reason, count in Counter(refused.values()).items():
        ids = [identity for identity, why in refused.items() if why == reason]
        shown.info(f"{counted(count, 'alert')} not accepted: {reason}", alerts=ids, reason=reason)
    shown.info(f"{len(given) - len(refused):,} of {counted(len(given), 'alert')} sent to {name}")
    return 1 if refused or torn else 0


def _deliver(sink: Any, alerts: list[Alert]) -> dict[str, str]:
    """Sends alerts, with a few retries; returns the reason for each one that was not accepted, by id."""
    refused: dict[str, str] = {}
    backoff = Backoff(first=1.0, longest_asked=30.0)
    while alerts:
        try:
            sink.deliver(alerts)
            break
        except DeliveryError as error:
            refused |= error.refused
            left = [alert for alert in alerts if alert.id in error.again]
            if len(left) < len(alerts):
                backoff.reset()
            elif backoff.failures + 1 == _TRIES:
                return refused | {alert.id: error.reason for alert in left}
            alerts = left
            if alerts:
                time.sleep(backoff.next(error.retry_after))
    return refused


def _alerts(text: bytes, sink: str, torn: list[str], others: Counter[str]) -> Iterator[Alert]:
    """The alerts in a file: one JSON object in any layout, or one per line.

    A crash or a full disk may have cut lines short: `torn` gets the place of each line that is not JSON.
    `others` counts the alerts of other sinks.

    Raises:
        UsageError: no line is JSON, or one is not an alert.
    """
    try:
        values = [jsontext.decode(text)]
        lines = [text]
    except UnreadableError:
        lines, values = text.splitlines(keepends=True), []
    start, end, read = 0, 0, 0
    for number, line in enumerate(lines, 1):
        start, end = end, end + len(line)
        if not line.strip():
            continue
        try:
            value = values[0] if values else jsontext.decode(line)
        except UnreadableError as error:
            torn.append(f"line {number}, byte {start}: {error}")
            continue
        read += 1
        if isinstance(value, dict) and (other := value.get("sink", sink)) != sink:
            others[str(other)] += 1
        else:
            yield _alert(line, number)
    if torn and not read:
        raise UsageError(torn[0])


def _alert(line: bytes, number: int) -> Alert:
    """An alert from its native format; its records keep their exact text."""
    try:
        letter = msgspec.json.decode(line, type=dict[str, msgspec.Raw])
        inner = bytes(letter["alert"]) if "alert" in letter else line
        fields = msgspec.json.decode(inner, type=dict[str, msgspec.Raw])
        records = msgspec.json.decode(fields.pop("records", b"[]"), type=list[msgspec.Raw])
        alert = msgspec.json.decode(msgspec.json.encode(fields), type=Alert)
    except msgspec.MsgspecError as error:
        raise UsageError(f"line {number} is not an alert in the native format: {error}") from None
    return msgspec.structs.replace(alert, records=tuple(bytes(record) for record in records))
