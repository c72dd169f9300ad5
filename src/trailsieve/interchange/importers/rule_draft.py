"""A rule that an import makes, with notes on what it does not carry over."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from typing import Any

from trailsieve.errors import RuleError
from trailsieve.interchange.text import unique_name
from trailsieve.rules.alarm import Alarm
from trailsieve.rules.alarm_checks import REQUIRED
from trailsieve.rules.rule import Rule
from trailsieve.rules.rule_table import RuleTable


@dataclass(slots=True)
class RuleDraft:
    """A rule with notes on how it was made.

    Attributes:
        origin: the file and resource that it was made from.
        metric: the table `metric` of a rule file.
        alarm: the table `alarm` of a rule file.
        more: severity, tags and references, if the origin has them.
        facts: what helps a reader: log group, metric, who is notified.
        losses: what the rule does not carry over.
        broken: why there is no rule; the rule file then shows the draft as a comment.
    """

    id: str
    pattern: str
    origin: str
    title: str = ""
    description: str = ""
    enabled: bool = True
    metric: dict[str, Any] = field(default_factory=dict)
    alarm: dict[str, Any] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    facts: list[str] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    broken: str = ""

    def all_losses(self) -> list[str]:
        """One sentence for each thing that is not carried over, the whole rule first if it is broken."""
        return [f"not imported: {self.broken}"] * bool(self.broken) + self.losses

    def table(self) -> dict[str, Any]:
        """The `[[rule]]` table of a rule file, without settings that have their default."""
        table: dict[str, Any] = {"id": self.id}
        if self.title and self.title != self.id:
            table["title"] = self.title
        table |= {key: self.more[key] for key in ("severity",) if key in self.more}
        table["pattern"] = self.pattern
        if self.description:
            table["description"] = self.description
        table |= self.more
        if not self.enabled:
            table["enabled"] = False
        if self.metric:
            table["metric"] = self.metric
        if self.alarm:
            table["alarm"] = _without_defaults(self.alarm)
        return {key: without_surrogates(content) for key, content in table.items()}

    def to_rule(self) -> Rule:
        """The rule, equal to the one that loading `table()` from a rule file gives.

        Raises:
            RuleError: the draft is broken, or CloudWatch would refuse its pattern, metric or alarm.
        """
        problems = [self.broken] * bool(self.broken)
        rule = RuleTable(lambda _, text: problems.append(text)).rule(self.table())
        if problems or rule is None:
            raise RuleError([f"{self.origin}: rule {self.id}: {problem}" for problem in problems])
        return rule


def number_duplicates(drafts: Iterable[RuleDraft]) -> None:
    """Appends -2, -3, ... to ids that an earlier draft has."""
    taken: set[str] = set()
    for draft in drafts:
        draft.id = unique_name(draft.id, taken)
        taken.add(draft.id)


def _without_defaults(alarm: dict[str, Any]) -> dict[str, Any]:
    defaults = {field.name: field.default for field in fields(Alarm) if field.name not in REQUIRED}
    defaults |= {"datapoints_to_alarm": alarm.get("evaluation_periods", 1), "notify": ["ALARM"]}
    return {key: given for key, given in alarm.items() if defaults.get(key) != given}


def without_surrogates(content: Any) -> Any:
    """The same content with `?` for lone surrogates, which TOML (UTF-8) cannot hold."""
    if isinstance(content, str):
        return content.encode("utf-8", "replace").decode()
    if isinstance(content, dict):
        return {without_surrogates(key): without_surrogates(item) for key, item in content.items()}
    return [without_surrogates(item) for item in content] if isinstance(content, list) else content
