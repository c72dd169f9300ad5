"""The machines say of every text what matching says of it."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests import strategies as some
from trailsieve import jsontext
from trailsieve.logic.automata import Like, Literals, Machine, NumberText
from trailsieve.logic.number_order import Order
from trailsieve.logic.number_representatives import stand_ins, thresholds
from trailsieve.logic.regex_automaton import Search
from trailsieve.logic.shortest_words import label_of, words_by_label
from trailsieve.logic.unknown import UnknownError
from trailsieve.pattern import runtime
from trailsieve.pattern.regex import check_regex, searcher

many = settings(deadline=None, max_examples=400)
json_numbers = st.sampled_from(some.JSON_NUMBERS) | st.from_regex(
    r"-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
)
PIECES = ["a", "b", ".", r"\d", r"\D", r"\w", r"\W", r"\s", r"\S", "[ab]", "[^a]", "[a-c0]", "[]a]", "[^]a]", "[a-]",
          "[[:alpha:]_]", "[[:^digit:]]", r"[\d-]", r"[\Wa]", r"\x61", r"\xe9", r"\.", "^", "$", "_", "0", "{", "}", "]", r"[^\d]",
          "[?a]", r"\?", "|", "|"]  # fmt: skip
REPEATS = ["", "", "", "", "*", "+", "?", "{2}", "{1,2}", "{0,}", "*?", "+?", "??", "{2}?"]
built_regexes = st.lists(
    st.builds(lambda a, b: a if a == "|" else a + b, st.sampled_from(PIECES), st.sampled_from(REPEATS)),
    min_size=1,
    max_size=5,
).map("".join)


def says(machine: Machine, text: str) -> object:
    return label_of([machine], text)[0]


@many
@given(st.lists(st.text("ab*", max_size=3), min_size=2, max_size=4).map(tuple), st.text("abc*", max_size=9))
@example(("", "111"), "1111")
@example(("a", "a"), "a")
def test_wildcards(parts: tuple[str, ...], text: str) -> None:
    assert says(Like(parts), text) is runtime.match_wildcards(text, parts)


@many
@given(
    built_regexes | some.regexes.map(lambda regex: regex.source), st.text("ab0 \n_?é.-][\ud800{", max_size=6)
)
def test_regexes(source: str, text: str) -> None:
    assume(check_regex(source) is None)
    assert says(Search(source), text) is searcher(source)(text)


@many
@given(json_numbers, json_numbers, st.booleans())
def test_numbers(written: str, constant: str, same: bool) -> None:
    value = jsontext.decode(written)
    text = runtime.text_of(value)
    assert text is not None
    assert says(NumberText(), text) is True
    other = value if same else jsontext.decode(constant)
    assume(abs(Decimal(value).adjusted()) < 10_000 and abs(Decimal(other).adjusted()) < 10_000)
    number = Decimal(text)
    assert says(Order(other), text) == (number > other) - (number < other)


@many
@given(st.from_regex(r"-?[0-9E.+-]{1,8}", fullmatch=True))
def test_texts_of_numbers(text: str) -> None:
    """What the machine takes is a number's text, but for whole numbers written with an exponent."""
    if says(NumberText(), text):
        value = Decimal(text)
        assert str(value) == text or re.search(r"\.[0-9]*E\+", text)


@many
@given(st.lists(json_numbers, max_size=4), json_numbers)
def test_numbers_that_stand_for_all(constants: list[str], written: str) -> None:
    """Some stand-in compares with all constants as any number does."""
    values = [jsontext.decode(text) for text in constants]
    assume(all(abs(Decimal(value).adjusted()) < 10_000 for value in values))

    def answers(number: object) -> list[object]:
        found = runtime.number_of(number)
        return [None if found is None else (found > value) - (found < value) for value in values]

    assert answers(jsontext.decode(written)) in [answers(number) for number in stand_ins(values)]
    assert thresholds(values) == sorted(thresholds(values))


@many
@given(
    st.lists(st.lists(st.text("ab", max_size=2), min_size=2, max_size=3).map(tuple), min_size=1, max_size=3),
    st.lists(st.text("abc", max_size=3), max_size=3),
    st.text("abcd", max_size=8),
)
def test_every_text_has_a_stand_in(likes: list[tuple[str, ...]], literals: list[str], text: str) -> None:
    machines: list[Machine] = [Literals(literals), *map(Like, likes)]
    found = words_by_label(machines)
    assert label_of(machines, text) in found
    assert all(label_of(machines, word) == label for label, word in found.items())


def test_a_search_without_end_is_given_up() -> None:
    with pytest.raises(UnknownError):
        words_by_label([Like(("", f"{n}{m}", "")) for n in "abcd" for m in "efgh"])
    with pytest.raises(UnknownError):
        Search("[a-z]{999}" * 5)
