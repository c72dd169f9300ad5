"""Gzip as it comes in archives: what is whole is read to its end, what is not is named, and memory is bounded."""

from __future__ import annotations

import gzip
import multiprocessing
import resource
import zlib

import pytest

from tests.engine.plain import Found, examine, found, log_file, rules

RULES = rules(stop='{ $.eventName = "StopLogging" }')


def records(first: int, count: int) -> list[bytes]:
    """Records of which every tenth matches."""
    names = ("StopLogging" if n % 10 == 0 else "DescribeThings" for n in range(first, first + count))
    return [
        b'{"eventVersion":"1","eventName":"%s","pad":"%s"}' % (name.encode(), b"x" * 300) for name in names
    ]


TEXTS = records(1, 200)
DOCUMENT = log_file(TEXTS)
MATCHES = [(index, "stop") for index in range(10, 201, 10)]
HALF = len(DOCUMENT) // 2


def member(content: bytes, **header: bytes) -> bytes:
    """A gzip member; its header may hold a name, an extra field, a comment (RFC 1952 section 2.3)."""
    flags = sum({"extra": 4, "name": 8, "comment": 16}[part] for part in header)
    fields = header.get("extra", b"") and len(header["extra"]).to_bytes(2, "little") + header["extra"]
    fields += b"".join(header[part] + b"\0" for part in ("name", "comment") if part in header)
    plain = gzip.compress(content, mtime=0)
    return plain[:3] + bytes([flags]) + plain[4:10] + fields + plain[10:]


STORED = zlib.compressobj(0, wbits=31)
WHOLE = {
    "one member": member(DOCUMENT),
    "a member without compression": STORED.compress(DOCUMENT) + STORED.flush(),
    "two members": member(DOCUMENT[:HALF]) + member(DOCUMENT[HALF:]),
    "two members, one record in the first": member(DOCUMENT[:100]) + member(DOCUMENT[100:]),
    "a member for every kB": b"".join(member(DOCUMENT[n : n + 1024]) for n in range(0, len(DOCUMENT), 1024)),
    "an empty member in front": member(b"") + member(DOCUMENT),
    "an empty member behind": member(DOCUMENT) + member(b""),
    "zero padding": member(DOCUMENT) + bytes(512),
    "zero padding of less than a size field": member(DOCUMENT) + bytes(3),
    "two members and zero padding": member(DOCUMENT[:HALF]) + member(DOCUMENT[HALF:]) + bytes(4096),
    "a name, a comment, an extra field": member(
        DOCUMENT, extra=b"\x1f\x8b\x08\0", name=b"a.json", comment=b"c"
    ),
    "two files joined": member(log_file(TEXTS[:99])) + member(log_file(TEXTS[99:])),
    "many files joined": b"".join(member(log_file(TEXTS[n : n + 5])) for n in range(0, 200, 5)),
    "files joined with a line between": member(log_file(TEXTS[:99]) + b"\n")
    + member(log_file(TEXTS[99:]) + b"\n"),
    "a byte order mark": member(b"\xef\xbb\xbf" + DOCUMENT),
    "no gzip at all": DOCUMENT,
}


@pytest.mark.parametrize("payload", WHOLE.values(), ids=WHOLE)
def test_all_records_are_read(payload: bytes) -> None:
    findings = examine(payload, RULES)
    assert found(findings) == MATCHES
    assert findings.records == 200
    assert all(problem.warning for problem in findings.problems)


def lying(content: bytes, size: int) -> bytes:
    """A member that says another size of its content than it has."""
    return member(content)[:-4] + size.to_bytes(4, "little")


DAMAGED: dict[str, tuple[bytes, str, Found]] = {
    "no bytes": (b"", "empty", []),
    "a member without content": (member(b""), "empty", []),
    "only a header": (member(DOCUMENT)[:10], "truncated", []),
    "cut in the content": (member(DOCUMENT)[: len(member(DOCUMENT)) // 2], "truncated", []),
    "cut in the trailer": (member(DOCUMENT)[:-2], "truncated", []),
    "second member cut": (member(DOCUMENT) + member(DOCUMENT)[:-9], "truncated", []),
    "a wrong checksum": (member(DOCUMENT)[:-8] + bytes(4) + member(DOCUMENT)[-4:], "damaged gzip", []),
    "a size that is too small": (lying(DOCUMENT, 7), "damaged gzip", []),
    "a size that is too big": (lying(DOCUMENT, len(DOCUMENT) + 1), "damaged gzip", []),
    "a size of nothing": (lying(DOCUMENT, 0), "damaged gzip", []),
    "a damaged block": (member(DOCUMENT)[:10] + b"\xff" * 40 + member(DOCUMENT)[50:], "damaged gzip", []),
    "text behind": (member(DOCUMENT) + b"behind", "6 bytes after the gzip data", MATCHES),
    "not gzip": (b"PK\3\4 no gzip", "not gzip", []),
}


@pytest.mark.parametrize(("payload", "reason", "matches"), DAMAGED.values(), ids=DAMAGED)
def test_what_is_damaged_is_named(payload: bytes, reason: str, matches: Found) -> None:
    findings = examine(payload, RULES)
    assert found(findings) == matches
    (problem,) = findings.problems
    assert problem.reason.startswith(reason)
    assert problem.warning == bool(matches)
    assert problem.text in (payload, b"")


MEGABYTE = 2**20
ZEROS = member(bytes(64 * MEGABYTE))
BOMBS = {
    "one member": ZEROS,
    "one member that lies about its size": ZEROS[:-4] + (1000).to_bytes(4, "little"),
    "32 members, 2 GiB": ZEROS * 32,
    "members that each keep the limit": member(bytes(12 * MEGABYTE)) * 100,
}


def examine_in_little_memory(bomb: bytes, limit: int, spare: int) -> None:
    """For a process of its own: the bomb must be refused within `spare` bytes of new memory."""
    with open("/proc/self/statm", encoding="ascii") as statm:
        size = int(statm.read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + spare, size + spare))
    (problem,) = examine(bomb, RULES, limit=limit).problems
    assert problem.reason.startswith("too big: more than 16,777,216 bytes when decompressed")


@pytest.mark.parametrize("bomb", BOMBS.values(), ids=BOMBS)
def test_a_bomb_stops_at_the_limit_and_takes_no_more_memory(bomb: bytes) -> None:
    process = multiprocessing.get_context("fork").Process(
        target=examine_in_little_memory, args=(bomb, 16 * MEGABYTE, 60 * MEGABYTE)
    )
    process.start()
    process.join()
    assert process.exitcode == 0


def test_a_file_as_big_as_the_limit_is_read() -> None:
    findings = examine(member(DOCUMENT), RULES, limit=len(DOCUMENT))
    assert (found(findings), findings.problems) == (MATCHES, [])
    assert examine(member(DOCUMENT), RULES, limit=len(DOCUMENT) - 1).alerts == []
