"""A corpus of damaged, odd and hostile files, each with what a replay must say of it.

`python -m tests.badinput FOLDER` writes it for trying things by hand.
"""

from __future__ import annotations

import gzip
import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.cli.console import denied

LIMIT = 64 * 2**20  # bytes; what a replay of the corpus is to be told as its --max-object-size
_numbers = iter(range(1, 10_000))


def hit(more: bytes = b"") -> bytes:
    """A record that cis-aws-4.1 matches, with more members at its end."""
    text = json.dumps(denied(next(_numbers)), separators=(",", ":")).encode()
    return text[:-1] + (b"," + more if more else b"") + b"}"


def log(*records: bytes) -> bytes:
    """A file as CloudTrail writes it, not yet compressed."""
    return b'{"Records":[' + b",".join(records) + b"]}"


def packed(*records: bytes) -> bytes:
    """A file as CloudTrail writes it."""
    return gzip.compress(log(*records), 1)


@dataclass(frozen=True)
class Bad:
    """A file and what a replay must make of it.

    Attributes:
        file: its name.
        data: makes its bytes.
        matches: how many of its records match.
        says: what stderr says of it, behind its path.
        category: what it counts as when it is skipped, "" when it is read.
        unread: how many single records cannot be read.
        letters: the original bytes that go to the dead letters.
    """

    file: str
    data: Callable[[], bytes]
    matches: int = 0
    says: tuple[str, ...] = ()
    category: str = ""
    unread: int = 0
    letters: tuple[bytes, ...] = ()


def refused(file: str, data: bytes, says: str, category: str) -> Bad:
    """A file of which nothing can be read; it goes to the dead letters as it is."""
    return Bad(file, lambda: data, says=(f": {says}",), category=category, letters=(data,))


def warned(file: str, data: bytes, matches: int, says: str) -> Bad:
    """A file that is read all the same."""
    return Bad(file, lambda: data, matches, (f": {says}",))


def fine(data: Callable[[], bytes], matches: int = 1, file: str = "x.json") -> Bad:
    """A file that is odd, but about which there is nothing to say."""
    return Bad(file, data, matches)


def of_gzip() -> dict[str, Bad]:
    """Compression: what is whole is read, what is not is named."""
    member, other = packed(hit(), hit()), packed(hit())
    bomb = gzip.compress(bytes(LIMIT + 1), 9)
    early = "truncated: the gzip stream ends early, after 0 bytes of content"
    no_gzip = "not gzip, although its name ends in .gz"
    return {
        "empty file": refused("x.json.gz", b"", "empty: the file has no bytes", "empty"),
        "empty gzip": refused(
            "x.json.gz", gzip.compress(b""), "empty: the gzip stream has no content", "empty"
        ),
        "truncated gzip": refused("x.json.gz", gzip.compress(log(hit()), 1)[:40], early, "truncated"),
        "gzip of three bytes": refused("x.json.gz", member[:3], early, "truncated"),
        "wrong checksum": refused(
            "x.json.gz",
            member[:-8] + bytes(4) + member[-4:],
            "damaged gzip: Incorrect checksum found",
            "damaged gzip",
        ),
        "several members": fine(lambda: member + other, 3, "x.json.gz"),
        "zero padding": fine(lambda: member + bytes(512), 2, "x.json.gz"),
        "bytes behind": warned("x.json.gz", other + b"behind", 1, "6 bytes after the gzip data were ignored"),
        "no gzip under .gz": refused("x.json.gz", b"PK\x03\x04\xff", no_gzip, "not gzip"),
        "JSON under .gz": warned("x.json.gz", log(hit()), 1, f"{no_gzip}: read as it is"),
        "gzip without .gz": fine(lambda: other),
        "gzip bomb": refused(
            "x.json.gz",
            bomb,
            f"too big: more than {LIMIT:,} bytes when decompressed; raise --max-object-size",
            "too big",
        ),
        "too big as it is": refused(
            "x.json",
            b" " * (LIMIT + 1),
            f"too big: more than {LIMIT:,} bytes; raise --max-object-size",
            "too big",
        ),
    }


