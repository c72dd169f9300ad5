"""`trailsieve`: imports and runs the command, and turns errors into messages and exit codes.

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
from trailsieve.cli.standard_streams import drop_output, open_streams, output_failure
from trailsieve.errors import ConfigError, PatternError, RuleError, TrailsieveError, UsageError, visible_lines
from trailsieve.secret import masked

_COMMANDS = {
    "match": "Print the log events that match a filter pattern or rules, like grep.",
    "explain": "Explain a filter pattern in words.",
    "run": "Run rules over a source continuously and deliver the alerts.",
    "send": "Send alerts to one sink of a configuration again.",
    "opensearch-template": "Print the index template for alerts in OpenSearch, or install it.",
    "config": "Check a configuration file and test its source and sinks.",
    "sniff": "Show the envelopes around records: SNS, EventBridge, subscriptions, gzip, base64.",
    "tune": "Show what a rule would have raised over an archive, and what would reduce it.",
    "replay": "Run rules over an archive of CloudTrail files and print the alerts.",
    "investigate": "Tell what happened in an archive: who, from where, to what, and is it over.",
    "diff": "Prove that two patterns or rules are equivalent, or show events that tell them apart.",
    "lint": "Find mistakes in patterns and rules, each with an event or a proof.",
    "rules": "List, show and export rules.",
    "import": "Turn metric filters and alarms, or Sigma rules, into a rule file.",
    "parity": "Compare rules with what CloudWatch would have done, minute by minute.",
    "audit": "Check whether an account's monitoring meets the CIS controls, link by link.",
    "test": "Run the tests in rule files.",
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
    """Imports the module of a command only when that command is used."""

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
    open_streams()
    sys.excepthook = _unforeseen
    if "_TRAILSIEVE_COMPLETE" in os.environ:
        trailsieve.main(prog_name="trailsieve")  # prints a completion script or completions, and exits
    code = run(sys.argv[1:])
    drop_output()
    sys.exit(code)


def _unforeseen(kind: type[BaseException], error: BaseException, trace: Any) -> None:
    """Prints the traceback of an unexpected error, with secrets masked."""
    import traceback

    print(masked("".join(traceback.format_exception(kind, error, trace))), end="", file=sys.stderr)


def run(arguments: list[str]) -> int:
    """Runs one command line and returns its exit code."""
    gc.set_threshold(100_000, 50, 50)  # records have no reference cycles: looking for them costs 5 %
    if sys.stdout is None:
        return 3  # stdout is closed
    try:
        with trailsieve.make_context("trailsieve", arguments) as context:
            result: Any = trailsieve.invoke(context)
        sys.stdout.flush()
    except BrokenPipeError:
        return 0  # the reader of standard output has read enough, as head does; `run` raises other errors
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        error.show()
        if isinstance(error, click.NoSuchOption) and error.ctx and _takes_a_pattern(error.ctx.command):
            print("A PATTERN that begins with - stands after --, such as -- '-timeout'.", file=sys.stderr)
        return 2
    except (click.Abort, KeyboardInterrupt):
        print("trailsieve: interrupted", file=sys.stderr)
        return 130
    except TrailsieveError as error:
        print(f"trailsieve: {visible_lines(masked(_text(error)))}", file=sys.stderr)
        return 2 if isinstance(error, ConfigError | PatternError | RuleError | UsageError) else 3
    except OSError as error:
        print(f"trailsieve: {visible_lines(masked(output_failure() or str(error)))}", file=sys.stderr)
        return 3
    return result if isinstance(result, int) else 0


def _takes_a_pattern(command: click.Command) -> bool:
    return any("pattern" in str(one.human_readable_name).lower() for one in command.params)


def _text(error: TrailsieveError) -> str:
    if isinstance(error, RuleError):
        count = len(error.problems)
        return f"{count} mistake{'s' if count > 1 else ''} in the rules\n\n" + "\n\n".join(error.problems)
    return str(error)
