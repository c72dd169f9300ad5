"""Writes docs/lint.md and docs/fields.md from the tables that the linter runs on.

python tools/write_docs.py            # writes the pages
python tools/write_docs.py --check    # exit code 1 when they are not what would be written
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import chdir, redirect_stdout
from io import StringIO
from itertools import groupby
from pathlib import Path
from textwrap import fill

from trailsieve.cli.main import run
from trailsieve.rules.lint import Code, codes
from trailsieve.trail.catalogue.fields import fields

ROOT = Path(__file__).resolve().parents[1]
FAMILIES = {
    "1": "Meaning",
    "2": "Fields of CloudTrail",
    "3": "Names",
    "4": "Writing",
    "5": "Rules together",
}
_LINT = """\
# What `trailsieve lint` finds

<!-- Made by tools/write_docs.py from src/trailsieve/rules/lint/codes.toml. -->

`trailsieve lint` takes patterns, ids of built-in rules, rule files, folders and packs. Each finding shows
how it is known: a proof over all events, an event that was tried out on the pattern, or a catalogue
([fields](fields.md), API names, error codes). What cannot be decided is not told. Findings about
CloudTrail's fields and names are told of patterns that read one of its fields; patterns for other logs are
checked for their meaning alone.

A rule that means what is found says so: `lint_ignore = ["TS206"]`. `--format sarif` is for code scanning
services, `--format json` for programs; exit code 1 means that something was found.
"""
_FIELDS = """\
# The fields of CloudTrail records

<!-- Made by tools/write_docs.py from src/trailsieve/trail/catalogue/fields.toml. -->

Names, types and values are AWS's ([records][1], [userIdentity][2]). The share is how many of 100 records
have the field with a value that is not null, measured over {records:,} records of public collections (the
AWS data set of Invictus Incident Response, TrailDiscover, and the examples in AWS's user guides); a field
is there *always* from 99 on, *often* from 50 on, else *rarely*. Another trail has other shares: `python
tools/measure_fields.py ./AWSLogs` prints yours beside these.

Below `open` fields each call has its own fields; of all others these are all there are.

[1]: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-record-contents.html
[2]: https://docs.aws.amazon.com/awscloudtrail/latest/userguide/cloudtrail-event-reference-user-identity.html

| field | type | present | of 100 | values |
|---|---|---|---:|---|
"""


def lint_page() -> str:
    """The codes, by family."""
    families = groupby(codes().values(), key=lambda code: FAMILIES[code.code[2]])
    return _LINT + "".join(line for family, some in families for line in _family(family, some))


def _family(name: str, some: Iterator[Code]) -> Iterator[str]:
    yield f"\n## {name}\n"
    for code in some:
        bad, good = _linted(code.bad), code.good
        said = f"**{code.title}** ({code.level}). {' '.join(code.explanation.split())}"
        yield f"\n### {code.code}\n\n{fill(said, 108, break_long_words=False, break_on_hyphens=False)}\n"
        yield f"\n{bad}\nGood:\n\n```{_language(good)}\n{good}\n```\n"


def _linted(example: str) -> str:
    """A bad example with what lint prints of it."""
    if example.startswith("[[rule]]"):
        return (
            f"```toml\n{example}\n```\n\n```console\n$ trailsieve lint rules.toml\n{_printed(example)}```\n"
        )
    return f"```console\n$ trailsieve lint '{example}'\n{_printed(example)}```\n"


def _printed(example: str) -> str:
    printed = StringIO()
    with tempfile.TemporaryDirectory() as folder, chdir(folder), redirect_stdout(printed):
        Path("rules.toml").write_text(f"{example}\n", "utf-8")
        run(["lint", "--color", "never", "rules.toml" if example.startswith("[[rule]]") else example])
    return printed.getvalue()


def _language(example: str) -> str:
    return "toml" if example.startswith("[[rule]]") else "text"


def fields_page() -> str:
    """The field catalogue as a table."""
    table = (ROOT / "src/trailsieve/trail/catalogue/fields.toml").read_text("utf-8")
    rows = [
        f"| `{fact.name}` | {fact.type}{', open' * fact.open} | {fact.presence} | {fact.share:.1f} "
        f"| {', '.join(f'`{value}`' for value in fact.values)} |\n"
        for fact in fields().values()
    ]
    return _FIELDS.format(records=tomllib.loads(table)["records"]) + "".join(rows)


def main() -> int:
    """Writes or checks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument(
        "--check", action="store_true", help="write nothing, say whether the pages are as made"
    )
    check = parser.parse_args().check
    stale = 0
    for name, text in (("lint.md", lint_page()), ("fields.md", fields_page())):
        file = ROOT / "docs" / name
        if not check:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, "utf-8")
        elif not file.exists() or file.read_text("utf-8") != text:
            print(f"{file} is stale: run python tools/write_docs.py", file=sys.stderr)
            stale = 1
    return stale


if __name__ == "__main__":
    sys.exit(main())
