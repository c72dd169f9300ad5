"""`trailsieve explain`: what a filter pattern says."""

from __future__ import annotations

import click

from trailsieve.cli.options import global_options, no_limits

_EXAMPLES = """\b
Examples:
  trailsieve explain '{ $.errorCode = "AccessDenied*" && $.eventName != "HeadBucket" }'
  trailsieve explain --python '[host, user, ..., status = 4*]'
  trailsieve match --explain PATTERN FILE      why an event matches or not
"""


@click.command("explain", epilog=_EXAMPLES)
@click.argument("pattern")
@click.option(
    "--tree", "only_tree", is_flag=True, help="Print the canonical text and the bare tree of terms."
)
@click.option("--python", "only_python", is_flag=True, help="Print the Python function that it compiles to.")
@no_limits
@global_options
def command(pattern: str, only_tree: bool, only_python: bool, no_limits: bool) -> None:
    """Say in words what a filter PATTERN asks of an event.

    What the pattern makes of a certain event is told by `trailsieve match --explain`.
    """
    from trailsieve.pattern.compiler import compile
    from trailsieve.pattern.describe import tree
    from trailsieve.pattern.render import render

    if only_tree and only_python:
        raise click.UsageError("--tree and --python exclude each other.")
    compiled = compile(pattern, limits=not no_limits)
    if only_python:
        click.echo(compiled.python_source.rstrip())
        return
    click.echo(f"{render(compiled.tree)}\n")
    click.echo(tree(compiled.tree, words=not only_tree))
