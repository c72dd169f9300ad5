"""Queries of other services against predicates: patterns, events, and what a loss list excuses.

A pair is one event and one query. The query must answer as the predicate does, or differ as one of its losses says.
As conditions have no "not", bounds of each term are bounds of the whole.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.strategies import JSON_NUMBERS, NUMBERS, REGEXES, TEXTS
from trailsieve.errors import PatternError
from trailsieve.interchange.exporters.model import Export, exact_double
from trailsieve.jsontext import decode_object
from trailsieve.pattern import nodes, runtime
from trailsieve.pattern.compiler import compile
from trailsieve.pattern.interpret import value_holds
from trailsieve.rules.rule import Rule

Term = nodes.Term
Path = tuple[str | int, ...]

# --- patterns and events ---

_TEXTS = [text for text in TEXTS if "*" not in text and text.isprintable() and text]
_TEXTS += [
    "ConsoleLogin",
    "Client.UnauthorizedOperation",
    "111122223333",
    "500",
    "5.0",
    "404",
    "1e2",
    "007",
    "+1",
]
_TEXTS += [
    "arn:aws:iam::111122223333:user/a_b%",
    "it's",
    "a\\_b",
    "yy",
    "11",
    "a?b",
    "[1]",
    '{"a":1}',
    "false",
    "NaN",
]
_GLOBS = [
    "*",
    "**",
    "A*",
    "*b",
    "*1",
    "1*",
    "*a*",
    "4*",
    "*y",
    "1*1",
    "a**b",
    "*.1*1",
    "t*",
    "*_b*",
    "*\\\\*",
    "{*",
    "*e",
]
_VALUES = [
    json.dumps(text) for text in [*_TEXTS, "", "x\ny", "5 ", "aab", "yxy", "111", "a_b", "true ", "\u2028"]
]
_WHOLE = ["0", "1", "-1", "5", "40", "404", "500", "111122223333", "9007199254740991", "9007199254740992"]
_WHOLE += ["9007199254740993", "6000000000", "100", "11"]
_NUMBERS = [text for text in JSON_NUMBERS if len(text) < 400] + [
    "1e308",
    "-1e308",
    "5.0",
    "1.10",
    "5e-324",
    "1E2",
]
_OTHERS = ["null", "null", "true", "false"]
_STRUCTURES = [
    "[]",
    "{}",
    "[null]",
    "[[null]]",
    '["A"]',
    '["a","b"]',
    "[5]",
    '[{"a":1}]',
    '{"a":"b"}',
    '[1,null,"x"]',
]
_STRUCTURES += ['["a,null,b"]', '{"a":null}', "[true]"]


def selector(path: Path) -> str:
    """`$.a.b[0]`."""
    steps = [
        f"[{step}]" if isinstance(step, int) else f".['{step}']" if " " in step else f".{step}"
        for step in path
    ]
    return "$" + "".join(steps)


def _term(draw: random.Random, path: Path, ordered: bool) -> str:
    field, kind = selector(path), draw.random()
    sign = draw.choice(["=", "=", "!="])
    if ordered:
        sign = draw.choice(["<", "<=", ">", ">=", "=", "!="])
        return f"{field} {sign} {draw.choice([*NUMBERS, *_WHOLE])[:400]}"
    if kind < 0.1:
        return f"{field} NOT EXISTS"
    if kind < 0.2:
        return f"{field} IS {draw.choice(['NULL', 'TRUE', 'FALSE'])}"
    if kind < 0.4:
        return f"{field} {sign} {draw.choice([*NUMBERS, *_WHOLE, '500', '404'])}"
    if kind < 0.5:
        return f"{field} {sign} %{draw.choice(REGEXES)}%"
    if kind < 0.75:
        return f'{field} {sign} "{draw.choice(_GLOBS)}"'
    text = draw.choice(_TEXTS).replace("\\", "\\\\").replace('"', '\\"')
    return f'{field} {sign} "{text}"'


def patterns(draw: random.Random, texts: Collection[Path], numbers: Collection[Path]) -> Iterator[str]:
    """Endless patterns of up to five terms; those of `numbers` are compared with numbers."""
    while True:
        terms = []
        for _ in range(draw.choice([1, 1, 1, 2, 3, 5])):
            ordered = draw.random() < 0.25
            terms.append(_term(draw, draw.choice([*(numbers if ordered else texts)]), ordered))
        half = draw.randrange(len(terms)) if len(terms) > 2 else 0
        signs = draw.sample([" && ", " || "], 2)
        text = signs[0].join(["(" + signs[1].join(terms[:half]) + ")"] * bool(half) + terms[half:])
        try:
            yield compile(f"{{ {text} }}").text
        except PatternError:
            continue


def events(
    draw: random.Random,
    paths: Collection[Path],
    spoiled: Sequence[str] = _STRUCTURES,
    parents: Sequence[str] = (),
) -> Iterator[str]:
    """Endless events as JSON text: some of the paths lead somewhere.

    Args:
        spoiled: the arrays and objects that fields hold now and then.
        parents: what stands in the place of an object now and then; anything when not given.
    """
    kinds = [_VALUES, _VALUES, _VALUES, _WHOLE, _NUMBERS, _OTHERS, spoiled]
    while True:
        record: dict[str | int, Any] = {}
        for path in paths:
            if draw.random() < 0.04 and len(path) > 1:
                _put(record, path[: draw.randrange(1, len(path))], draw.choice(parents or draw.choice(kinds)))
            if draw.random() < 0.75:
                _put(record, path, draw.choice(draw.choice(kinds)))
        yield _text(record)


def _put(record: dict[str | int, Any], path: Path, value: str) -> None:
    for step in path[:-1]:
        record = record.setdefault(step, {})
        if isinstance(record, str):
            return
    record.setdefault(path[-1], value)


def _text(tree: Any) -> str:
    if isinstance(tree, str):
        return tree
    if tree and all(isinstance(key, int) for key in tree):
        return f"[{','.join(_text(tree.get(place, 'null')) for place in range(max(tree) + 1))}]"
    return "{" + ",".join(f"{json.dumps(key)}:{_text(child)}" for key, child in tree.items()) + "}"


# --- answers and excuses ---


@dataclass(frozen=True)
class Excuse:
    """A loss: in which pairs it makes a term true or false that is not.

    Attributes:
        loss: a part of its sentence.
        more: whether the query can be true of a term and a value while the predicate is false.
        less: whether it can be false while the predicate is true.
        arrays: whether it can be anything of a term whose path leads through an array.
    """

    loss: str
    more: Callable[[Term, Any], bool]
    less: Callable[[Term, Any], bool] = lambda _term, _value: False
    arrays: bool = False


@dataclass
class Question:
    """A pattern with what it was exported to."""

    rule: Rule
    export: Export

    @property
    def expression(self) -> nodes.Expression:
        """The condition of the pattern."""
        assert isinstance(self.rule.pattern.tree, nodes.JsonPattern)
        return self.rule.pattern.tree.expression


def questions(
    count: int, texts: Iterator[str], exporter: Callable[[list[Rule], Any], Export], target: Any
) -> list[Question]:
    """So many patterns that can be exported; those that cannot are left out with a reason."""
    found: list[Question] = []
    while len(found) < count:
        rule = Rule(f"r{len(found)}", "R", "low", compile(next(texts)))
        export = exporter([rule], target)
        if export.unsupported:
            assert export.unsupported[rule.id]
        else:
            found.append(Question(rule, export))
    return found


def compare(
    asked: Sequence[Question],
    events: Sequence[str],
    matched: Sequence[Collection[int]],
    excuses: Sequence[Excuse],
) -> int:
    """How many pairs were compared; `matched` has for each question the numbers of the events it found.

    Raises:
        AssertionError: a query differs from its predicate where no loss of it says so.
    """
    records = [decode_object(event) for event in events]
    for question, found in zip(asked, matched, strict=True):
        valid = [
            e for e in excuses if any(e.loss in loss for loss in question.export.losses[question.rule.id])
        ]
        for number, event in enumerate(events):
            expected = question.rule.pattern.matches(event)
            if expected is not (number in found):
                low, high = bounds(question.expression, records[number], valid)
                assert high if number in found else not low, (
                    f"the query {'finds' if number in found else 'misses'} {event}\n{question.rule.pattern.text}\n"
                    f"{question.export.text}"
                )
    return len(asked) * len(events)


def bounds(expression: nodes.Expression, record: Any, excuses: Sequence[Excuse]) -> tuple[bool, bool]:
    """The least and the most that a query with these losses may answer."""
    if isinstance(expression, nodes.Group):
        lows, highs = zip(*(bounds(term, record, excuses) for term in expression.terms), strict=True)
        every = all if isinstance(expression, nodes.And) else any
        return every(lows), every(highs)
    *on_path, value = _led_through(record, expression)
    holds = value_holds(expression, value)
    if any(excuse.arrays for excuse in excuses) and any(isinstance(one, list) for one in [*on_path, value]):
        return False, True
    low = holds and not any(excuse.less(expression, value) for excuse in excuses)
    return low, holds or any(excuse.more(expression, value) for excuse in excuses)


def _led_through(record: Any, term: Term) -> list[Any]:
    """The values on the way of a term's selector; the last is what it tests, or ABSENT."""
    assert isinstance(term.target, nodes.Selector)
    steps: Any = term.target.steps
    return [runtime.follow(record, steps[:count]) for count in range(len(steps) + 1)]


