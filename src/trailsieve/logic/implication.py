"""Whether one filter pattern implies another, is equivalent, can match at all, or always matches."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from trailsieve import jsontext
from trailsieve.logic.event_text import event_text
from trailsieve.logic.json_encoding import JsonQuestion
from trailsieve.logic.minimize import shrunk
from trailsieve.logic.normal_form import Question
from trailsieve.logic.satisfiability import Formula
from trailsieve.logic.text_encoding import DelimitedQuestion, TextQuestion
from trailsieve.logic.unknown import UnknownError
from trailsieve.pattern.compiler import FilterPattern, compile
from trailsieve.pattern.delimited import layout_of
from trailsieve.pattern.nodes import DelimitedPattern, JsonPattern, Pattern, RegexPattern, TextPattern

MAX_LEMMAS = 60
Wanted = Sequence[tuple[FilterPattern, bool]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """An answer with its evidence. It is true in a condition only when it is proved to hold.

    Attributes:
        holds: True (proved), False (the witness shows it) or None (unknown).
        witness: a log event, as small as can be, that shows the answer: for `satisfiable` one that matches,
            for all others one that speaks against it. None when there is none to show.
        reason: why the answer is unknown, or "".
    """

    holds: bool | None
    witness: str | None = None
    reason: str = ""

    def __bool__(self) -> bool:
        return self.holds is True


def implies(a: str | FilterPattern, b: str | FilterPattern) -> Verdict:
    """Whether every log event that `a` matches is matched by `b` too; the witness matches `a` only.

    Raises:
        PatternError: one of them is no pattern.
    """
    first, second = _compiled(a), _compiled(b)
    if first.tree == second.tree:
        return Verdict(True)
    return _opposite(find([(first, True), (second, False)]))


def equivalent(a: str | FilterPattern, b: str | FilterPattern) -> Verdict:
    """Whether both match the same log events; the witness matches exactly one of them.

    Raises:
        PatternError: one of them is no pattern.
    """
    one_way = implies(a, b)
    if one_way.holds is False:
        return one_way
    other_way = implies(b, a)
    return one_way if one_way.holds is None and other_way.holds else other_way


def satisfiable(a: str | FilterPattern) -> Verdict:
    """Whether some log event matches; the witness is one.

    Raises:
        PatternError: it is no pattern.
    """
    return find([(_compiled(a), True)])


def tautology(a: str | FilterPattern) -> Verdict:
    """Whether every log event matches; the witness does not.

    Of JSON patterns it is asked whether every event that is one JSON object matches: no other event
    ever does (rule 23).

    Raises:
        PatternError: it is no pattern.
    """
    return _opposite(find([(_compiled(a), False)]))


def _compiled(pattern: str | FilterPattern) -> FilterPattern:
    return compile(pattern) if isinstance(pattern, str) else pattern


def _opposite(found: Verdict) -> Verdict:
    return found if found.holds is None else Verdict(not found.holds, found.witness)


# --- finding an event ---


def find(wanted: Wanted) -> Verdict:
    """Whether there is a log event that each pattern matches (True) or not (False); the witness is one.

    Of JSON patterns alone, only JSON objects count.
    """
    try:
        if len({_kind(pattern.tree) for pattern, _ in wanted}) > 1:
            return _by_trial(wanted)
        return _answer(_question(wanted), wanted)
    except UnknownError as error:
        return Verdict(None, reason=str(error))
    except RecursionError:
        return Verdict(None, reason="too large: brackets nest too deep")


def _kind(tree: Pattern) -> object:
    """Patterns of one kind can be compared term by term."""
    if isinstance(tree, DelimitedPattern):
        return layout_of(tree)
    return TextPattern if isinstance(tree, RegexPattern) else type(tree)


def _question(wanted: Wanted) -> Question:
    trees = [(pattern.tree, truth) for pattern, truth in wanted]
    if isinstance(trees[0][0], JsonPattern):
        return JsonQuestion([(cast("JsonPattern", tree).expression, truth) for tree, truth in trees])
    if isinstance(trees[0][0], DelimitedPattern):
        return DelimitedQuestion(cast("list[tuple[DelimitedPattern, bool]]", trees))
    return TextQuestion(cast("list[tuple[TextPattern | RegexPattern, bool]]", trees))


def _answer(question: Question, wanted: Wanted) -> Verdict:
    solution = _solution(question, question.space.all([question.formula, question.real]))
    if solution is None:
        if question.real is True or _solution(question, question.formula) is None:
            return Verdict(False)
        return Verdict(None, reason="only numbers that may not exist could tell")
    event = question.event(solution)
    if not _confirmed(event, wanted):
        return Verdict(None, reason="no event that could be tried out tells them apart")
    return Verdict(True, shrunk(event, lambda text: _confirmed(text, wanted)))


def _solution(question: Question, formula: Formula) -> dict[int, int] | None:
    """A solution that no lemma speaks against, or None when there is none."""
    for _ in range(MAX_LEMMAS):
        solution = question.space.solve(formula)
        lemma = True if solution is None else question.lemma(solution)
        if lemma is True:
            return solution
        formula = question.space.all([formula, lemma])
    raise UnknownError("too large: too many kinds of text were guessed in vain")


def _confirmed(event: str, wanted: Wanted) -> bool:
    """Every witness is tried out on the compiled predicates."""
    if all(pattern.reads_records for pattern, _ in wanted) and jsontext.decode_object(event) is None:
        return False
    return all(pattern.matches(event) is truth for pattern, truth in wanted)


def _by_trial(wanted: Wanted) -> Verdict:
    """For patterns of different kinds: some event that does it, or one pattern that alone cannot do it."""
    for event in _candidates(wanted):
        if event is None:
            return Verdict(False)
        if _confirmed(event, wanted):
            return Verdict(True, shrunk(event, lambda text: _confirmed(text, wanted)))
    return Verdict(None, reason="the patterns are of different kinds (JSON, text, columns)")


def _candidates(wanted: Wanted) -> Iterator[str | None]:
    """Events for each pattern alone, and mixtures; None when one pattern alone cannot be had."""
    events = []
    for pattern, truth in wanted:
        found = find([(pattern, truth)])
        # Text that is no JSON object makes any JSON pattern false, so "never false" proves nothing there.
        if found.holds is False and (truth or not pattern.reads_records):
            yield None
        if found.witness is not None:
            events.append(found.witness)
            yield found.witness
    for event in events:
        record = jsontext.decode_object(event)
        if record is not None:
            for other in events:
                yield event_text({**record, "message": other})
