"""The automata say of every text what matching says of it."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests import strategies as some
from tests.examples import examples
from trailsieve import jsontext
from trailsieve.errors import UnknownError
from trailsieve.logic.automata import Automaton, LiteralAutomaton, WildcardAutomaton
from trailsieve.logic.number_automata import OrderAutomaton, number_texts, whole_number_texts
from trailsieve.logic.number_domain import number_case
from trailsieve.logic.regex_automaton import RegexAutomaton
from trailsieve.logic.shortest_words import label_of, words_by_label
from trailsieve.pattern import runtime
from trailsieve.pattern.regex import check_regex, searcher

many = settings(max_examples=examples(400))
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


def says(automaton: Automaton, text: str) -> object:
    return label_of([automaton], text)[0]


@many
@given(st.lists(st.text("ab*", max_size=3), min_size=2, max_size=4).map(tuple), st.text("abc*", max_size=9))
@example(("", "111"), "1111")
@example(("a", "a"), "a")
def test_wildcards(parts: tuple[str, ...], text: str) -> None:
    assert says(WildcardAutomaton(parts), text) is runtime.match_wildcards(text, parts)


@many
@given(
    built_regexes | some.regexes.map(lambda regex: regex.source), st.text("ab0 \n_?é.-][\ud800{", max_size=6)
)
def test_regexes(source: str, text: str) -> None:
    assume(check_regex(source) is None)
    assert says(RegexAutomaton(source), text) is searcher(source)(text)


@many
@given(json_numbers, json_numbers, st.booleans())
def test_numbers(written: str, constant: str, same: bool) -> None:
    value = jsontext.decode(written)
    text = runtime.text_of(value)
    assert text is not None
    assert says(number_texts(), text) is True
    assert says(whole_number_texts(), text) is written.lstrip("-").isdigit()
    other = value if same else jsontext.decode(constant)
    number = Decimal(text)
    assume(number.is_finite() and abs(Decimal(other).adjusted()) < 10_000)
    assert says(OrderAutomaton(other), text) == (number > other) - (number < other)


@many
@given(st.from_regex(r"-?[0-9]{1,8}(\.[0-9]{1,5})?(E-?[0-9]{1,3})?", fullmatch=True))
def test_texts_of_numbers(text: str) -> None:
    """What the automaton takes is a number's text, for as many digits as a double keeps."""
    assert says(number_texts(), text) is (number_case(text) is not None)


@many
@given(
    st.lists(st.lists(st.text("ab", max_size=2), min_size=2, max_size=3).map(tuple), min_size=1, max_size=3),
    st.lists(st.text("abc", max_size=3), max_size=3),
    st.text("abcd", max_size=8),
)
def test_every_text_has_a_stand_in(likes: list[tuple[str, ...]], literals: list[str], text: str) -> None:
    automata: list[Automaton] = [LiteralAutomaton(literals), *map(WildcardAutomaton, likes)]
    found = words_by_label(automata)
    assert label_of(automata, text) in found
    assert all(label_of(automata, word) == label for label, word in found.items())


def test_a_search_without_end_is_given_up() -> None:
    with pytest.raises(UnknownError):
        words_by_label([WildcardAutomaton(("", f"{n}{m}", "")) for n in "abcd" for m in "efgh"])
    with pytest.raises(UnknownError):
        RegexAutomaton("[a-z]{999}" * 5)
