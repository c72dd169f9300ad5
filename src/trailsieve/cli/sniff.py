"""`trailsieve sniff`: which envelopes records travel in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

from trailsieve.cli.json_output import print_json
from trailsieve.cli.options import global_options, max_object_size, output_format
from trailsieve.errors import UsageError, shorten, visible
from trailsieve.trail.envelope_contents import EnvelopeContents
from trailsieve.trail.envelopes import unwrap_lines

_EXAMPLES = """\b
Examples:
  trailsieve sniff message.json
  aws sqs receive-message --queue-url URL | trailsieve sniff -
  aws kinesis get-records --shard-iterator ITERATOR | trailsieve sniff -
"""
_MOST = 40  # layers, objects and problems shown per input
_WIDTH = 160  # characters per line


@click.command("sniff", epilog=_EXAMPLES)
@click.argument("inputs", metavar="[FILE]...", nargs=-1)
@output_format("text", "json")
@max_object_size
@global_options
def command(inputs: tuple[str, ...], shape: str, max_object_size: int) -> int:
    """Unwrap the records in FILE, or in standard input (-), and show their envelopes, outermost first.

    Recognises what the sources of `trailsieve run` read, in any nesting: gzip, base64, JSON lines, CloudTrail
    files, CloudWatch Logs subscriptions, EventBridge, SNS, SQS, Firehose, KPL aggregation, Lambda events of
    those, notifications of new S3 objects, and the output of `aws sqs receive-message` and
    `aws kinesis get-records`.

    The exit code is 1 if any part of the input is not a known envelope.
    """
    known = True
    for name in inputs or ("-",):
        contents = unwrap_lines(_read(name), max_object_size)
        known = known and not contents.problems
        shown = "<stdin>" if name == "-" else name
        if shape == "json":
            print_json(_as_dict(shown, contents), indent=False)
        else:
            print("\n".join(_as_text(shown, contents)))
    return 0 if known else 1


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    if not Path(name).is_file():
        raise UsageError(f"{name}: no such file")
    return Path(name).read_bytes()


def _as_text(name: str, contents: EnvelopeContents) -> list[str]:
    lines = [visible(name)]
    lines += _some([f"  {line}" for line in contents.outline()], "envelopes")
    lines.append(f"  → {_counts(contents)}")
    lines += _some([f"    object {item.url}" for item in contents.objects], "objects")
    lines += _some([f"    problem: {reason}" for reason, _ in contents.problems], "problems")
    lines += [f"  note: {advice}" for advice in sorted(contents.advice)]
    return [shorten(line, 1000 if "note: " in line else _WIDTH) for line in lines]


def _some(lines: list[str], what: str) -> list[str]:
    more = len(lines) - _MOST
    return lines if more <= 0 else [*lines[:_MOST], f"  … {more:,} more {what}"]


def _counts(contents: EnvelopeContents) -> str:
    counts = {
        "record": len(contents.records),
        "S3 object": len(contents.objects),
        "control message": contents.control_messages,
        "problem": len(contents.problems),
    }
    shown = [f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in counts.items() if count]
    return ", ".join(shown) or "nothing"


def _as_dict(name: str, contents: EnvelopeContents) -> dict[str, Any]:
    return {
        "file": name,
        "layers": [
            {"depth": layer.depth, "name": layer.name, "detail": layer.detail} for layer in contents.layers
        ],
        "records": len(contents.records),
        "objects": [{"bucket": item.bucket, "key": item.key, "size": item.size} for item in contents.objects],
        "control_messages": contents.control_messages,
        "problems": [reason for reason, _ in contents.problems],
        "advice": sorted(contents.advice),
    }
