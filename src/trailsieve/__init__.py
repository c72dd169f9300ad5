"""trailsieve: CloudWatch metric filters and alarms without CloudWatch.

    >>> import trailsieve
    >>> pattern = trailsieve.compile('{ $.eventName = "ConsoleLogin" }')
    >>> pattern.matches('{"eventName": "ConsoleLogin"}')
    True

Names are loaded on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from trailsieve.errors import PatternError, RuleError, TrailsieveError
    from trailsieve.logic import Verdict, equivalent, implies, satisfiable, tautology
    from trailsieve.logic.explanation import explain
    from trailsieve.pattern.compiler import FilterPattern, TestMatch, compile
    from trailsieve.rules.load import load_pack

__all__ = [
    "FilterPattern",
    "PatternError",
    "RuleError",
    "TestMatch",
    "TrailsieveError",
    "Verdict",
    "compile",
    "equivalent",
    "explain",
    "implies",
    "load_pack",
    "satisfiable",
    "tautology",
]

_HOMES = {
    "FilterPattern": "trailsieve.pattern.compiler",
    "PatternError": "trailsieve.errors",
    "RuleError": "trailsieve.errors",
    "TestMatch": "trailsieve.pattern.compiler",
    "TrailsieveError": "trailsieve.errors",
    "compile": "trailsieve.pattern.compiler",
    "corrected": "trailsieve.rules.lint.fixes",
    "Verdict": "trailsieve.logic",
    "equivalent": "trailsieve.logic",
    "explain": "trailsieve.logic.explanation",
    "implies": "trailsieve.logic",
    "load_pack": "trailsieve.rules.load",
    "satisfiable": "trailsieve.logic",
    "tautology": "trailsieve.logic",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'trailsieve' has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value
