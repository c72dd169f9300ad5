"""`trailsieve lint`: what is wrong with patterns and rules, with proof."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import click

from trailsieve.cli.options import global_options, no_limits, screen
from trailsieve.errors import caret, visible

if TYPE_CHECKING:
    from trailsieve.rules.lint import Finding

_EXAMPLES = """\b
Examples:
  trailsieve lint '{ $.readOnly = "false" }'
  trailsieve lint samples/rules/team.toml
  trailsieve lint cis-aws-4.1
  trailsieve lint rules/ --format sarif > lint.sarif
"""
_COLORS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command("lint", epilog=_EXAMPLES)
@click.argument("subjects", metavar="PATTERN|FILE|PACK...", nargs=-1, required=True)
@click.option(
    "--format",
    "shape",
    type=click.Choice(["text", "json", "sarif"]),
    default="text",
    show_default=True,
    help="For people, for programs, or for code scanning services.",
)
@no_limits
@global_options
def command(subjects: tuple[str, ...], shape: str, no_limits: bool) -> int:
    """Find what is wrong with patterns and rules, each finding with the event that proves it.

    A subject is a filter pattern, the id of a built-in rule, PACK:ID or FILE:ID, or a pack, file or folder,
    whose rules are then also compared with each other. A rule says lint_ignore = ["TS206"] for findings
    that are meant. Each code is explained in docs/lint.md.

    Exit code 1 means that something was found.
    """
    from trailsieve.rules.lint.sarif import sarif

    checked = [_check(subject, limits=not no_limits) for subject in subjects]
    findings = [finding for check in checked for finding in check.findings]
    if shape == "json":
        click.echo(json.dumps({"findings": [finding.as_dict() for finding in findings]}, indent=2))
    elif shape == "sarif":
        click.echo(json.dumps(sarif(findings), indent=2))
    else:
        _print(line for finding in findings for line in _lines(finding))
        _print([_summary(findings, checked)])
    return int(bool(findings))


class _Check(NamedTuple):
    """What was found in one subject; `rules` is 0 for a pattern that stands alone."""

    findings: list[Finding]
    rules: int


def _check(subject: str, *, limits: bool) -> _Check:
    from trailsieve.cli.named import named
    from trailsieve.pattern.compiler import FilterPattern
    from trailsieve.rules.lint import lint_pack, lint_pattern
    from trailsieve.rules.rule import Pack, Rule

    read = named(subject, limits=False)
    if isinstance(read, FilterPattern):
        return _Check(lint_pattern(read, limits=limits), 0)
    pack = Pack(read.id, (read,)) if isinstance(read, Rule) else read
    return _Check(lint_pack(pack, limits=limits), len(pack.rules))


# --- output ---


def _print(lines: Iterable[str]) -> None:
    for line in lines:
        click.echo(line, color=True)


def _lines(finding: Finding) -> Iterator[str]:
    """A finding for a person."""
    found, level = finding.found, finding.code.level
    place = f"{finding.file}:{finding.line}:{finding.column}" if finding.file else f"column {finding.column}"
    rule = f"rule {finding.rule}: " if finding.rule else ""
    marked = _styled(f"{found.code} {level}", fg=_COLORS[level], bold=True)
    yield f"{visible(place)}: {marked}: {visible(rule + found.message)}"
    yield from caret(finding.pattern, found.span.start + 1)
    if found.proof:
        yield f"  proof: {visible(found.proof)}"
    if found.event:
        yield f"  event: {visible(found.event)}"
    if found.mend:
        yield f"  mend:  {visible(found.mend)}"
    yield ""


def _styled(text: str, **style: object) -> str:
    return click.style(text, **style) if screen().colored(sys.stdout) else text  # type: ignore[arg-type]


def _summary(findings: list[Finding], checked: list[_Check]) -> str:
    """How much of each level; or what was looked at, because a mistyped name is a text pattern, too."""
    if not findings:
        patterns, rules = sum(not check.rules for check in checked), sum(check.rules for check in checked)
        looked = (f"{n} {name}{'s' * (n > 1)}" for n, name in ((patterns, "pattern"), (rules, "rule")) if n)
        return f"nothing found in {' and '.join(looked)}"
    levels: list[str] = [finding.code.level for finding in findings]
    counts = [f"{levels.count(level)} {level}{'s' * (levels.count(level) > 1)}" for level in _COLORS]
    return ", ".join(count for count in counts if not count.startswith("0 "))
