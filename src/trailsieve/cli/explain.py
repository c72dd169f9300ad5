"""`trailsieve explain`: explain a filter pattern in words."""

from __future__ import annotations

import click

from trailsieve.cli.notes import print_notes
from trailsieve.cli.options import global_options, no_limits
from trailsieve.cli.pattern_argument import compiled
from trailsieve.errors import visible
from trailsieve.logic.example import example
from trailsieve.logic.implication import satisfiable
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.describe import tree
from trailsieve.pattern.render import render

_EXAMPLES = """\b
Examples:
  trailsieve explain '{ $.errorCode = "AccessDenied*" && $.eventName != "HeadBucket" }'
  trailsieve explain --python '[host, user, ..., status = 4*]'
  trailsieve explain --example '{ $.eventName = "ConsoleLogin" }'
  trailsieve match --explain PATTERN FILE      why an event matches or not
"""


@click.command("explain", epilog=_EXAMPLES)
@click.argument("pattern")
@click.option(
    "--tree",
    "only_tree",
    is_flag=True,
    help="Print the canonical pattern and the tree of its terms, without words.",
)
@click.option(
    "--python", "only_python", is_flag=True, help="Print the Python function that the pattern is compiled to."
)
@click.option(
    "--example",
    "only_example",
    is_flag=True,
    help="Print an event that matches, and similar events that do not.",
)
@no_limits
@global_options
def command(pattern: str, only_tree: bool, only_python: bool, only_example: bool, no_limits: bool) -> int:
    """Explain a filter PATTERN in words.

    To see why a particular event matches or not, use `trailsieve match --explain`.
    """
    if only_tree + only_python + only_example > 1:
        raise click.UsageError("--tree, --python and --example cannot be combined.")
    parsed = compiled(pattern, limits=not no_limits)
    if only_python:
        click.echo(parsed.python_source.rstrip())
        return 0
    if only_example:
        return _print_example(parsed)
    click.echo(f"{render(parsed.tree)}\n")
    click.echo(tree(parsed.tree, words=not only_tree))
    if not only_tree and satisfiable(parsed).holds is False:
        click.echo("\nno event can ever match this pattern (proved)")
    if not only_tree:
        print_notes(parsed)
    return 0


def _print_example(pattern: FilterPattern) -> int:
    """Prints an event that matches and near misses; returns 1 if there is none."""
    found = example(pattern)
    if found.event is None:
        click.echo(f"no example: {found.reason}", err=True)
        return 1
    click.echo(f"matches\n  {visible(found.event)}")
    if found.near_misses:
        click.echo("\ndo not match")
    for miss in found.near_misses:
        click.echo(f"  {visible(miss.event)}\n    {visible(miss.why)}")
    return 0
