"""Findings as SARIF 2.1.0, which code scanning services read.

docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from trailsieve import __version__
from trailsieve.errors import visible
from trailsieve.rules.lint.codes import Code, codes
from trailsieve.rules.lint.issue import LocatedIssue

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_HOME = "https://github.com/trailsieve/trailsieve"


def sarif(issues: Iterable[LocatedIssue]) -> dict[str, Any]:
    """A SARIF log with one run; files below the working directory have relative paths."""
    driver = {
        "name": "trailsieve",
        "informationUri": _HOME,
        "semanticVersion": __version__,
        "rules": [_rule(code) for code in codes().values()],
    }
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {"driver": driver},
                "columnKind": "unicodeCodePoints",
                "results": [_result(located) for located in issues],
            }
        ],
    }


def _rule(code: Code) -> dict[str, Any]:
    return {
        "id": code.code,
        "shortDescription": {"text": code.title},
        "fullDescription": {"text": " ".join(code.explanation.split())},
        "helpUri": f"{_HOME}/blob/main/docs/lint.md#{code.code.lower()}",
        "defaultConfiguration": {"level": code.level},
    }


def _result(located: LocatedIssue) -> dict[str, Any]:
    found = located.issue
    parts = [found.message, found.proof, found.event, f"Fix: {found.fix}" if found.fix else ""]
    logical = {"fullyQualifiedName": visible(located.rule or located.pattern), "kind": "object"}
    location: dict[str, Any] = {"logicalLocations": [logical]}
    if located.file:
        location["physicalLocation"] = {
            "artifactLocation": {"uri": _uri(located.file)},
            "region": {"startLine": located.line, "startColumn": located.column},
        }
    return {
        "ruleId": found.code,
        "ruleIndex": list(codes()).index(found.code),
        "level": located.code.level,
        "message": {"text": "\n".join(map(visible, filter(None, parts)))},
        "locations": [location],
    }


def _uri(file: str) -> str:
    """A relative path, or a file: URI; both percent-encoded."""
    path = Path(file).absolute()
    if path.is_relative_to(Path.cwd()):
        return path.as_uri().removeprefix(Path.cwd().as_uri()).lstrip("/")
    return path.as_uri()
