"""`trailsieve import`: writes a rule file from metric filters and alarms, or from Sigma rules."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from trailsieve.cli.options import CommandGroup, global_options, screen
from trailsieve.errors import UsageError
from trailsieve.interchange.importers import cloudformation, cloudwatch, terraform
from trailsieve.interchange.importers.metric_filters import rule_drafts
from trailsieve.interchange.importers.model import ImportResult
from trailsieve.interchange.importers.rule_draft import RuleDraft
from trailsieve.interchange.importers.rule_file import rule_file
from trailsieve.interchange.sigma import rules as sigma
from trailsieve.wire.aws import AwsConfig

_SAMPLES = "samples/import/describe-metric-filters.json samples/import/describe-alarms.json"
_EXAMPLES = """\b
Examples:
  trailsieve import cloudformation samples/import/monitoring.yaml > rules.toml
  trailsieve import terraform samples/import/monitoring.tf --output rules.toml
  trailsieve import json samples/import/describe-metric-filters.json samples/import/describe-alarms.json
  trailsieve import aws --profile security --region eu-central-1
  trailsieve import sigma samples/import/sigma
"""


@click.group("import", cls=CommandGroup, epilog=_EXAMPLES)
@global_options
def command() -> None:
    """Turn metric filters and alarms, or Sigma rules, into a rule file.

    Each rule has the same pattern, metric, period, threshold and treatment of missing data. What cannot be
    carried over is listed on stderr, and in the file as a comment with ! above its rule.
    """


_output = click.option(
    "-o",
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rules to this file. Default: standard output.",
)
_PAIRS: dict[str, Any] = {"metavar": "NAME=VALUE", "multiple": True}
_path = click.Path(exists=True, path_type=Path)
_files = click.argument("paths", metavar="FILE...", nargs=-1, required=True, type=_path)


def _example(line: str) -> str:
    return f"\b\nExamples:\n  {line}"


@command.command("json", epilog=_example(f"trailsieve import json {_SAMPLES}"))
@_files
@_output
@global_options
def from_json(paths: tuple[Path, ...], output: Path | None) -> int:
    """From the JSON output of describe-metric-filters and describe-alarms.

    FILE can also be a folder that `trailsieve audit aws --save` wrote.
    """
    return _write(map(cloudwatch.read, paths), paths, output)


@command.command("aws", epilog=_example("trailsieve import aws --profile security --region eu-central-1"))
@click.option("--profile", help="The profile in ~/.aws to use.")
@click.option("--region", help="The region to import from.")
@click.option("--role-arn", help="The role to assume.")
@click.option("--external-id", help="The external id that the role's trust policy requires.")
@click.option("--endpoint-url", help="An endpoint other than AWS's own, such as a local server.")
@_output
@global_options
def from_aws(output: Path | None, **options: str | None) -> int:
    """From one region of an AWS account, with two read-only calls.

    Requires logs:DescribeMetricFilters and cloudwatch:DescribeAlarms.
    """
    where = options.get("region") or options.get("profile") or "the account"
    return _write([cloudwatch.fetch(AwsConfig(**options))], [where], output)


@command.command(
    "cloudformation", epilog=_example("trailsieve import cloudformation samples/import/monitoring.yaml")
)
@_files
@click.option("--parameter", "given", **_PAIRS, help="A parameter; by default its own default.")
@_output
@global_options
def from_cloudformation(paths: tuple[Path, ...], given: tuple[str, ...], output: Path | None) -> int:
    """From CloudFormation templates in JSON or YAML; intrinsic functions are evaluated."""
    parameters = _pairs(given)
    return _write((cloudformation.read(path, parameters) for path in paths), paths, output)


@command.command("terraform", epilog=_example("trailsieve import terraform samples/import/monitoring.tf"))
@_files
@click.option("--variable", "given", **_PAIRS, help="A variable; by default its own default.")
@_output
@global_options
def from_terraform(paths: tuple[Path, ...], given: tuple[str, ...], output: Path | None) -> int:
    """From a Terraform plan or state in JSON, or from a .tf file or a folder of .tf files.

    A plan, as printed by `terraform show -json PLAN`, holds every value. In .tf files, variables, locals,
    count, for_each and common functions are evaluated; modules and data sources are not.
    """
    variables = _pairs(given)
    return _write((terraform.read(path, variables) for path in paths), paths, output)


@command.command("sigma", epilog=_example("trailsieve import sigma samples/import/sigma"))
@_files
@_output
@global_options
def from_sigma(paths: tuple[Path, ...], output: Path | None) -> int:
    """From Sigma rules for CloudTrail, as YAML files or folders of them. Requires pySigma.

    Sigma ignores case and has keywords, CIDR ranges and arbitrary regular expressions; filter patterns do
    not. Differences are listed as losses, and a rule that would mean something else is left out.
    """
    drafts, unsupported = sigma.read(paths)
    return _finish(drafts, unsupported, paths, output)


def _pairs(given: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"expected NAME=VALUE, not {text!r}")
        pairs[name] = value
    return pairs


def _write(parts: Iterable[ImportResult], sources: Iterable[object], output: Path | None) -> int:
    result = ImportResult()
    try:
        for part in parts:
            result.add(part)
        drafts = rule_drafts(result)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise UsageError(
            f"{', '.join(map(str, sources))}: not the structure that AWS documents: {error!r}"
        ) from None
    return _finish(drafts, result.unsupported, sources, output)


def _finish(
    drafts: list[RuleDraft], unsupported: list[str], sources: Iterable[object], output: Path | None
) -> int:
    """Writes the rule file, and on stderr what it does not carry over; the exit code is 1 without a rule."""
    text = rule_file(drafts, unsupported, ", ".join(map(str, sources)))
    if output:
        output.write_text(text, "utf-8")
    else:
        click.echo(text, nl=False)
    losses = [*unsupported, *(f"{draft.id}: {loss}" for draft in drafts for loss in draft.all_losses())]
    for loss in losses:
        screen().info(loss)
    rules = sum(not draft.broken for draft in drafts)
    screen().info(f"{_count(rules, 'rule')} imported, {_count(len(losses), 'thing')} not carried over")
    return int(rules == 0)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' * (number != 1)}"
