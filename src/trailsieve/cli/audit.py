"""`trailsieve audit`: whether an account's monitoring does what the CIS benchmark asks, by behaviour."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from trailsieve.cli.options import global_options, screen
from trailsieve.errors import UsageError
from trailsieve.wire.aws import AwsConfig

if TYPE_CHECKING:
    from trailsieve.audit.model import Finding
    from trailsieve.audit.trailsieve_config import Siem
    from trailsieve.cloudwatch.snapshot import Snapshot

_EXAMPLES = """\b
Examples:
  trailsieve audit aws --profile security --region eu-central-1
  trailsieve audit aws --save answers/ --format html > audit.html
  trailsieve audit aws --from answers/ --controls 4.1,4.3
  trailsieve audit aws --role-arn 'arn:aws:iam::{account}:role/audit' --accounts accounts.txt
  trailsieve audit aws --config trailsieve.toml
  trailsieve audit policy > policy.json
"""


@click.group("audit", epilog=_EXAMPLES)
@global_options
def command() -> None:
    """Judge an account's monitoring by what it does."""


@command.command("aws", epilog=_EXAMPLES)
@click.option("--profile", help="A profile of ~/.aws.")
@click.option("--region", help="Where to begin; regions of log groups are found from there.")
@click.option("--role-arn", help="A role to assume; {account} in it stands for each of --accounts.")
@click.option("--external-id", help="What the role's trust policy asks for.")
@click.option("--endpoint-url", help="Another endpoint than AWS's own, such as a local server.")
@click.option(
    "--accounts",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A file of account ids (with --role-arn) or ARNs of roles, one a line.",
)
@click.option("--controls", default="", help="Only these, such as 4.1,4.3.  [default: all fifteen]")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "html", "asff", "ocsf", "junit"]),
    default="text",
    show_default=True,
    help="For people, for programs, for Security Hub and other SIEMs, for CI.",
)
@click.option(
    "--from",
    "source",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Judge saved answers of describe-* calls; AWS is not asked.",
)
@click.option(
    "--save",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the answers of AWS, as the AWS CLI prints them.",
)
@click.option(
    "--config",
    metavar="CONFIG.toml",
    type=click.Path(dir_okay=False),
    help="A trailsieve configuration: it meets a control too, when it reads the trail and has a rule for it.",
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
    """Follow the chain of each CIS monitoring control, and name the first link that is broken.

    The chain is trail, logging, event selectors, log group, metric filter, its pattern, alarm, threshold,
    actions, subscription. A pattern is judged by the events that it matches, never by its text: it passes
    when it is proved to match all that the control asks for, and fails with an event that it misses.

    Only reads; `trailsieve audit policy` prints the permissions that it needs. Exit code 0 means that every
    control passes, 1 that one fails or cannot be told.
    """
    from trailsieve.audit.run import audit, chosen

    wanted = chosen(controls.split(","))
    siem = _siem(config) if config else None
    snapshot = _snapshot(source, accounts, AwsConfig(**options))
    if save:
        snapshot.save(save)
    try:
        findings = audit(snapshot, wanted, siem)
    except (AttributeError, TypeError, KeyError, ValueError) as error:
        if source is None:
            raise
        raise UsageError(f"{source}: an answer is not in the shape of AWS's own: {error!r}") from None
    click.echo(_FORMATS[shape](findings, options.get("region")), nl=False, color=True)
    return int(any(finding.verdict != "pass" for finding in findings))


@command.command("policy", epilog="\b\nExamples:\n  trailsieve audit policy > policy.json")
@global_options
def policy() -> int:
    """Print the IAM policy that the audit needs: who runs it may do just that."""
    from trailsieve.cloudwatch.snapshot import CALLS

    actions = [call.action for call in CALLS.values()]
    statement = {"Effect": "Allow", "Action": actions, "Resource": "*"}
    click.echo(json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2))
    return 0


def _snapshot(source: Path | None, accounts: Path | None, config: AwsConfig) -> Snapshot:
    from trailsieve.audit.collect import collect, configs
    from trailsieve.cloudwatch.snapshot import load

    if source is None:
        return collect(configs(config, _accounts(accounts, config)), screen().say)
    if accounts or config != AwsConfig(region=config.region):
        raise UsageError("--from asks no account: leave the options for accounts and credentials out")
    return load(source)


def _accounts(path: Path | None, config: AwsConfig) -> list[str]:
    """The lines of a file of accounts; blank ones and comments after # do not count."""
    if path is None:
        return []
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{path}: cannot be read: {error}") from None
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    found = [line for line in lines if line]
    for line in found:
        is_account = len(line) == 12 and line.isascii() and line.isdigit()
        if not is_account and not line.startswith("arn:"):
            raise UsageError(f"{path}: {line!r} is neither an account id (12 digits) nor the ARN of a role")
        if is_account and not config.role_arn:
            raise UsageError(f"{path}: account ids need --role-arn 'arn:aws:iam::{{account}}:role/NAME'")
    if not found:
        raise UsageError(f"{path}: there is no account in it")
    return found


def _siem(path: str) -> Siem:
    """A configuration as far as the audit needs it."""
    from msgspec import structs

    from trailsieve.app.build import rules_of
    from trailsieve.app.load import load_config
    from trailsieve.audit.trailsieve_config import Siem, Sink

    config, _ = load_config(path)
    sinks = tuple(Sink(sink.name, sink.kind, sink.routing.takes) for sink in config.sinks)
    settings = structs.asdict(config.source.settings)
    return Siem(path, config.source.kind, settings, tuple(rules_of(config)), sinks)


# --- output ---


def _text(findings: Sequence[Finding], region: str | None) -> str:
    from trailsieve.audit.reports.text import lines

    colored = screen().colored(sys.stdout)
    return "".join(f"{_painted(line) if colored else line}\n" for line in lines(findings))


def _painted(line: str) -> str:
    colors = {"✓": "green", "✗": "red", "?": "yellow"}
    mark = line.strip()[:1]
    return line.replace(mark, click.style(mark, fg=colors[mark]), 1) if mark in colors else line


def _json(findings: Sequence[Finding], region: str | None) -> str:
    from trailsieve.audit.reports.structured import as_dict

    return json.dumps({"findings": [as_dict(finding) for finding in findings]}, indent=2) + "\n"


def _html(findings: Sequence[Finding], region: str | None) -> str:
    from trailsieve.audit.reports.html import page

    return page(findings, datetime.now(UTC))


def _asff(findings: Sequence[Finding], region: str | None) -> str:
    from trailsieve.audit.reports.structured import as_asff

    now = datetime.now(UTC)
    return json.dumps([as_asff(finding, region or "us-east-1", now) for finding in findings], indent=2) + "\n"


def _ocsf(findings: Sequence[Finding], region: str | None) -> str:
    from trailsieve.audit.reports.structured import as_ocsf

    now = datetime.now(UTC)
    return "".join(json.dumps(as_ocsf(finding, now)) + "\n" for finding in findings)


def _junit(findings: Sequence[Finding], region: str | None) -> str:
    from trailsieve.audit.reports.structured import as_junit

    return as_junit(findings).decode()


_FORMATS: dict[str, Callable[[Sequence[Finding], str | None], str]] = {
    "text": _text,
    "json": _json,
    "html": _html,
    "asff": _asff,
    "ocsf": _ocsf,
    "junit": _junit,
}
