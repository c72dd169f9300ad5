"""The search for a log event that some patterns match and others do not, and its smallest form."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

from trailsieve import jsontext
from trailsieve.errors import UnknownError
from trailsieve.logic.encoding import Encoding
from trailsieve.logic.json_encoding import JsonEncoding
from trailsieve.logic.satisfiability import Formula
from trailsieve.logic.text_encoding import DelimitedEncoding, TextEncoding, token_counts
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.delimited import Layout, layout_of
from trailsieve.pattern.nodes import DelimitedPattern, JsonPattern, Pattern, RegexPattern, TextPattern

MAX_LEMMAS = 60
_REST = "it depends on the fields into which the rest of a line splits, which a last field takes as one text"
Wanted = Sequence[tuple[FilterPattern, bool]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer with its evidence. It is truthy only if `holds` is True.

    Attributes:
        holds: True (proved), False (the witness shows it) or None (unknown).
        witness: a minimal log event that shows the answer: for `satisfiable` one that matches,
            for all others a counterexample. None if there is none.
        reason: why the answer is unknown, or "".
    """

    holds: bool | None
    witness: str | None = None
    reason: str = ""

    def __bool__(self) -> bool:
        return self.holds is True


def find(wanted: Wanted) -> Verdict:
    """Whether there is a log event that each pattern matches (True) or not (False); the witness is one.

    Of JSON patterns alone, only JSON objects count.
    """
    try:
        kinds = {_kind(pattern.tree) for pattern, _ in wanted}
        if len(kinds) == 1:
            return _answer(_encoding(wanted), wanted)
        if all(isinstance(kind, Layout) for kind in kinds):
            return _by_count(wanted)
        return _by_trial(wanted)
    except UnknownError as error:
        return Verdict(None, reason=str(error))
    except RecursionError:
        return Verdict(None, reason="too large: brackets nest too deep")


def _kind(tree: Pattern) -> object:
    """Patterns of one kind can be compared term by term."""
    if isinstance(tree, DelimitedPattern):
        return layout_of(tree)
    return TextPattern if isinstance(tree, RegexPattern) else type(tree)


def _encoding(wanted: Wanted) -> Encoding:
    trees = [(pattern.tree, truth) for pattern, truth in wanted]
    if isinstance(trees[0][0], JsonPattern):
        return JsonEncoding([(cast("JsonPattern", tree).expression, truth) for tree, truth in trees])
    if isinstance(trees[0][0], DelimitedPattern):
        return DelimitedEncoding(cast("list[tuple[DelimitedPattern, bool]]", trees))
    return TextEncoding(cast("list[tuple[TextPattern | RegexPattern, bool]]", trees))


def _answer(encoding: Encoding, wanted: Wanted) -> Verdict:
    solution = _solution(encoding, encoding.solver.all([encoding.formula, encoding.real]))
    if solution is None:
        if encoding.real is True or _solution(encoding, encoding.formula) is None:
            return Verdict(False)
        return Verdict(None, reason="it depends on numbers that may not exist")
    event = next((event for event in encoding.events(solution) if _confirmed(event, wanted)), None)
    if event is None:
        return Verdict(None, reason="no event was found that could be confirmed")
    return Verdict(True, minimized(event, lambda text: _confirmed(text, wanted)))


def _solution(encoding: Encoding, formula: Formula) -> dict[int, int] | None:
    """A solution that no lemma excludes, or None."""
    for _ in range(MAX_LEMMAS):
        solution = encoding.solver.solve(formula)
        lemma = True if solution is None else encoding.lemma(solution)
        if lemma is True:
            return solution
        formula = encoding.solver.all([formula, lemma])
    raise UnknownError("too large: too many kinds of text to try")


def _confirmed(event: str, wanted: Wanted) -> bool:
    """Every witness is tried out on the compiled predicates; CloudWatch takes no empty event."""
    if not event:
        return False
    if all(pattern.reads_records for pattern, _ in wanted) and jsontext.decode_object(event) is None:
        return False
    return all(pattern.matches(event) is truth for pattern, truth in wanted)


def _by_count(wanted: Wanted) -> Verdict:
    """For space-delimited patterns with different layouts: every number of fields that a line may have."""
    trees = [(cast("DelimitedPattern", pattern.tree), truth) for pattern, truth in wanted]
    unknown = False
    for count in token_counts(tree for tree, _ in trees):
        verdict = _answer(DelimitedEncoding(trees, count), wanted)
        if verdict.holds:
            return verdict
        unknown = unknown or verdict.holds is None
    return Verdict(None, reason=_REST) if unknown else Verdict(False)


def _by_trial(wanted: Wanted) -> Verdict:
    """For patterns of different kinds: some event that does it, or one pattern that alone cannot do it."""
    for event in _candidates(wanted):
        if event is None:
            return Verdict(False)
        if _confirmed(event, wanted):
            return Verdict(True, minimized(event, lambda text: _confirmed(text, wanted)))
    return Verdict(None, reason="the patterns are of different kinds (JSON, text, columns)")


def _candidates(wanted: Wanted) -> Iterator[str | None]:
    """Events for each pattern alone, and mixtures; None when one pattern alone cannot be had."""
    events = []
    for pattern, truth in wanted:
        found = find([(pattern, truth)])
        # Text that is not a JSON object makes any JSON pattern false, so "never false" proves nothing here.
        if found.holds is False and (truth or not pattern.reads_records):
            yield None
        if found.witness is not None:
            events.append(found.witness)
            yield found.witness
    for event in events:
        record = jsontext.decode_object(event)
        if record is not None:
            for other in events:
                yield jsontext.readable({**record, "message": other})


def minimized(event: str, shows: Callable[[str], bool]) -> str:
    """The smallest part of a JSON event for which `shows` is still true; other text is unchanged."""
    record = jsontext.decode_object(event)
    if record is None:
        return event
    smaller = event
    while True:
        candidates = map(jsontext.readable, _without_one(jsontext.decode(smaller)))
        found = next((text for text in candidates if shows(text)), None)
        if found is None:
            return smaller
        smaller = found


def _without_one(value: Any) -> Iterator[Any]:
    """The value with one field or element less, at any depth."""
    if isinstance(value, dict):
        for name, child in value.items():
            yield {other: kept for other, kept in value.items() if other != name}
            for inner in _without_one(child):
                yield {**value, name: inner}
    elif isinstance(value, list):
        for place, child in enumerate(value):
            yield value[:place] + value[place + 1 :]
            for inner in _without_one(child):
                yield [*value[:place], inner, *value[place + 1 :]]
