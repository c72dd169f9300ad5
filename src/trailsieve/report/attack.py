"""MITRE ATT&CK: techniques by rule, and a layer for the ATT&CK Navigator."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from trailsieve.formats.alert_fields import technique_ids
from trailsieve.investigation.model import FiredRule


class Technique(Struct):
    """One technique, the rules that found it, and the number of their alerts."""

    id: str
    rules: list[FiredRule]
    alerts: int

    @property
    def url(self) -> str:
        """Its page at MITRE."""
        return f"https://attack.mitre.org/techniques/{self.id.replace('.', '/')}/"


def techniques(fired: Sequence[FiredRule]) -> list[Technique]:
    """The techniques of the rules that fired, by id."""
    found: dict[str, list[FiredRule]] = defaultdict(list)
    for rule in fired:
        for technique in technique_ids(rule.tags):
            found[technique].append(rule)
    return [
        Technique(name, rules, sum(rule.alerts for rule in rules)) for name, rules in sorted(found.items())
    ]


def layer(found: Sequence[Technique], name: str) -> dict[str, Any]:
    """A layer that the Navigator opens: a technique's score is the number of alerts.

    Source: github.com/mitre-attack/attack-navigator, layers/spec/v4.5/layerformat.md
    """
    most = max((technique.alerts for technique in found), default=1)
    return {
        "name": name,
        "versions": {"layer": "4.5", "navigator": "5.1.0"},
        "domain": "enterprise-attack",
        "description": "Techniques of the rules that raised alerts; the score is the number of alerts.",
        "filters": {"platforms": ["IaaS", "Identity Provider", "SaaS"]},
        "techniques": [
            {
                "techniqueID": technique.id,
                "score": technique.alerts,
                "comment": ", ".join(rule.rule for rule in technique.rules),
                "enabled": True,
                "showSubtechniques": "." in technique.id,
            }
            for technique in found
        ],
        "gradient": {"colors": ["#fff5e0", "#c62828"], "minValue": 0, "maxValue": most},
    }
