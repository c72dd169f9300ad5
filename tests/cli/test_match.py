"""`trailsieve match PATTERN`: every kind of input, exact output, exit codes."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.cli.console import denied, log_file, trailsieve

LOGIN = '{"eventName": "ConsoleLogin"}'
OTHER = '{"eventName": "ListUsers"}'
PATTERN = '{ $.eventName = "ConsoleLogin" }'
LINES = f"{OTHER}\n{LOGIN}\n".encode()


@pytest.mark.parametrize("gzipped", [False, True])
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("trail.json", f'{{"Records":[{OTHER},{LOGIN}]}}'),
        ("spaced.json", f'{{ "Records" : [\n{OTHER} ,\n {LOGIN}\n] }}'),
        ("array.json", f"[{OTHER}, {LOGIN}]"),
        ("one.json", LOGIN),
        ("joined.json", f'{{"Records":[{OTHER}]}}{{"Records":[{LOGIN}]}}'),
        ("lines.json", f"{OTHER}\n{LOGIN}\n"),
        ("lines.jsonl", f"{OTHER}\n{LOGIN}\n"),
        ("lines.ndjson", f"{OTHER}\r\n\r\n{LOGIN}\r\n"),
        ("unfinished.jsonl", f"{OTHER}\n{LOGIN}"),
        ("mixed.log", f"Starting\n{LOGIN}\n"),
        ("no-suffix", f"{LOGIN}\n"),
    ],
)
def test_every_kind_of_file_is_read(name: str, content: str, gzipped: bool, tmp_path: Path) -> None:
    file = tmp_path / (f"{name}.gz" if gzipped else name)
    file.write_bytes(gzip.compress(content.encode()) if gzipped else content.encode())
    result = trailsieve("match", PATTERN, file)
    assert (result.code, result.out, result.err) == (0, f"{LOGIN}\n".encode(), "")


@pytest.mark.parametrize("inputs", [(), ("-",)])
@pytest.mark.parametrize(
    "stdin",
    [LINES, gzip.compress(LINES), f'{{"Records":[{OTHER},{LOGIN}]}}'.encode(), f"[\n{LOGIN}\n]".encode()],
    ids=["lines", "gzip", "document", "array"],
)
def test_standard_input(stdin: bytes, inputs: tuple[str, ...]) -> None:
    result = trailsieve("match", PATTERN, *inputs, stdin=stdin)
    assert (result.code, result.out) == (0, f"{LOGIN}\n".encode())


def test_directories_are_walked_in_the_order_of_names(tmp_path: Path) -> None:
    for name, event in {"b.jsonl": "2", "a/z.json": "3", "a.log": "1", "a/notes.md": "0"}.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(f'{{"n": {event}}}')
    result = trailsieve("match", "{ $.n = * }", tmp_path)
    assert result.lines == ['{"n": 1}', '{"n": 2}', '{"n": 3}']
    assert result.err == ""
    assert "skipped: " in trailsieve("-v", "match", "{ $.n = * }", tmp_path).err


def test_a_file_that_is_named_is_read_whatever_its_name(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("ERROR one\n")
    assert trailsieve("match", "ERROR", tmp_path / "notes.md").out == b"ERROR one\n"


@pytest.mark.parametrize(
    "text",
    [
        b'{"a":1,  "a" : 2 ,"x":{ } }',
        b'{"x": 1.50e+2, "big": 123456789012345678901234567890, "a":2}',
        rb'{"esc": "\u00e9\/\ud800", "a":2}',
        '{"name": "Zoë 日本 \u202e", "a":2}'.encode(),
        b'\t {"a":2}',
        b'{"bad": "\xff\xfe", "a":2}',
    ],
)
def test_events_are_printed_in_their_exact_text(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "lines.jsonl").write_bytes(text + b"\n")
    (tmp_path / "trail.json").write_bytes(b'{"Records":[' + text + b"]}")
    assert trailsieve("match", "{ $.a = 2 }", tmp_path / "lines.jsonl").out == text + b"\n"
    assert trailsieve("match", "{ $.a = 2 }", tmp_path / "trail.json").out.strip() == text.strip()


def test_a_pretty_printed_event_stays_one_line(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{\n  "a": 2,\r\n  "b": "x  y"\n}\n')
    assert trailsieve("match", "{ $.a = 2 }", tmp_path / "one.json").out == b'{   "a": 2,   "b": "x  y" }\n'


@pytest.mark.parametrize(
    ("pattern", "count", "code"), [(PATTERN, b"1\n", 0), ("{ $.x = 1 }", b"0\n", 1), ("", b"2\n", 0)]
)
def test_count_prints_the_number_only(pattern: str, count: bytes, code: int) -> None:
    result = trailsieve("match", "-c", pattern, stdin=LINES)
    assert (result.out, result.code) == (count, code)
    assert trailsieve("match", "--count", pattern, stdin=LINES) == result


def test_no_match_is_exit_code_1() -> None:
    result = trailsieve("match", "{ $.x = 1 }", stdin=LINES)
    assert (result.code, result.out, result.err) == (1, b"", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((), "Missing PATTERN"),
        (("{ $.a = }",), "column 9"),
        (("ERROR", "no-such-file"), "no-such-file: no such file or directory"),
        (("--explain", "-c", "ERROR"), "--count cannot be combined"),
        (("--json", "--rules", "cis-aws"), "need a PATTERN"),
        (("--max-object-size", "lots", "ERROR"), "'lots' is not a size"),
        (("--nonsense", "ERROR"), "--nonsense"),
        (
            ("--rules", "no-such-pack"),
            "no such rule pack or file. Built in: aws-threats, cis-aws, cis-aws-tuned",
        ),
    ],
)
def test_wrong_use_is_exit_code_2(arguments: tuple[str, ...], said: str) -> None:
    result = trailsieve("match", *arguments)
    assert (result.code, result.out) == (2, b"")
    assert said in result.err
    assert "Traceback" not in result.err


def test_a_pattern_error_shows_the_place_and_what_to_write() -> None:
    assert trailsieve("match", "{ $.a == 1 }").err == (
        "trailsieve: invalid filter pattern, column 7: expected a comparison, found `=`\n"
        "    { $.a == 1 }\n"
        "          ^\n"
        "hint: use a single `=`\n"
        "      did you mean: { $.a = 1 }\n"
    )


def test_a_pattern_that_begins_with_a_minus_follows_two_dashes() -> None:
    assert trailsieve("match", "--", "-ERROR", stdin=b"ERROR 1\nfine\n").out == b"fine\n"


def test_patterns_that_are_too_long_for_aws_need_no_limits() -> None:
    pattern = f'{{ $.eventName = "{"x" * 1024}" || $.eventName = "ConsoleLogin" }}'
    assert trailsieve("match", pattern, stdin=LINES).code == 2
    assert trailsieve("match", "--no-limits", pattern, stdin=LINES).out == f"{LOGIN}\n".encode()


def test_what_cannot_be_read_is_named_and_the_rest_is_matched(tmp_path: Path) -> None:
    whole = gzip.compress(LINES)
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(b'{"Records":[' + b" " * 999)[:-9])
    (tmp_path / "b.json").write_bytes(b"")
    (tmp_path / "c.jsonl.gz").write_bytes(whole)
    result = trailsieve("match", PATTERN, tmp_path)
    assert (result.code, result.lines) == (0, [LOGIN])
    assert [line.partition("tmp")[0] for line in result.err.splitlines()] == ["trailsieve: /"] * 2
    assert "a.json.gz: truncated" in result.err
    assert "b.json: empty" in result.err


@pytest.mark.parametrize("content", [b"\x8b\x00\xff\xfe", b"", LINES], ids=["bytes", "empty", "lines"])
def test_a_file_of_lines_that_is_not_gzip_is_named(content: bytes, tmp_path: Path) -> None:
    file = tmp_path / "app.log.gz"
    file.write_bytes(content)
    result = trailsieve("match", PATTERN, file)
    assert (result.code, result.lines) == ((0, [LOGIN]) if content == LINES else (1, []))
    assert result.err.splitlines() == [
        f"trailsieve: {file}: not gzip, although its name ends in .gz: read as it is"
    ]


def test_a_bomb_stops_at_max_object_size(tmp_path: Path) -> None:
    file = log_file(tmp_path / "bomb.json.gz", [denied(1, padding="x" * 5000)])
    result = trailsieve("match", "--max-object-size", "4KiB", "{ $.eventName = * }", file)
    assert (result.code, result.out) == (1, b"")
    assert "too big: more than 4,096 bytes" in result.err


def test_a_proposal_is_counted_on_the_events_at_hand(tmp_path: Path) -> None:
    events = tmp_path / "events.jsonl"
    events.write_text('{"t": "x"}\n{"t": "x", "a": 2}\n{"t": "y"}\n{"t": "x", "a": 1}\n')
    result = trailsieve("match", "--explain", "{ $.t = x && $.a != 1 }", events)
    assert result.lines[-3:] == [
        "of the 4 events",
        "  1 match { $.t = x && $.a != 1 }",
        "  2 would match { $.t = x && ($.a != 1 || $.a NOT EXISTS) }",
    ]


def test_one_event_is_not_counted(tmp_path: Path) -> None:
    event = tmp_path / "event.json"
    event.write_text('{"t": "x"}')
    result = trailsieve("match", "--explain", "{ $.t = x && $.a != 1 }", event)
    assert result.lines[-1] == ""
    assert "of the" not in result.out.decode()
