"""How errors show a pattern: nothing unseen reaches a terminal, and the caret stands under its character."""

from __future__ import annotations

import pickle
import unicodedata

import pytest

from trailsieve.errors import PatternError, TrailsieveError, caret, shorten, visible


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 日本 😀", "plain é 日本 😀"),
        ("a\nb\rc\td", "a⏎b␍c d"),
        ("\x00\x1b[31m\x7f\x9b", "��[31m��"),
        ("a\u202eb\u200fc\u2066", "a�b�c�"),
        ("\ufeff\u200b\u00a0", "���"),
        ("\ud800", "�"),
        ("", ""),
    ],
)
def test_unseen_characters_get_one_stand_in_each(text: str, shown: str) -> None:
    assert visible(text) == shown
    assert len(shown) == len(text)


@pytest.mark.parametrize(
    ("text", "width", "shown"),
    [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("\x1b" * 9, 3, "��…"), ("日本語", 2, "日…"), ("", 1, "")],
)
def test_shorten_cuts_to_the_width(text: str, width: int, shown: str) -> None:
    assert shorten(text, width) == shown


@pytest.mark.parametrize(
    ("text", "column", "lines"),
    [
        ("abc", 1, ["    abc", "    ^"]),
        ("abc", 4, ["    abc", "       ^"]),
        ("日本x", 3, ["    日本x", "        ^"]),
        ("😀x", 2, ["    😀x", "      ^"]),
        ("e\u0301x", 3, ["    e\u0301x", "     ^"]),
        ("a\x1bx", 3, ["    a�x", "      ^"]),
        ("a\tb", 3, ["    a b", "      ^"]),
        ("", 1, []),
    ],
)
def test_caret_stands_under_its_column(text: str, column: int, lines: list[str]) -> None:
    assert caret(text, column) == lines


@pytest.mark.parametrize("letter", ["x", "語"])
@pytest.mark.parametrize("column", [1, 2, 50, 51, 52, 300, 549, 550, 600, 601])
def test_a_long_pattern_is_shown_around_the_caret(letter: str, column: int) -> None:
    text = letter * 600
    shown, mark = caret(text, column)
    assert len(shown) <= 4 + 50 + 50 + 2
    assert (shown[4] == "…") is (column > 51)
    assert shown.endswith("…") is (column - 1 + 50 < 600)
    before = shown[: 4 + min(column - 1, 50) + (column > 51)]
    assert len(mark) - 1 == sum(2 if unicodedata.east_asian_width(c) == "W" else 1 for c in before)


def test_error_prints_what_where_and_what_to_do() -> None:
    error = PatternError("one `=` is too many", 3, "write one", "a == b")
    assert str(error) == (
        "invalid filter pattern, column 3: one `=` is too many\n    a == b\n      ^\nhint: write one"
    )
    assert isinstance(error, TrailsieveError)
    assert isinstance(error, ValueError)


def test_error_without_pattern_or_hint_is_one_line() -> None:
    assert str(PatternError("empty", 1)) == "invalid filter pattern, column 1: empty"


def test_error_survives_the_way_between_processes() -> None:
    error = PatternError("message", 7, "hint", "{ $.a == 1 }")
    copy = pickle.loads(pickle.dumps(error))
    assert (str(copy), copy.column, copy.hint, copy.pattern) == (str(error), 7, "hint", "{ $.a == 1 }")
