"""`trailsieve import`: metric filters and alarms, and Sigma rules, as a rule file."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

import click

from trailsieve.cli.options import global_options, screen
from trailsieve.errors import UsageError
from trailsieve.interchange.importers import cloudformation, cloudwatch, terraform
from trailsieve.interchange.importers.metric_filters import rule_drafts
from trailsieve.interchange.importers.model import ImportResult
from trailsieve.interchange.importers.rule_file import rule_file
from trailsieve.interchange.sigma import rules as sigma
from trailsieve.wire.aws import AwsConfig

_SAMPLES = "samples/import/describe-metric-filters.json samples/import/describe-alarms.json"
F = TypeVar("F", bound=Callable[..., Any])
_EXAMPLES = """\b
Examples:
  trailsieve import cloudformation samples/import/monitoring.yaml > rules.toml
  trailsieve import terraform samples/import/monitoring.tf --output rules.toml
  trailsieve import json samples/import/describe-metric-filters.json samples/import/describe-alarms.json
  trailsieve import aws --profile security --region eu-central-1
  trailsieve import sigma samples/import/sigma
"""


@click.group("import", epilog=_EXAMPLES)
@global_options
def command() -> None:
    """Make rules of metric filters and alarms, or of Sigma rules.

    Each rule has the same pattern, metric, period, threshold and treatment of missing data. What cannot be
    carried over stands as a comment with ! beside its rule, and is told on stderr.
    """


def _output(command: F) -> F:
    return click.option(
        "-o",
        "--output",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="The rule file to write; standard output when not given.",
    )(command)


def _files(command: F) -> F:
    return click.argument(
        "paths",
        metavar="FILE...",
        nargs=-1,
        required=True,
        type=click.Path(exists=True, path_type=Path),
    )(command)


def _example(line: str) -> str:
    return f"\b\nExamples:\n  {line}"


@command.command("json", epilog=_example(f"trailsieve import json {_SAMPLES}"))
@_files
@_output
@global_options
def from_json(paths: tuple[Path, ...], output: Path | None) -> int:
    """From what describe-metric-filters and describe-alarms printed as JSON.

    FILE may also be a folder that `trailsieve audit aws --save` wrote.
    """
    return _write(map(cloudwatch.read, paths), paths, output)


@command.command("aws", epilog=_example("trailsieve import aws --profile security --region eu-central-1"))
@click.option("--profile", help="A profile of ~/.aws.")
@click.option("--region", help="The region to ask.")
@click.option("--role-arn", help="A role to assume.")
@click.option("--external-id", help="What the role's trust policy asks for.")
@click.option("--endpoint-url", help="Another endpoint than AWS's own, such as a local server.")
@_output
@global_options
def from_aws(output: Path | None, **options: str | None) -> int:
    """From one region of a live account: two calls that only read.

    They need logs:DescribeMetricFilters and cloudwatch:DescribeAlarms.
    """
    where = options.get("region") or options.get("profile") or "the account"
    return _write([cloudwatch.ask(AwsConfig(**options))], [where], output)


@command.command(
    "cloudformation", epilog=_example("trailsieve import cloudformation samples/import/monitoring.yaml")
)
@_files
@click.option(
    "--parameter", "given", metavar="NAME=VALUE", multiple=True, help="A parameter; its default otherwise."
)
@_output
@global_options
def from_cloudformation(paths: tuple[Path, ...], given: tuple[str, ...], output: Path | None) -> int:
    """From CloudFormation templates in JSON or YAML, with their intrinsic functions."""
    parameters = _pairs(given)
    return _write((cloudformation.read(path, parameters) for path in paths), paths, output)


@command.command("terraform", epilog=_example("trailsieve import terraform samples/import/monitoring.tf"))
@_files
@click.option(
    "--variable", "given", metavar="NAME=VALUE", multiple=True, help="A variable; its default otherwise."
)
@_output
@global_options
def from_terraform(paths: tuple[Path, ...], given: tuple[str, ...], output: Path | None) -> int:
    """From a Terraform plan or state in JSON, or from HCL: a .tf file, or a folder of them.

    A plan, as `terraform show -json PLAN` prints it, has everything. HCL is evaluated here as far as it
    explains itself: variables, locals, count, for_each and common functions, no modules.
    """
    variables = _pairs(given)
    return _write((terraform.read(path, variables) for path in paths), paths, output)


@command.command("sigma", epilog=_example("trailsieve import sigma samples/import/sigma"))
@_files
@_output
@global_options
def from_sigma(paths: tuple[Path, ...], output: Path | None) -> int:
    """From Sigma rules for CloudTrail: YAML files, or folders of them. Needs pySigma.

    Sigma compares without regard to case, and knows keywords, CIDR ranges and any regex: filter patterns do
    not. What a rule loses thereby is said; a rule that would mean something else is left out, and told.
    """
    drafts, unsupported = sigma.read(paths)
    return _finish(drafts, unsupported, paths, output)


def _pairs(given: Iterable[str]) -> dict[str, str]:
    pairs = {}
    for text in given:
        name, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"{text!r} is no NAME=VALUE")
        pairs[name] = value
    return pairs


def _write(parts: Iterable[ImportResult], sources: Iterable[object], output: Path | None) -> int:
    result = ImportResult()
    try:
        for part in parts:
            result.add(part)
        made = rule_drafts(result)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        raise UsageError(
            f"{', '.join(map(str, sources))}: not in the shape of AWS's own: {error!r}"
        ) from None
    return _finish(made, result.unsupported, sources, output)


def _finish(made: list[Any], unsupported: list[str], sources: Iterable[object], output: Path | None) -> int:
    """Writes the rule file, and tells a person what is not in it."""
    text = rule_file(made, unsupported, ", ".join(map(str, sources)))
    if output:
        output.write_text(text, "utf-8")
    else:
        click.echo(text, nl=False)
    for sentence in unsupported:
        screen().say(sentence)
    for draft in made:
        for sentence in [f"no rule: {draft.broken}"] * bool(draft.broken) + draft.losses:
            screen().say(f"{draft.id}: {sentence}")
    rules = sum(not draft.broken for draft in made)
    losses = len(unsupported) + sum(len(draft.losses) + bool(draft.broken) for draft in made)
    screen().say(f"{rules} rules, {losses} things that are not carried over")
    return int(rules == 0)
