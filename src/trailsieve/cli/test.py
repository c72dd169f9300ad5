"""`trailsieve test`: runs the tests that rules carry."""

from __future__ import annotations

import click

from trailsieve.cli.options import global_options, no_limits
from trailsieve.errors import visible, visible_lines

_EXAMPLES = """\b
Examples:
  trailsieve test samples/rules/team.toml
  trailsieve test cis-aws cis-aws-tuned --junit report.xml
"""


@click.command("test", epilog=_EXAMPLES)
@click.argument("paths", metavar="PATH...", nargs=-1, required=True)
@click.option("--junit", type=click.Path(dir_okay=False), help="Also write the results as JUnit XML.")
@no_limits
@global_options
def command(paths: tuple[str, ...], junit: str | None, no_limits: bool) -> int:
    """Check that every rule matches the events it must match, and none that it must not.

    PATH is a rule file, a folder of them, or a built-in pack. Exit code 1 means that a test failed.
    """
    from trailsieve.rules.load import load_pack
    from trailsieve.rules.testing import run_tests, write_junit

    results = [result for path in paths for result in run_tests(load_pack(path, limits=not no_limits))]
    for result in results:
        if result.failure:
            failed_test = f"FAILED {result.place}: rule {result.rule}: {result.name}"
            print(f"{visible_lines(failed_test)}\n{_indented(visible_lines(result.failure))}\n")
    if junit:
        write_junit(results, junit)
    failed = sum(bool(result.failure) for result in results)
    untested = sorted({result.rule for result in results if result.untested})
    for rule in untested:
        print(f"no tests: rule {visible(rule)}")
    print(f"{len(results) - failed - len(untested)} passed, {failed} failed")
    return 1 if failed else 0


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.split("\n"))
