"""Reasoning about filter patterns: implication, equivalence, and events that show what is so.

A question (is there an event that `a` matches and `b` does not?) becomes a formula over the places of
an event that the patterns name (`json_question`, `line_question`). Each place has finitely many cases
(`domain`): one value for every way in which the tests on it can turn out, found by walking the tests'
languages as automata (`machines`, `search`, `order`, `words`). The search (`formula`) is complete, so
"none" is a proof, and "one" is an event, which the compiled predicates must confirm before it is shown
(`verdict`).
"""

from trailsieve.logic.implication import Verdict, equivalent, implies, satisfiable, tautology

__all__ = ["Verdict", "equivalent", "implies", "satisfiable", "tautology"]
