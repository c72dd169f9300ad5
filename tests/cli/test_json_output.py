"""JSON on the command line: what it was stays readable as JSON, and nothing in it controls a terminal."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trailsieve.cli.json_output import to_json

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=10,
)


@given(VALUES, st.booleans())
def test_what_is_printed_reads_back(value: Any, indent: bool) -> None:
    text = to_json(value, indent=indent)
    assert json.loads(text) == value
    assert all(character.isprintable() for line in text.split("\n") for character in line)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("é", '"é"'),
        ("\x9b31m", r'"\u009b31m"'),
        ("\u202e", r'"\u202e"'),
        ("\U000e0001", r'"\udb40\udc01"'),
        ("\udcff", r'"\udcff"'),
        (2**64, "18446744073709551616"),
    ],
)
def test_text_that_is_not_safe_is_escaped(value: Any, text: str) -> None:
    assert to_json(value, indent=False) == text
