"""Cells and columns that fit a number of terminal cells."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from trailsieve.errors import cells
from trailsieve.formats.columns import Column, Layout, head, middle, names, principal

ROLE = "arn:aws:sts::111122223333:assumed-role/deploy/session"


@pytest.mark.parametrize(
    ("fit", "text", "width", "expected"),
    [
        (head, "AttachUserPolicy", 16, "AttachUserPolicy"),
        (head, "AttachUserPolicy", 10, "AttachUse…"),
        (head, "日本語", 5, "日本…"),
        (head, "日本語", 6, "日本語"),
        (head, "a\nb\x1b", 9, "a⏎b�"),
        (middle, "abcdefghij", 10, "abcdefghij"),
        (middle, "abcdefghij", 5, "ab…ij"),
        (middle, "日本語日本語", 6, "日…語"),
        (middle, "abc", 1, "…"),
        (names, "sg-0d41a7be5f2c98363, 0.0.0.0/0", 24, "sg-0d41a7be5f2c98363 +1"),
        (names, "sg-0d41a7be5f2c98363 and 1,200 more", 14, "sg-…363 +1,200"),
        (principal, ROLE, 40, "111122223333:assumed-role/deploy/session"),
        (principal, ROLE, 39, "assumed-role/deploy/session"),
        (principal, ROLE, 14, "deploy/session"),
        (principal, ROLE, 11, "deplo…ssion"),
        (principal, "arn:aws:iam::111122223333:user/mia", 10, "user/mia"),
        (principal, "arn:aws:iam::111122223333:user/mia", 7, "mia"),
        (principal, "arn:aws:iam::111122223333:root", 3, "r…t"),
        (principal, "a-name-that-is-no-arn", 9, "a-na…-arn"),
    ],
)
def test_fit(fit: Callable[[str, int], str], text: str, width: int, expected: str) -> None:
    assert fit(text, width) == expected


@given(
    text=st.text(max_size=60),
    width=st.integers(1, 40),
    fit=st.sampled_from([head, middle, names, principal]),
    arn=st.booleans(),
)
@settings(max_examples=examples(300))
def test_every_text_fits_and_shows_no_control_character(
    text: str, width: int, fit: Callable[[str, int], str], arn: bool
) -> None:
    shown = fit(f"arn:aws:iam::1:{text}" if arn else text, width)
    assert cells(shown) <= width
    assert shown.isprintable()


COLUMNS = [Column("A", 5, 10), Column("B", 5, 20, 2), Column("C", 5, 5, 1, right=True)]


@pytest.mark.parametrize(
    ("width", "widths"),
    [(4, [5, 0, 0]), (11, [10, 0, 0]), (12, [5, 0, 5]), (18, [10, 0, 5]), (19, [5, 5, 5]), (24, [8, 7, 5])],
)
def test_columns_by_rank(width: int, widths: list[int]) -> None:
    assert Layout(COLUMNS, width).widths == widths


def test_a_column_has_enough_before_the_next_one_joins() -> None:
    columns = [Column("A", 5, 30, 0, enough=20), Column("B", 5, 10, 1, enough=8), Column("C", 5, 5, 2)]
    widths = {width: Layout(columns, width).widths for width in (26, 27, 30, 36, 37, 60)}
    assert widths == {
        26: [26, 0, 0],
        27: [20, 5, 0],
        30: [20, 8, 0],
        36: [24, 10, 0],
        37: [20, 8, 5],
        60: [30, 10, 5],
    }


def test_without_a_width_columns_have_what_they_wish() -> None:
    layout = Layout(COLUMNS)
    assert layout.widths == [10, 20, 5]
    assert layout.line(["a", "b", "c"]) == "a           b                         c"


def test_the_last_of_fewer_texts_has_the_rest_of_the_line() -> None:
    assert Layout(COLUMNS, 24).line(["a", "x" * 30]) == "a         " + "x" * 13 + "…"
