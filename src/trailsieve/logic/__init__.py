"""Reasoning about filter patterns: implication, equivalence, satisfiability, and events that show the answer.

A question (is there an event that `a` matches and `b` does not?) is encoded as a formula over variables with
finite domains (`json_encoding`, `text_encoding`). There is one variable for each place of an event that the
patterns name, and one value in its domain for every way in which the tests on that place can turn out
(`json_domain`, `number_domain`), found by exploring the product of the tests' automata (`automata`,
`shortest_words`). Where a product is too large, membership in each language is left open and checked
afterwards (`text_abstraction`, `word_search`). The search (`satisfiability`) is complete: "unsatisfiable" is
a proof, and a solution is an event, which the compiled predicates must confirm before it is shown
(`witness`).
"""

from trailsieve.logic.implication import equivalent, implies, satisfiable, tautology
from trailsieve.logic.witness import Verdict

__all__ = ["Verdict", "equivalent", "implies", "satisfiable", "tautology"]
