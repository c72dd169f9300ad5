"""`trailsieve sniff`: which envelopes records travel in."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click

from trailsieve.cli.options import global_options, max_object_size
from trailsieve.errors import UsageError, shorten, visible

_EXAMPLES = """\b
Examples:
  trailsieve sniff message.json
  aws sqs receive-message --queue-url URL | trailsieve sniff -
  aws kinesis get-records --shard-iterator ITERATOR | trailsieve sniff -
"""
_MOST = 40  # layers, objects and problems that are shown of one input
_WIDTH = 160


@click.command("sniff", epilog=_EXAMPLES)
@click.argument("inputs", metavar="[FILE]...", nargs=-1)
@click.option("--format", "shape", type=click.Choice(["text", "json"]), default="text", show_default=True)
@max_object_size
@global_options
def command(inputs: tuple[str, ...], shape: str, max_object_size: int) -> int:
    """Show the envelopes around the records in FILE, or in standard input (-), from the outermost in.

    Known are gzip, base64, JSON lines, CloudTrail files, CloudWatch Logs subscriptions, EventBridge, SNS,
    SQS, Firehose, KPL aggregation, Lambda events of those, what the AWS command line prints of messages, and
    notices of new S3 objects, in any nesting: what the sources of `trailsieve run` understand.

    Exit code 1 means that something was no known envelope.
    """
    from trailsieve.trail.envelopes import peel_lines

    known = True
    for name in inputs or ("-",):
        found = peel_lines(_read(name), max_object_size)
        known = known and not found.problems
        shown = "<stdin>" if name == "-" else name
        print(json.dumps(_as_dict(shown, found)) if shape == "json" else "\n".join(_as_text(shown, found)))
    return 0 if known else 1


def _read(name: str) -> bytes:
    if name == "-":
        return sys.stdin.buffer.read()
    if not Path(name).is_file():
        raise UsageError(f"{name}: no such file")
    return Path(name).read_bytes()


def _as_text(name: str, found: Any) -> list[str]:
    from trailsieve.trail.envelope_contents import lines_of

    lines = [visible(name)]
    lines += _some([f"  {line}" for line in lines_of(found)], "envelopes")
    lines.append(f"  → {_counts(found)}")
    lines += _some([f"    object s3://{item.bucket}/{item.key}" for item in found.objects], "objects")
    lines += _some([f"    problem: {reason}" for reason, _ in found.problems], "problems")
    lines += [f"  note: {advice}" for advice in sorted(found.advice)]
    return [shorten(line, 1000 if "note: " in line else _WIDTH) for line in lines]


def _some(lines: list[str], what: str) -> list[str]:
    more = len(lines) - _MOST
    return lines if more <= 0 else [*lines[:_MOST], f"  … {more:,} more {what}"]


def _counts(found: Any) -> str:
    counts = {
        "record": len(found.records),
        "object": len(found.objects),
        "notice": found.notices,
        "problem": len(found.problems),
    }
    told = [f"{count:,} {name}{'' if count == 1 else 's'}" for name, count in counts.items() if count]
    return ", ".join(told) or "nothing"


def _as_dict(name: str, found: Any) -> dict[str, Any]:
    return {
        "file": name,
        "layers": [
            {"depth": layer.depth, "name": layer.name, "detail": layer.detail} for layer in found.layers
        ],
        "records": len(found.records),
        "objects": [{"bucket": item.bucket, "key": item.key, "size": item.size} for item in found.objects],
        "notices": found.notices,
        "problems": [reason for reason, _ in found.problems],
        "advice": sorted(found.advice),
    }
