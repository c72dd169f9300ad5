"""`trailsieve rules`: lists, shows and exports rules."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module

import click

from trailsieve.alarms.sentence import of_condition
from trailsieve.cli.named import named
from trailsieve.cli.options import CommandGroup, global_options, screen
from trailsieve.cli.table import table
from trailsieve.did_you_mean import did_you_mean
from trailsieve.errors import UsageError, shorten, visible, visible_lines
from trailsieve.interchange.exporters.model import ExportTarget
from trailsieve.rules.load import built_in, load_pack
from trailsieve.rules.rule import Pack, Rule, joined

_TITLE_WIDTH = 60
_EXAMPLES = """\b
Examples:
  trailsieve rules list
  trailsieve rules list samples/rules/team.toml
  trailsieve rules show cis-aws-4.1
  trailsieve rules export cis-aws --to terraform
"""


@click.group("rules", cls=CommandGroup, epilog=_EXAMPLES)
@global_options
def command() -> None:
    """List, show and export rules, of the built-in packs or of your files."""


@command.command("list", epilog=_EXAMPLES)
@click.argument("packs", metavar="[PACK|FILE]...", nargs=-1)
@global_options
def list_rules(packs: tuple[str, ...]) -> None:
    """List the rules of packs or files; of all built-in packs when none is named."""
    for pack in [load_pack(name) for name in packs or built_in()]:
        header, *rows = table(("rule", "severity", "title", "tags"), map(_row, pack.rules))
        title = visible(f"{pack.name} {pack.version}".strip())
        click.echo("\n".join((_bold(title), _bold(header), *rows, "")), color=True)


def _row(rule: Rule) -> tuple[str, str, str, str]:
    tags = [tag for tag in rule.tags if not tag.startswith("cis-aws-") or tag.startswith("cis-aws-5")]
    title = rule.title + ("" if rule.enabled else " (disabled)")
    return rule.id, rule.severity, shorten(title, _TITLE_WIDTH), " ".join(tags)


def _bold(text: str) -> str:
    return click.style(text, bold=True) if screen().colored(sys.stdout) else text


@command.command("show", epilog=_EXAMPLES)
@click.argument("rule_id", metavar="ID")
@click.option(
    "--rules",
    "packs",
    metavar="PACK|FILE",
    multiple=True,
    help="The rules to search; the built-in packs when not given.",
)
@global_options
def show_rule(rule_id: str, packs: tuple[str, ...]) -> None:
    """Print one rule with its pattern, alarm, tags and references."""
    loaded = [load_pack(name) for name in packs or built_in()]
    rule = next((found for pack in loaded if (found := pack.rule(rule_id))), None)
    if rule is None:
        if rule_id in (*built_in(), *packs):
            raise UsageError(f"{rule_id!r} is a pack; `trailsieve rules list {rule_id}` lists its rules")
        known = [known.id for pack in loaded for known in pack.rules]
        nearest = did_you_mean(rule_id, known, 3) or "see `trailsieve rules list`"
        raise UsageError(f"no rule {rule_id!r}; {nearest}")
    print(visible_lines("\n".join(_described(rule))))


_FORMATS = ("cloudformation", "terraform", "cli", "eventbridge", "athena", "opensearch")
_EXPORTED = ("cis-aws", "cis-aws-tuned")  # when none is named
_EXPORT_EXAMPLES = """\b
Examples:
  trailsieve rules export cis-aws-tuned --to cloudformation > template.json
  trailsieve rules export cis-aws --to terraform --namespace CIS > monitoring.tf
  trailsieve rules export cis-aws-4.3 --to cli
  trailsieve rules export samples/rules/team.toml --to eventbridge
"""


@command.command("export", epilog=_EXPORT_EXAMPLES)
@click.argument("packs", metavar="[PACK|FILE|ID]...", nargs=-1)
@click.option(
    "--to",
    "format_",
    required=True,
    type=click.Choice(_FORMATS),
    help="Metric filters and alarms as a template, HCL or commands; or queries of another service.",
)
@click.option("--log-group", help="The log group; a parameter or variable when not given.")
@click.option(
    "--topic", metavar="ARN", help="The SNS topic to notify; a parameter or variable when not given."
)
@click.option("--namespace", default="trailsieve", show_default=True, help="The namespace of the metrics.")
@global_options
def export_rules(
    packs: tuple[str, ...], format_: str, log_group: str | None, topic: str | None, namespace: str
) -> int:
    """Print rules for CloudWatch, EventBridge, Athena or OpenSearch; of the CIS packs when none is named.

    What the other service does differently is listed on stderr, and beside each rule if the format has
    comments. A rule that it cannot express is left out with the reason, and the exit code is 1.
    """
    given = {"log_group": log_group, "topic": topic, "namespace": namespace}
    target = ExportTarget(**{name: value for name, value in given.items() if value})
    module = "aws_cli" if format_ == "cli" else format_
    exporter = import_module(f"trailsieve.interchange.exporters.{module}")
    export = exporter.export(_rules(packs), target)
    click.echo(export.text, nl=False)
    for loss, ids in _by_loss(export.losses).items():
        screen().info(f"{'all rules' if len(ids) == len(export.losses) > 1 else ', '.join(ids)}: {loss}")
    for rule_id, reason in export.unsupported.items():
        screen().info(f"{rule_id}: not exported: {reason}")
    return int(bool(export.unsupported))


def _by_loss(losses: dict[str, list[str]]) -> dict[str, list[str]]:
    """The ids of the rules that have each loss."""
    found: dict[str, list[str]] = {}
    for rule_id, sentences in losses.items():
        for sentence in sentences:
            found.setdefault(sentence, []).append(rule_id)
    return found


def _rules(names: tuple[str, ...]) -> list[Rule]:
    """The rules of packs and files, and those of single ids."""
    found = [named(name) for name in names or _EXPORTED]
    if not all(isinstance(item, Pack | Rule) for item in found):
        raise UsageError("only packs, rule files and rule ids can be exported, not patterns")
    rules = joined([item for item in found if isinstance(item, Pack)])
    return rules + [item for item in found if isinstance(item, Rule)]


def _described(rule: Rule) -> Iterator[str]:
    yield f"{rule.id}  {rule.title}\n"
    yield f"severity    {rule.severity}"
    if not rule.sequence:
        yield f"pattern     {rule.pattern.text}"
    if rule.alarm:
        yield f"alarm       {of_condition(rule.alarm)}"
    for exception in rule.exceptions:
        yield f"except      {exception.pattern.text}: {exception.reason}"
    yield f"file        {rule.file}:{rule.line}"
    for name, values in (("tags", rule.tags), ("references", rule.references)):
        for number, value in enumerate(values):
            yield f"{name if number == 0 else '':<12}{value}"
    if rule.description:
        yield f"\n{rule.description}"
