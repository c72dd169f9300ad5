"""The domain of a JSON value: every way in which the tests on one place of an event can turn out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache

from trailsieve.logic.domain import Case, Domain, domain_of
from trailsieve.logic.number_domain import number_cases
from trailsieve.logic.text_languages import TextTests, language_of, representative_texts
from trailsieve.pattern import runtime
from trailsieve.pattern.nodes import Comparison, Term

_KIND = {True: "true", False: "false", None: "null"}


@lru_cache(maxsize=4096)
def value_domain(tests: tuple[Term, ...], *, null_elements: bool) -> Domain:
    """The cases of a JSON value.

    Args:
        tests: terms whose target is `HERE`, or `NULL_ITSELF`.
        null_elements: tell arrays that hold null from others (rule 29); not where elements are looked at.

    Raises:
        UnknownError: there are too many.
    """
    return domain_of(_cases(tests, null_elements), tests)


@lru_cache(maxsize=4096)
def abstract_domain(tests: tuple[Term, ...], *, null_elements: bool) -> Domain:
    """The cases of a JSON value, when it is left open which wildcards and regexes a text matches."""
    known = tuple(test for test in tests if language_of(test) is None)
    comparisons = [test for test in known if isinstance(test, Comparison)]
    single = {
        kind: TextTests(comparisons, numbers=kind == "string").literals for kind in ("string", "number")
    }
    cases = _cases(known, null_elements)
    opened = [case.text is not None and case.text not in single[case.kind] for case in cases]
    # An open number would have to be found in all the languages: it serves proofs only.
    cases = [
        replace(case, real=case.real and not (is_open and case.kind == "number"))
        for case, is_open in zip(cases, opened, strict=True)
    ]
    masks = {
        test: sum(
            1 << n for n, case in enumerate(cases) if (test in known or not opened[n]) and case.holds(test)
        )
        for test in tests
    }
    return Domain(tuple(cases), masks, sum(1 << n for n, is_open in enumerate(opened) if is_open))


def _cases(tests: tuple[Term, ...], null_elements: bool) -> list[Case]:
    comparisons = [test for test in tests if isinstance(test, Comparison)]
    cases = [Case("absent", runtime.ABSENT), *_strings(comparisons), *number_cases(comparisons)]
    cases += [Case(_KIND[value], value) for value in (True, False, None)]
    cases += [Case("array", []), *([Case("array", [None])] if null_elements else ()), Case("object", {})]
    return cases


def _strings(comparisons: Sequence[Comparison]) -> list[Case]:
    tests = TextTests(comparisons, numbers=True)
    return [Case("string", word, word) for word in representative_texts(tests)]
