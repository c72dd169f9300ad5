"""`trailsieve audit`: whether an account's monitoring meets the CIS benchmark, judged by what it does."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec import structs

from trailsieve.app.build import rules_of
from trailsieve.app.load import load_config
from trailsieve.audit.collect import collect, configs
from trailsieve.audit.model import ControlResult
from trailsieve.audit.reports.text import lines
from trailsieve.audit.run import audit, chosen
from trailsieve.audit.target import AuditedConfig, AuditedSink
from trailsieve.cli.json_output import print_json, to_json
from trailsieve.cli.options import CommandGroup, global_options, screen
from trailsieve.cloudwatch.describe import OPERATIONS
from trailsieve.cloudwatch.snapshot import Snapshot, load
from trailsieve.errors import UsageError
from trailsieve.wire.aws import AwsConfig

_FOLDER = click.Path(file_okay=False, path_type=Path)
_EXAMPLES = """\b
Examples:
  trailsieve audit aws --profile security --region eu-central-1
  trailsieve audit aws --save responses/ --format html > audit.html
  trailsieve audit aws --from responses/ --controls 4.1,4.3
  trailsieve audit aws --role-arn 'arn:aws:iam::{account}:role/audit' --accounts accounts.txt
  trailsieve audit aws --config trailsieve.toml
  trailsieve audit policy > policy.json
"""


@click.group("audit", cls=CommandGroup, epilog=_EXAMPLES)
@global_options
def command() -> None:
    """Audit an account's monitoring by what it does."""


@command.command("aws", epilog=_EXAMPLES)
@click.option("--profile", help="A profile of ~/.aws.")
@click.option("--region", help="The region to start in; the regions of log groups are found from there.")
@click.option("--role-arn", help="A role to assume; {account} in it is replaced with each of --accounts.")
@click.option("--external-id", help="The external id that the role's trust policy requires.")
@click.option("--endpoint-url", help="Another endpoint than AWS's own, such as a local server.")
@click.option(
    "--accounts",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file with one account id (with --role-arn) or role ARN per line.",
)
@click.option("--controls", default="", help="Only these controls, such as 4.1,4.3.  [default: all fifteen]")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "html", "asff", "ocsf", "junit"]),
    default="text",
    show_default=True,
    help="For people, for programs, for Security Hub and other SIEMs, for CI.",
)
@click.option(
    "--from", "source", metavar="DIR", type=_FOLDER, help="Audit saved AWS responses instead of calling AWS."
)
@click.option(
    "--save", metavar="DIR", type=_FOLDER, help="Save the AWS responses, as the AWS CLI prints them."
)
@click.option(
    "--config",
    metavar="CONFIG.toml",
    type=click.Path(dir_okay=False),
    help="A trailsieve configuration, which meets a control if it reads the trail and has a rule for it.",
)
@global_options
def aws(
    *,
    accounts: Path | None,
    controls: str,
    shape: str,
    source: Path | None,
    save: Path | None,
    config: str | None,
    **options: str | None,
) -> int:
    """Follow the chain behind each CIS monitoring control, and name the first broken link.

    The chain is trail, logging, event selectors, log group, metric filter, its pattern, alarm, threshold,
    actions, subscription. A pattern is judged by the events that it matches, never by its text: it passes
    if it provably matches everything the control requires, and fails with an event that it misses.

    The audit only reads; `trailsieve audit policy` prints the permissions that it needs. The exit code is 0
    if every control passes, and 1 if one fails or cannot be judged.
    """
    wanted = chosen(controls.split(","))
    audited = _config(config) if config else None
    snapshot = _snapshot(source, accounts, AwsConfig(**options))
    if save:
        snapshot.save(save)
    try:
        results = audit(snapshot, wanted, audited)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        if source is None:
            raise
        raise UsageError(f"{source}: a response does not have the shape of AWS's own: {error!r}") from None
    click.echo(_report(results, shape, options.get("region")), nl=False, color=True)
    return int(any(result.verdict != "pass" for result in results))


@command.command("policy", epilog="\b\nExamples:\n  trailsieve audit policy > policy.json")
@global_options
def policy() -> int:
    """Print the IAM policy with exactly the permissions that the audit needs."""
    actions = [operation.action for operation in OPERATIONS.values()]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    print_json({"Version": "2012-10-17", "Statement": [statement]})
    return 0


def _snapshot(source: Path | None, accounts: Path | None, config: AwsConfig) -> Snapshot:
    if source is None:
        return collect(configs(config, _accounts(accounts, config)), screen().info)
    if accounts or config != AwsConfig(region=config.region):
        raise UsageError("--from does not call AWS: leave out the options for accounts and credentials")
    return load(source)


def _accounts(path: Path | None, config: AwsConfig) -> list[str]:
    """The lines of a file of accounts, without blank lines and comments."""
    if path is None:
        return []
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    found = list(filter(None, lines))
    for line in found:
        is_account = len(line) == 12 and line.isascii() and line.isdigit()
        if not is_account and not line.startswith("arn:"):
            raise UsageError(f"{path}: {line!r} is neither an account id (12 digits) nor the ARN of a role")
        if is_account and not config.role_arn:
            raise UsageError(f"{path}: account ids need --role-arn 'arn:aws:iam::{{account}}:role/NAME'")
    if not found:
        raise UsageError(f"{path}: it has no accounts")
    return found


def _config(path: str) -> AuditedConfig:
    """The parts of a configuration that the audit judges."""
    config = load_config(path)
    sinks = tuple(AuditedSink(sink.name, sink.kind, sink.routing.takes) for sink in config.sinks)
    settings = structs.asdict(config.source.settings)
    return AuditedConfig(path, config.source.kind, settings, tuple(rules_of(config)), sinks)


# --- output ---


def _report(results: Sequence[ControlResult], shape: str, region: str | None) -> str:
    from trailsieve.audit.reports import html, structured

    now = datetime.now(UTC)
    match shape:
        case "json":
            return to_json({"results": [structured.as_dict(result) for result in results]}) + "\n"
        case "html":
            return html.page(results, now)
        case "asff":
            region = region or "us-east-1"
            return to_json([structured.as_asff(result, region, now) for result in results]) + "\n"
        case "ocsf":
            documents = (to_json(structured.as_ocsf(result, now), indent=False) for result in results)
            return "".join(f"{document}\n" for document in documents)
        case "junit":
            return structured.as_junit(results).decode()
        case _:
            colored = screen().colored(sys.stdout)
            return "".join(f"{_painted(line) if colored else line}\n" for line in lines(results))


def _painted(line: str) -> str:
    colors = {"✓": "green", "✗": "red", "?": "yellow"}
    mark = line.strip()[:1]
    return line.replace(mark, click.style(mark, fg=colors[mark]), 1) if mark in colors else line
