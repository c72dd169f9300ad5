"""The options `--report` and `--redact`, and what they write."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from trailsieve.engine.stats import RunStats
from trailsieve.errors import UsageError
from trailsieve.rules.rule import Rule

if TYPE_CHECKING:
    from trailsieve.investigation.model import Alerts, Investigation
    from trailsieve.report.redact import Kind

Function = TypeVar("Function", bound=Callable[..., object])


def report_options(text: str, endings: Sequence[str] = (".html",)) -> Callable[[Function], Function]:
    """Returns a decorator that adds `--report` and `--redact` to a command.

    Args:
        text: the help of `--report`.
        endings: of the files that the command can write.
    """

    def checked(context: click.Context, parameter: click.Parameter, path: str | None) -> str | None:
        if path and not path.endswith(tuple(endings)):
            raise UsageError(f"--report {path}: the name ends with {' or '.join(endings)}")
        if path and not Path(path).absolute().parent.is_dir():
            raise UsageError(f"--report {path}: the folder {Path(path).parent} does not exist")
        return path

    def decorate(function: Function) -> Function:
        path = click.Path(dir_okay=False)
        function = click.option(
            "--redact",
            metavar="KINDS",
            callback=_kinds,
            help="Pseudonyms in the report for keys, ips and principals, or some of them: --redact keys,ips.",
        )(function)
        return click.option(
            "--report", type=path, metavar="FILE", callback=checked, is_eager=True, help=text
        )(function)

    return decorate


def _kinds(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[Kind, ...]:
    if not text:
        return ()
    from trailsieve.report.redact import KINDS

    words = [word.strip() for word in text.split(",")]
    if not context.params.get("report"):
        raise UsageError("--redact needs --report: it changes the report alone")
    unknown = [word for word in words if word not in KINDS]
    if unknown:
        raise UsageError(f"--redact {text}: {unknown[0]!r} is not one of {', '.join(KINDS)}")
    return tuple(kind for kind in KINDS if kind in words)


def write_report(found: Investigation, path: Path, redact: Collection[Kind]) -> None:
    """Writes an investigation as the file's ending asks: a page, or Markdown.

    Raises:
        OSError: the file cannot be written.
    """
    if path.suffix == ".md":
        from trailsieve.investigation import markdown
        from trailsieve.report.redact import redacted

        markdown.write(redacted(found, [], redact)[0], path)
    else:
        from trailsieve.report import page

        page.write(found, path, redact)


def write_replay(
    alerts: Alerts, stats: RunStats, rules: Sequence[Rule], path: Path, redact: Collection[Kind]
) -> None:
    """Writes the page of a replay.

    Raises:
        OSError: the file cannot be written.
    """
    from trailsieve.report import page
    from trailsieve.report.replayed import of_replay

    page.write(of_replay(alerts, stats, rules, command_line()), path, redact)


def command_line() -> str:
    """The command that is running, as a shell would read it."""
    return shlex.join(["trailsieve", *sys.argv[1:]])
