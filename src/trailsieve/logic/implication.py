"""Whether one filter pattern implies another, is equivalent, can match at all, or always matches."""

from __future__ import annotations

from trailsieve.logic.witness import Verdict, find
from trailsieve.pattern.compiler import FilterPattern, compile


def implies(a: str | FilterPattern, b: str | FilterPattern) -> Verdict:
    """Whether every log event that `a` matches is matched by `b` too; the witness matches `a` only.

    Raises:
        PatternError: one of them is not a valid pattern.
    """
    first, second = _compiled(a), _compiled(b)
    if first.tree == second.tree:
        return Verdict(True)
    return _opposite(find([(first, True), (second, False)]))


def equivalent(a: str | FilterPattern, b: str | FilterPattern) -> Verdict:
    """Whether both match the same log events; the witness matches exactly one of them.

    Raises:
        PatternError: one of them is not a valid pattern.
    """
    one_way = implies(a, b)
    if one_way.holds is False:
        return one_way
    other_way = implies(b, a)
    return one_way if one_way.holds is None and other_way.holds else other_way


def satisfiable(a: str | FilterPattern) -> Verdict:
    """Whether some log event matches; the witness is one.

    Raises:
        PatternError: it is not a valid pattern.
    """
    return find([(_compiled(a), True)])


def tautology(a: str | FilterPattern) -> Verdict:
    """Whether every log event matches; the witness does not.

    For JSON patterns only JSON objects count, because no other event ever matches (rule 23).

    Raises:
        PatternError: it is not a valid pattern.
    """
    return _opposite(find([(_compiled(a), False)]))


def _compiled(pattern: str | FilterPattern) -> FilterPattern:
    return compile(pattern) if isinstance(pattern, str) else pattern


def _opposite(found: Verdict) -> Verdict:
    return found if found.holds is None else Verdict(not found.holds, found.witness)