# --- what excuses ask about ---


def number_of(term: Term) -> nodes.Number | None:
    """The bare number that a term compares with."""
    value = getattr(term, "value", None)
    return value if isinstance(value, nodes.Number) else None


def is_number(value: Any) -> bool:
    """Whether it is a number of JSON."""
    return isinstance(value, int | Decimal) and not isinstance(value, bool)


def is_long(value: Any) -> bool:
    """Whether it is a number beyond a double's range or 15 digits, on either side of a comparison."""
    if isinstance(value, nodes.Number):
        return exact_double(value) is None
    return is_number(value) and exact_double(nodes.Number(str(value), 0)) is None


def is_fraction(value: Any) -> bool:
    """Whether it is a number that can be written in more than one way, or that CloudWatch writes otherwise."""
    return is_number(value) and (not isinstance(value, int) or value == 0 or is_long(value))


def is_type(term: Term, name: str) -> bool:
    """Whether it is IS NULL, IS TRUE or IS FALSE."""
    return isinstance(term, nodes.IsType) and term.type == name


def finds_rounded(term: Term, value: Any) -> bool:
    """Whether a comparison of doubles can be true where that of the numbers is not."""
    number = number_of(term)
    return number is not None and is_number(value) and (is_long(value) or is_long(number))


def misses_rounded(term: Term, value: Any) -> bool:
    """Whether a comparison of doubles can be false where that of the numbers is true."""
    return number_of(term) is not None and is_long(value)


def _is_twice(term: Term, _value: Any) -> bool:
    value = getattr(term, "value", None)
    is_equality = isinstance(term, nodes.Comparison) and not term.is_negative
    return is_equality and isinstance(value, nodes.String) and len(value.parts) > 1 and bool(value.parts[-1])


RULE_40 = Excuse("rule 40", _is_twice)
