"""A draft's `to_rule` and the rule file that an import writes are the same rule."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.strategies import patterns
from trailsieve.errors import RuleError
from trailsieve.interchange.importers.metric_filters import rule_drafts
from trailsieve.interchange.importers.model import ImportResult, Item
from trailsieve.interchange.importers.rule_draft import RuleDraft
from trailsieve.interchange.importers.rule_file import rule_file
from trailsieve.pattern.compiler import compile
from trailsieve.pattern.render import render
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Rule

Json = dict[str, Any]
ANY = compile("a")
odd = st.sampled_from(
    ["f", "f-2", "a'b", "'''", 'a"""b', "c:\\d", "x\n[[rule]]\ny", "\r", "\ud800", " ", "é\x00"]
)
names = odd | st.text(min_size=1, max_size=8)
numbers = st.integers(-9, 9) | st.floats(-1e20, 1e20)


@st.composite
def metric_filters(draw: st.DrawFn, name: str) -> Json:
    transformation: Json = {
        "metricNamespace": "n",
        "metricName": name,
        "metricValue": draw(st.sampled_from(["1", "2.5", "$.a"])),
    }
    if draw(st.booleans()):
        transformation["defaultValue"] = draw(numbers)
    if draw(st.booleans()):
        transformation["dimensions"] = {draw(names): "$.b"}
    pattern = draw(st.sampled_from(["", "{ $.a = 'x' }", '{ $.a = "it\'s" }']) | patterns.map(render))
    return {"filterName": draw(names), "filterPattern": pattern, "metricTransformations": [transformation]}


alarms = st.fixed_dictionaries(
    {
        "AlarmName": names,
        "AlarmDescription": names,
        "Namespace": st.just("n"),
        "MetricName": st.sampled_from("pqr"),
        "Statistic": st.sampled_from(["Sum", "Average", "p99"]),
        "Period": st.sampled_from([10, 60, 90, 3600]),
        "EvaluationPeriods": st.integers(1, 4),
        "DatapointsToAlarm": st.integers(1, 4),
        "Threshold": numbers,
        "ComparisonOperator": st.sampled_from(["GreaterThanThreshold", "GreaterThanOrEqualToThreshold"]),
        "TreatMissingData": st.sampled_from([None, "missing", "notBreaching"]),
        "ActionsEnabled": st.booleans(),
        "OKActions": st.sampled_from([[], ["arn:aws:sns:us-east-1:1:t"]]),
    }
)  # fmt: skip


@st.composite
def imports(draw: st.DrawFn) -> ImportResult:
    filters = [draw(metric_filters(name)) for name in draw(st.lists(st.sampled_from("pqr"), max_size=3))]
    found = draw(st.lists(alarms, max_size=3))
    return ImportResult([Item("here", item) for item in filters], [Item("here", item) for item in found])


def loaded(drafts: list[RuleDraft], folder: Path) -> list[Rule]:
    """The rules of the rule file, without their place in it."""
    file = folder / "imported.toml"
    file.write_text(rule_file(drafts, [], "here"), "utf-8")
    return [replace(rule, file=Path(), line=0) for rule in load_pack(file).rules]


def without_pattern(rules: list[Rule]) -> list[Rule]:
    return [replace(rule, pattern=ANY) for rule in rules]


@given(imports())
@settings(max_examples=examples(200), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_rule_file_loads_as_the_rules_of_its_drafts(tmp_path: Path, result: ImportResult) -> None:
    drafts = [*rule_drafts(result), RuleDraft("last", "a", "here")]
    made = [draft.to_rule() for draft in drafts if not draft.broken]
    again = loaded(drafts, tmp_path)
    assert [rule.pattern.text for rule in made] == [rule.pattern.text for rule in again]
    assert without_pattern(made) == without_pattern(again)


@given(names, names, st.lists(names, max_size=2), st.sampled_from(["low", "critical"]))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_tags_and_severity_are_the_same_too(
    tmp_path: Path, name: str, text: str, tags: list[str], severity: str
) -> None:
    draft = RuleDraft(
        name, "a", "here", description=text, more={"severity": severity, "tags": tags, "references": tags}
    )
    assert without_pattern([draft.to_rule()]) == without_pattern(loaded([draft], tmp_path))


BROKEN = {
    "broken": (RuleDraft("x", "a", "here", broken="no period"), "here: rule x: no period"),
    "pattern": (RuleDraft("x", "{ $.a", "here"), "here: rule x: "),
    "alarm": (RuleDraft("x", "a", "here", alarm={"threshold": 1, "period": "5s"}), "`alarm.period` must be"),
}  # fmt: skip


@pytest.mark.parametrize("name", BROKEN)
def test_a_draft_that_is_no_rule_names_the_reason(name: str) -> None:
    draft, reason = BROKEN[name]
    with pytest.raises(RuleError, match=reason):
        draft.to_rule()
