"""How many of 100 CloudTrail records have each field of the catalogue, measured over files of records.

    python tools/measure_fields.py ./AWSLogs more.jsonl.gz            # prints the shares, yours beside ours
    python tools/measure_fields.py --write FILE...                    # puts them into the catalogue

Files are CloudTrail files or JSON lines, gzipped or not; folders are walked. Without --write nothing changes.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from trailsieve import jsontext
from trailsieve.errors import UnreadableError
from trailsieve.trail.catalogue.fields import fields
from trailsieve.trail.cloudtrail import split
from trailsieve.trail.compression import gunzip, is_gzip

TABLE = Path(__file__).resolve().parents[1] / "src/trailsieve/trail/catalogue/fields.toml"
_KINDS = {str: "string", bool: "boolean", list: "array", dict: "object"}


def records(paths: Iterable[Path]) -> Iterator[dict[str, Any]]:
    """Every record of files and folders; what cannot be read is named on stderr."""
    for path in paths:
        for file in sorted(path.rglob("*.json*")) if path.is_dir() else [path]:
            data = file.read_bytes()
            try:
                texts = split(gunzip(data)[0] if is_gzip(data) else data, any_object=True).texts
            except UnreadableError as error:
                print(f"{file}: {error}", file=sys.stderr)
                continue
            yield from (record for text in texts if (record := jsontext.decode_object(text)) is not None)


def names(value: Any, name: str) -> Iterator[tuple[str, Any]]:
    """Each field below a value that is not null, by its name in the catalogue."""
    if isinstance(value, dict):
        for key, child in value.items():
            yield from names(child, f"{name}.{key}" if name else key)
    if isinstance(value, list):
        for child in value:
            yield from names(child, f"{name}[]")
    if name and value is not None:
        yield name, value


def measured(events: Iterable[dict[str, Any]]) -> tuple[int, Counter[str], list[str]]:
    """How many records there are, how many have each field, and what contradicts the catalogue."""
    count, have, odd = 0, Counter[str](), Counter[str]()
    known = fields()
    for record in events:
        count += 1
        found = dict(names(record, ""))
        have.update(found.keys())
        for name, value in found.items():
            kind = _KINDS.get(value.__class__, "number")
            if name in known and known[name].type != kind:
                odd[f"{name} is {known[name].type}, here {kind}"] += 1
            elif name not in known and not _is_inside_open(name):
                odd[f"{name} is not in the catalogue"] += 1
    return count, have, [f"{times} × {text}" for text, times in odd.most_common()]


def _is_inside_open(name: str) -> bool:
    parts = re.findall(r"\.?[^.\[]+|\[\]", name)
    above = ("".join(parts[:length]) for length in range(1, len(parts)))
    return any(fact.open for part in above if (fact := fields().get(part)))


def written(text: str, count: int, have: Counter[str]) -> str:
    """The catalogue's text with these shares."""

    def row(match: re.Match[str]) -> str:
        share = 100 * have[match[2].strip('"')] / count
        return f"{match[1]}{share:.1f}"

    text = re.sub(r"^records = \d+$", f"records = {count}", text, flags=re.MULTILINE)
    return re.sub(r"^((\S+) = \{ type = \"\w+\", share = )[\d.]+", row, text, flags=re.MULTILINE)


def main() -> None:
    """Prints the shares, or writes them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--write", action="store_true", help="put the shares into the catalogue")
    options = parser.parse_args()
    count, have, odd = measured(records(options.files))
    if not count:
        parser.error("there is no record in these files")
    if options.write:
        TABLE.write_text(written(TABLE.read_text("utf-8"), count, have), "utf-8")
    else:
        print(f"{'field':56} here  catalogue   of {count} records")
        for name, fact in fields().items():
            print(f"{name:56} {100 * have[name] / count:5.1f} {fact.share:5.1f}")
    for line in odd:
        print(line, file=sys.stderr)


if __name__ == "__main__":
    main()
