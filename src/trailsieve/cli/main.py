"""`trailsieve`: finds the command, loads only that, and turns errors into messages and exit codes.

Exit codes: 0 fine · 1 the answer is "no" · 2 wrong use, pattern, rule or configuration ·
3 failure while running.
"""

from __future__ import annotations

import gc
import os
import sys
from importlib import import_module
from keyword import iskeyword
from typing import Any

import click

from trailsieve import __version__
from trailsieve.cli.options import global_options
from trailsieve.errors import ConfigError, PatternError, RuleError, TrailsieveError, UsageError, visible_lines
from trailsieve.secret import masked

_COMMANDS = {
    "match": "Find log events that a filter pattern or rules match: grep for CloudTrail.",
    "explain": "Say in words what a filter pattern asks of an event.",
    "run": "Read a source for ever, run rules over it and deliver the alerts.",
    "send": "Send an alert to a sink of a configuration once more.",
    "opensearch-template": "Print the index template for alerts in OpenSearch, or install it.",
    "config": "Check a configuration, and whether its source and sinks answer.",
    "sniff": "Show which envelopes records travel in: SNS, EventBridge, subscriptions, gzip, base64.",
    "tune": "Show what a rule would have raised over an archive, and what would quieten it.",
    "replay": "Run rules over an archive of CloudTrail files and raise the alerts.",
    "diff": "Prove that two patterns or rules mean the same, or show where they differ.",
    "lint": "Find what is wrong with patterns and rules, each finding with its proof.",
    "rules": "List, show and export rules.",
    "import": "Turn metric filters and alarms, or Sigma rules, into a rule file.",
    "parity": "Compare rules with what CloudWatch would have done, minute by minute.",
    "audit": "Judge an account's monitoring by what it does: the CIS controls, link by link.",
    "test": "Run the tests that rules carry.",
}
_EXAMPLES = """\b
Examples:
  trailsieve match '{ $.errorCode = "AccessDenied*" }' events.json.gz
  trailsieve explain '{ $.errorCode = "AccessDenied*" }'
  trailsieve replay ./AWSLogs --since 24h
  trailsieve rules show cis-aws-4.1
  trailsieve test rules/
"""


class _Commands(click.Group):
    """Imports a command's file only when that command is run."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = cmd_name.replace("-", "_") + "_" * iskeyword(cmd_name)
        command: click.Command = import_module(f"trailsieve.cli.{module}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(_COMMANDS.items()))


@click.command(
    cls=_Commands,
    epilog=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, prog_name="trailsieve")
@global_options
def trailsieve() -> None:
    """CloudWatch metric filters without CloudWatch: filter patterns over CloudTrail, alerts in your SIEM."""


def main() -> None:
    """The console script."""
    if sys.stdout:
        # Buffered even with PYTHONUNBUFFERED, where a write may be cut short and nobody is told;
        # and in any locale, a character that it lacks is no reason to stop.
        encoding = sys.stdout.encoding
        sys.stdout = open(sys.stdout.fileno(), "w", encoding=encoding, errors="replace", closefd=False)  # noqa: SIM115
    sys.excepthook = _unforeseen
    sys.exit(run(sys.argv[1:]))


def _unforeseen(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """An error that nobody thought of, with its traceback and without secrets."""
    import traceback

    print(masked("".join(traceback.format_exception(kind, error, trace))), end="", file=sys.stderr)


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    gc.set_threshold(100_000, 50, 50)  # records are no cyclic garbage: looking for some costs a twentieth
    if sys.stdout is None:
        return 3  # there is nobody to tell
    try:
        with trailsieve.make_context("trailsieve", arguments) as context:
            result: Any = trailsieve.invoke(context)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader has what it wanted; Python must not complain once more while it shuts down.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        return 2
    except (click.Abort, KeyboardInterrupt):
        print("trailsieve: interrupted", file=sys.stderr)
        return 130
    except TrailsieveError as error:
        print(f"trailsieve: {visible_lines(masked(_text(error)))}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError | PatternError | RuleError | UsageError) else 3
    except OSError as error:
        print(f"trailsieve: {visible_lines(masked(str(error)))}", file=sys.stderr)
        return 3
    return result if isinstance(result, int) else 0


def _text(error: TrailsieveError) -> str:
    if isinstance(error, RuleError):
        count = len(error.problems)
        return f"{count} mistake{'s' if count > 1 else ''} in the rules\n\n" + "\n\n".join(error.problems)
    return str(error)
