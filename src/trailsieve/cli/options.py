"""Options that several commands share, and messages on stderr."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar

import click

from trailsieve.cli.json_output import print_json
from trailsieve.errors import visible
from trailsieve.secret import masked

if TYPE_CHECKING:
    from trailsieve.model import Problem, Severity

F = TypeVar("F", bound=Callable[..., Any])
_SIZE = re.compile(r"(\d+)\s*([kmg]?)(i?b)?", re.IGNORECASE)
_USUAL_WIDTH = 80  # of terminals that do not tell theirs
SEVERITY_STYLES: dict[Severity, dict[str, Any]] = {
    "informational": {"dim": True},
    "low": {"fg": "cyan"},
    "medium": {"fg": "yellow"},
    "high": {"fg": "red"},
    "critical": {"fg": "red", "bold": True, "reverse": True},
}
_UNITS = {"": 1, "k": 2**10, "m": 2**20, "g": 2**30}


@dataclass(slots=True)
class Screen:
    """Prints messages on stderr, as text or JSON, with or without colour.

    Attributes:
        above: a time in which nothing else writes to the terminal, such as a progress bar.
    """

    verbose: bool = False
    json: bool = False
    color: str = "auto"
    above: Callable[[], AbstractContextManager[None]] = nullcontext

    def colored(self, stream: Any = None) -> bool:
        """Whether to use colour on a stream, stderr by default."""
        if self.color != "auto":
            return self.color == "always"
        return (stream or sys.stderr).isatty() and not os.environ.get("NO_COLOR")

    def styled(self, text: str, stream: Any = None, **style: Any) -> str:
        """The text in a style of `click.style`, if there is colour on that stream, stderr by default."""
        return click.style(text, **style) if self.colored(stream) else text

    def info(self, text: str, **fields: Any) -> None:
        """One message."""
        with self.above():
            if self.json:
                print_json({"message": text, **fields}, indent=False, err=True)
            else:
                print(masked(f"trailsieve: {visible(text)}"), file=sys.stderr)

    def problem(self, problem: Problem) -> None:
        """One line for something that could not be read."""
        place = f", record {problem.index}" if problem.index else ""
        fields: dict[str, Any] = {"object": problem.origin, "reason": problem.reason, "read": problem.warning}
        if problem.index:
            fields["record"] = problem.index
        self.info(f"{problem.origin}{place}: {problem.reason}", **fields)


def terminal_width(stream: Any) -> int | None:
    """The columns of a terminal, which COLUMNS overrides; None for a stream that is not a terminal."""
    if not stream.isatty():
        return None
    columns = os.environ.get("COLUMNS", "")
    if columns.isdecimal() and int(columns):
        return int(columns)
    try:
        return os.get_terminal_size(stream.fileno()).columns or _USUAL_WIDTH
    except OSError:
        return _USUAL_WIDTH


def line_width(stream: Any) -> int | None:
    """The cells of a line: COLUMNS, else those of the terminal; None for a file or a pipe."""
    columns = os.environ.get("COLUMNS", "")
    return int(columns) if columns.isdecimal() and int(columns) else terminal_width(stream)


def screen() -> Screen:
    """The screen of the running command."""
    return click.get_current_context().ensure_object(Screen)


def global_options(command: F) -> F:
    """`-v`, `--log-format` and `--color`, before or after the command's name."""

    @click.option("-v", "--verbose", is_flag=True, help="Print more messages on stderr.")
    @click.option("--log-format", type=click.Choice(["text", "json"]), help="Format of messages on stderr.")
    @click.option(
        "--color",
        type=click.Choice(["auto", "always", "never"]),
        help="When to use colour. NO_COLOR is also respected.",
    )
    @wraps(command)
    def wrapper(*args: Any, verbose: bool, log_format: str | None, color: str | None, **options: Any) -> Any:
        shown = screen()
        shown.verbose = shown.verbose or verbose
        shown.json = log_format == "json" if log_format else shown.json
        shown.color = color or shown.color
        return command(*args, **options)

    return wrapper  # type: ignore[return-value]


class CommandGroup(click.Group):
    """A group whose help shows the whole first sentence of each command."""

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            names = self.list_commands(ctx)
            formatter.write_dl([(name, self.commands[name].get_short_help_str(200)) for name in names])


class Size(click.ParamType[int]):
    """A number of bytes, such as 64MiB."""

    name = "SIZE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        match = _SIZE.fullmatch(value.strip())
        if not match:
            self.fail(f"{value!r} is not a size; write a number with k, M or G, such as 64MiB", param, ctx)
        return int(match[1]) * _UNITS[match[2].lower()]


max_object_size = click.option(
    "--max-object-size",
    type=Size(),
    default="256MiB",
    show_default=True,
    help="Limit for one object or line after decompression; protects against gzip bombs.",
)


def output_format(*shapes: str, help: str | None = None) -> Callable[[F], F]:  # noqa: A002 - click's own word
    """The option `--format`; the first shape is the default."""
    return click.option(
        "--format", "shape", type=click.Choice(shapes), default=shapes[0], show_default=True, help=help
    )


def rule_packs(help: str) -> Callable[[F], F]:  # noqa: A002 - click's own word
    """The option `--rules`, which may be repeated."""
    return click.option("--rules", "packs", metavar="PACK|FILE", multiple=True, help=help)


def order_option(what: str, default: str) -> Callable[[F], F]:
    """The option `--order`."""
    return click.option(
        "--order",
        type=click.Choice(["time", "file"]),
        help=f"{what} by event time, or in the order of the files. Default: {default}. Those of the same "
        "time are in the order of the files; those without a valid time come last.",
    )


def print_lines(lines: Iterable[str]) -> None:
    """Prints lines, whose colours are kept in a file too."""
    for line in lines:
        click.echo(line, color=True)


no_limits = click.option(
    "--no-limits", is_flag=True, help="Accept patterns that are too large for CloudWatch."
)
