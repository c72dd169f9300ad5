"""Every number that an event can hold is like one of the cases."""

from __future__ import annotations

from decimal import Decimal

from hypothesis import assume, given, reject, settings
from hypothesis import strategies as st

from tests import strategies as some
from trailsieve import jsontext
from trailsieve.errors import UnknownError
from trailsieve.logic.domain import HERE
from trailsieve.logic.json_domain import value_domain
from trailsieve.logic.number_domain import representatives, thresholds
from trailsieve.pattern import runtime
from trailsieve.pattern.interpret import value_holds
from trailsieve.pattern.nodes import Comparison, Number, Regex, String

many = settings(deadline=None, max_examples=400)
json_numbers = st.sampled_from(some.JSON_NUMBERS) | st.from_regex(
    r"-?(0|[1-9][0-9]{0,4})(\.[0-9]{1,9})?([eE][+-]?[0-9]{1,2})?", fullmatch=True
)


@many
@given(st.lists(json_numbers, max_size=4), json_numbers)
def test_numbers_that_stand_for_all(constants: list[str], written: str) -> None:
    """Some stand-in compares with all constants as any number does."""
    values = [jsontext.decode(text) for text in constants]
    assume(all(abs(Decimal(value).adjusted()) < 10_000 for value in values))

    def answers(number: object) -> list[object]:
        found = runtime.number_of(number)
        return [None if found is None else (found > value) - (found < value) for value in values]

    assert answers(jsontext.decode(written)) in [answers(number) for number in representatives(values)]
    assert thresholds(values) == sorted(thresholds(values))


NEAR_ONE = ["1", "1.0", "1e0", "1.00000000000000000001", "0.99999999999999999999", "1e-7", "0.0", "-0.0", "1e309", "5",
            "1e-999", "-1e309", "5.0", "1e22", "1" + "0" * 310, "9007199254740993", "9007199254740993.0"]  # fmt: skip
near_one = st.sampled_from(NEAR_ONE) | json_numbers
values = st.one_of(
    near_one.map(lambda text: Number(text, jsontext.decode(text))),
    near_one.map(lambda text: String(str(runtime.text_of(jsontext.decode(text))))),
    st.sampled_from([String(text) for text in ("1*", "*0", "*.*", "In*", "*y", "-*")]),
    st.sampled_from([Regex(source) for source in (r"\.", "E", "0$", "^1", "I", "^-")]),
)
comparisons = st.builds(Comparison, st.just(HERE), st.sampled_from(["=", "!=", "<", ">="]), values).filter(
    lambda test: test.operator in ("=", "!=") or isinstance(test.value, Number)
)


@many
@given(st.lists(comparisons, max_size=4), near_one)
def test_every_number_has_a_case(tests: list[Comparison], written: str) -> None:
    value = jsontext.decode(written)
    try:
        domain = value_domain(tuple(tests), null_elements=False)
    except UnknownError:
        reject()
    answers = [value_holds(test, value) for test in tests]
    cases = [case for case in domain.cases if case.kind not in ("absent", "array", "object")]
    assert answers in [[case.holds(test) for test in tests] for case in cases]
    for case in (case for case in domain.cases if case.real and case.kind == "number"):
        again = jsontext.decode(jsontext.readable(case.value))
        assert [case.holds(test) for test in tests] == [value_holds(test, again) for test in tests]
