"""`trailsieve test`: run the tests that rules carry."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click

from trailsieve.analysis.rule_tests import run_tests
from trailsieve.cli.options import global_options, no_limits
from trailsieve.errors import visible, visible_lines
from trailsieve.rules.coverage import RuleCoverage
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Pack
from trailsieve.rules.testing import as_junit

_EXAMPLES = """\b
Examples:
  trailsieve test samples/rules/team.toml
  trailsieve test cis-aws cis-aws-tuned --junit report.xml
  trailsieve test samples/rules --coverage
"""
_MISSING = {"true": "never true", "false": "never false", "at all": "never tested"}


@click.command("test", epilog=_EXAMPLES)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--junit", type=click.Path(dir_okay=False), help="Also write the results as JUnit XML.")
@click.option(
    "--coverage", is_flag=True, help="Also list the terms that are never true, or never false, in the tests."
)
@no_limits
@global_options
def command(paths: tuple[str, ...], junit: str | None, coverage: bool, no_limits: bool) -> int:
    """Run the tests that rules carry: what each rule must match, ignore, extract and raise.

    PATH is a rule file, a folder of them, or a built-in pack. Exit code 1 means that a test failed.
    """
    packs = [load_pack(path, limits=not no_limits) for path in paths]
    results = [result for pack in packs for result in run_tests(pack)]
    for result in results:
        if result.failure:
            failed_test = f"FAILED {result.place}: rule {result.rule}: {result.name}"
            print(f"{visible_lines(failed_test)}\n{_indented(visible_lines(result.failure))}\n")
    if junit:
        Path(junit).write_bytes(as_junit(results))
    if coverage:
        print("\n".join(_coverage_lines(packs)))
    failed = sum(bool(result.failure) for result in results)
    untested = sorted({result.rule for result in results if result.untested})
    for rule in untested:
        print(f"no tests: rule {visible(rule)}")
    print(f"{len(results) - failed - len(untested)} passed, {failed} failed")
    return 1 if failed else 0


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))


def _coverage_lines(packs: list[Pack]) -> Iterator[str]:
    from trailsieve.rules.coverage import coverage

    rules = [rule for pack in packs for rule in coverage(pack)]
    for rule in rules:
        yield from _uncovered(rule)
    seen, terms = sum(rule.seen for rule in rules), sum(len(rule.terms) for rule in rules)
    yield f"coverage: {seen} of {terms} terms are both true and false in the tests"


def _uncovered(rule: RuleCoverage) -> Iterator[str]:
    missing = [term for term in rule.terms if term.missing]
    if missing:
        yield f"{visible(rule.place)}: rule {visible(rule.rule)}: {rule.seen} of {len(rule.terms)} terms"
    for term in missing:
        kind = "ignore" if term.missing == "false" else "match"
        shown = f"   add, for example: {kind} {visible(term.event)}" if term.event else ""
        yield f"    {_MISSING[term.missing]}: {visible(term.text)}{shown}"
    if missing:
        yield ""
