"""`trailsieve lint`: find mistakes in patterns and rules and prove them."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import NamedTuple

import click

from trailsieve.cli.json_output import print_json
from trailsieve.cli.named import named
from trailsieve.cli.options import global_options, no_limits, output_format, print_lines, screen
from trailsieve.errors import caret, visible
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.rules.lint import LocatedIssue, lint_pack, lint_pattern
from trailsieve.rules.lint.sarif import sarif
from trailsieve.rules.rule import Pack, Rule

_EXAMPLES = """\b
Examples:
  trailsieve lint '{ $.readOnly = "false" }'
  trailsieve lint samples/rules/team.toml
  trailsieve lint cis-aws-4.1
  trailsieve lint rules/ --format sarif > lint.sarif
"""
_COLORS = {"error": "red", "warning": "yellow", "note": "cyan"}


@click.command("lint", epilog=_EXAMPLES)
@click.argument("names", metavar="PATTERN|FILE|PACK...", nargs=-1, required=True)
@output_format("text", "json", "sarif", help="sarif is for code scanning services.")
@no_limits
@global_options
def command(names: tuple[str, ...], shape: str, no_limits: bool) -> int:
    """Find mistakes in patterns and rules, each with an event or a proof.

    Takes filter patterns, ids of built-in rules, PACK:ID or FILE:ID, packs, rule files and folders. The rules
    of a pack are also compared with each other. docs/lint.md explains all codes; in a rule,
    lint_ignore = ["TS206"] turns one off.

    The exit code is 1 if there are issues.
    """
    checked = [_check(name, limits=not no_limits) for name in names]
    issues = [located for check in checked for located in check.issues]
    if shape == "json":
        print_json({"issues": [located.as_dict() for located in issues]})
    elif shape == "sarif":
        print_json(sarif(issues))
    else:
        print_lines(line for located in issues for line in _lines(located))
        print_lines([_summary(issues, checked)])
    return int(bool(issues))


class _Check(NamedTuple):
    """The issues of one argument; `rules` is 0 for a single pattern."""

    issues: list[LocatedIssue]
    rules: int


def _check(name: str, *, limits: bool) -> _Check:
    read = named(name, limits=False)
    if isinstance(read, FilterPattern):
        return _Check(lint_pattern(read, limits=limits), 0)
    pack = Pack(read.id, (read,)) if isinstance(read, Rule) else read
    return _Check(lint_pack(pack, limits=limits), len(pack.rules))


# --- output ---


def _lines(located: LocatedIssue) -> Iterator[str]:
    """The lines of an issue."""
    found, level = located.issue, located.code.level
    place = f"{located.file}:{located.line}:{located.column}" if located.file else f"column {located.column}"
    rule = f"rule {located.rule}: " if located.rule else ""
    marked = screen().styled(f"{found.code} {level}", sys.stdout, fg=_COLORS[level], bold=True)
    yield f"{visible(place)}: {marked}: {visible(rule + found.message)}"
    yield from caret(located.pattern, found.span.start + 1)
    if found.proof:
        yield f"  proof: {visible(found.proof)}"
    if found.event:
        yield f"  event: {visible(found.event)}"
    if found.fix:
        yield f"  fix:   {visible(found.fix)}"
    yield ""


def _summary(issues: list[LocatedIssue], checked: list[_Check]) -> str:
    """The number of issues per level, or what was checked (a mistyped name is a text pattern)."""
    if not issues:
        patterns, rules = sum(not check.rules for check in checked), sum(check.rules for check in checked)
        looked = (f"{n} {name}{'s' * (n > 1)}" for n, name in ((patterns, "pattern"), (rules, "rule")) if n)
        return f"no issues in {' and '.join(looked)}"
    levels: list[str] = [located.code.level for located in issues]
    counts = [f"{levels.count(level)} {level}{'s' * (levels.count(level) > 1)}" for level in _COLORS]
    return ", ".join(count for count in counts if not count.startswith("0 "))
