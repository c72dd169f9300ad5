"""How two filter patterns differ: both implications, a witness for each side, and the differing terms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from trailsieve.logic.explanation import explain
from trailsieve.logic.implication import implies, satisfiable
from trailsieve.logic.witness import Verdict
from trailsieve.pattern.compiler import FilterPattern
from trailsieve.pattern.explanation import described
from trailsieve.pattern.nodes import Pattern, TextPattern, expressions_of, regexes_of, terms_of
from trailsieve.pattern.render import render_expression


@dataclass(frozen=True, slots=True)
class Side:
    """What one pattern matches and the other does not.

    Attributes:
        implied: whether everything that this pattern matches is matched by the other, with the witness.
        own_terms: terms that only this pattern has.
        never: whether it is proved that this pattern matches nothing at all.
        refused_for: terms of the other pattern that keep the witness out, and what each finds there.
    """

    implied: Verdict
    own_terms: tuple[str, ...]
    never: bool = False
    refused_for: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Difference:
    """The relation of two patterns."""

    a: Side
    b: Side

    @property
    def relation(self) -> str:
        """equivalent, A implies B, B implies A, neither, or unknown."""
        match (self.a.implied.holds, self.b.implied.holds):
            case (True, True):
                return "equivalent"
            case (True, False):
                return "A implies B"
            case (False, True):
                return "B implies A"
            case (False, False):
                return "neither"
            case _:
                return "unknown"

    def as_dict(self) -> dict[str, Any]:
        """The difference as plain data for JSON."""
        return {"relation": self.relation, "a": _side(self.a, "a", "b"), "b": _side(self.b, "b", "a")}


def _side(side: Side, own: str, other: str) -> dict[str, Any]:
    return {
        f"implies_{other}": side.implied.holds,
        "witness": side.implied.witness,
        "reason": side.implied.reason,
        "refused_for": [{"term": term, "found": found} for term, found in side.refused_for],
        f"terms_only_in_{own}": list(side.own_terms),
    }


def difference(a: FilterPattern, b: FilterPattern) -> Difference:
    """Compares two patterns both ways."""
    return Difference(_compare(a, b), _compare(b, a))


def _compare(own: FilterPattern, other: FilterPattern) -> Side:
    verdict = implies(own, other)
    terms = tuple(term for term in _terms(own.tree) if term not in _terms(other.tree))
    if verdict.witness is None:
        return Side(verdict, terms, never=satisfiable(own).holds is False)
    flips = explain(other, verdict.witness).flips
    refused_for = tuple((flip.text, described(flip) if flip.state else "") for flip in flips)
    return Side(verdict, terms, refused_for=refused_for)


def _terms(tree: Pattern) -> dict[str, None]:
    """The different terms of a pattern as text, in order."""
    marks = {"required": "", "excluded": "-", "optional": "?"}
    if isinstance(tree, TextPattern):
        return {f"{marks[term.role]}{term.text}": None for term in tree.terms}
    written = [render_expression(t) for expression in expressions_of(tree) for t in terms_of(expression)]
    return dict.fromkeys(written or [f"%{regex.source}%" for regex in regexes_of(tree)])