def of_documents() -> dict[str, Bad]:
    """JSON that is no file of CloudTrail's, or only half of one."""
    half = b'{"Records":[%s,{"eventName":"List' % hit()
    bad = (b"17", b"null", b'"text"', b"[1]", b'{"a":nul}')
    kinds = ("a number", "null", "a string", "a list")
    return {
        "blanks": refused("x.json", b" \r\n", "empty: no JSON", "empty"),
        "text": refused("x.json", b"hello world", "not JSON: it starts with 'hello'", "not JSON"),
        "control characters": refused("x.json", b"\x1b[31m", "not JSON: it starts with '\\x1b'", "not JSON"),
        "no Records": refused(
            "x.json",
            b'{"records":[]}',
            "JSON object without `Records`: not a CloudTrail file",
            "JSON object without `Records`",
        ),
        "Records no list": refused(
            "x.json", b'{"Records":{"a":1}}', "`Records` is not a list", "`Records` is not a list"
        ),
        "no records": fine(log, 0),
        "truncated JSON": warned("x.json", half, 1, "truncated JSON: it ends inside record 2"),
        "truncated JSON, nothing whole": refused(
            "x.json",
            half[:30],
            "truncated JSON: ends inside the value that begins at byte 0",
            "truncated JSON",
        ),
        "records that are none": Bad(
            "x.json.gz",
            lambda: packed(hit(), *bad, hit()),
            2,
            (
                *(
                    f", record {n}: a record is a JSON object; this is {kind}"
                    for n, kind in enumerate(kinds, 2)
                ),
                ", record 6: not JSON: expecting value, byte 5",
            ),
            unread=5,
            letters=bad,
        ),
        "a line that is none": Bad(
            "x.jsonl",
            lambda: hit() + b"\n\n{oops\n" + hit() + b"\r\n",
            2,
            (", record 3: not JSON: expecting property name enclosed in double quotes, byte 1",),
            unread=1,
            letters=(b"{oops",),
        ),
    }


def of_records() -> dict[str, Bad]:
    """Records that are odd and must match all the same."""
    deep = b'"requestParameters":' + b'{"a":[' * 1_000 + b"]}" * 1_000
    return {
        "duplicate keys": fine(lambda: packed(hit(b'"errorCode":"no"'), hit(b'"errorCode":"AccessDenied"'))),
        "2,000 levels": fine(lambda: packed(hit(deep), hit()), 2, "x.json.gz"),
        "invalid UTF-8": warned(
            "x.json", b'{"Records":[%s]}' % hit(b'"x":"\xff"'), 1, "invalid UTF-8 at byte "
        ),
        "lone surrogates": fine(
            lambda: log(hit(rb'"userAgent":"\ud800","eventName":"\udc00","x":"\udfff"'), hit()), 2
        ),
        "byte order mark": fine(lambda: b"\xef\xbb\xbf" + log(hit())),
        "huge numbers": fine(
            lambda: log(hit(b'"a":%s,"b":-%s.5e999999999' % (b"9" * 20_000, b"9" * 20_000)), hit()), 2
        ),
        "a record of 60 MB": fine(lambda: packed(hit(), hit(b'"x":"%s"' % (b"x" * 60_000_000)), hit()), 3),
    }


CORPUS = of_gzip() | of_documents() | of_records()


def write(folder: Path) -> None:
    """Writes the whole corpus, a folder for each file."""
    for name, bad in CORPUS.items():
        place = folder / name.replace(" ", "-").replace(",", "")
        place.mkdir(parents=True, exist_ok=True)
        (place / bad.file).write_bytes(bad.data())


if __name__ == "__main__":
    write(Path(sys.argv[1]))
