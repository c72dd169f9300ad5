"""`trailsieve config`: whether a configuration is right, and whether its source and sinks answer."""

from __future__ import annotations

import click

from trailsieve.cli.options import Size, global_options
from trailsieve.errors import SinkError, SourceError, visible

_EXAMPLES = """\b
Examples:
  trailsieve config check trailsieve.toml
  trailsieve config check --connect trailsieve.toml
"""


@click.group("config", epilog=_EXAMPLES)
@global_options
def command() -> None:
    """Check configuration files."""


@command.command("check", epilog=_EXAMPLES)
@click.argument("path", metavar="CONFIG.toml", type=click.Path(dir_okay=False))
@click.option("--connect", is_flag=True, help="Ask the source and every sink whether they would serve us.")
@global_options
def check(path: str, connect: bool) -> int:
    """Say every mistake in CONFIG.toml with its line; with --connect also try the source and the sinks."""
    from trailsieve.app.build import rules_of
    from trailsieve.app.load import load_config

    config, _ = load_config(path)
    rules = rules_of(config)
    click.echo(f"ok    {path}: {len(rules)} rules, source {config.source.kind}, {len(config.sinks)} sinks")
    if not connect:
        return 0
    parts = [("sources", config.source), *(("sinks", sink) for sink in config.sinks)]
    answers = [_try(group, part, Size().convert(config.max_object_size, None, None)) for group, part in parts]
    return 0 if all(answers) else 3


def _try(group: str, part: object, max_object_size: int) -> bool:
    from trailsieve.app.build import open_part
    from trailsieve.flow.context import Context

    label = f"{group.removesuffix('s')} {part.name}"  # type: ignore[attr-defined]
    try:
        opened = open_part(group, part, Context(max_object_size=max_object_size))  # type: ignore[arg-type]
        try:
            answer = opened.check()
        finally:
            opened.close()
    except (SourceError, SinkError) as error:
        click.echo(f"FAIL  {label}: {visible(str(error))}")
        return False
    click.echo(f"ok    {label}: {visible(answer)}")
    return True
