"""`trailsieve opensearch-template`: the index template for alerts in OpenSearch and Elasticsearch."""

from __future__ import annotations

import click

from trailsieve.app.build import open_part
from trailsieve.app.load import load_config
from trailsieve.cli.json_output import print_json
from trailsieve.cli.options import global_options
from trailsieve.errors import UsageError, visible
from trailsieve.ports import RunContext
from trailsieve.sinks.opensearch import TEMPLATE_NAME, template_for

_EXAMPLES = """\b
Examples:
  trailsieve opensearch-template > template.json
  trailsieve opensearch-template --install trailsieve.toml
"""


@click.command("opensearch-template", epilog=_EXAMPLES)
@click.option("--index", help="The data stream that it is for.  [default: trailsieve-alerts]")
@click.option(
    "--install",
    metavar="CONFIG.toml",
    type=click.Path(dir_okay=False),
    help="Install it by every opensearch or elasticsearch sink of this configuration, for its index.",
)
@global_options
def command(index: str | None, install: str | None) -> int:
    """Print the index template for alerts in OpenSearch and Elasticsearch, or install it.

    It makes a data stream of what is sent to the index, and gives the fields their types. Install it before
    the first alert: what is there already keeps its mapping.
    """
    if not install:
        print_json(template_for(index or TEMPLATE_NAME))
        return 0
    if index:
        raise UsageError("--install takes the index from the configuration: leave --index out")
    for answer in _installed(install):
        click.echo(f"ok    {visible(answer)}")
    return 0


def _installed(path: str) -> list[str]:
    config = load_config(path)
    parts = [part for part in config.sinks if part.kind in ("opensearch", "elasticsearch")]
    if not parts:
        raise UsageError(f"{path} has no sink of the kind opensearch or elasticsearch")
    answers = []
    for part in parts:
        sink = open_part("sinks", part, RunContext())
        try:
            answers.append(sink.install_template())
        finally:
            sink.close()
    return answers
