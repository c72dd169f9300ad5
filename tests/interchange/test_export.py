"""The way back: what is exported and imported again is the same rule; what cannot be expressed is left out with its reason."""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.audit.account import Account
from tests.cli.console import trailsieve
from tests.examples import examples
from tests.interchange.test_import_formats import MODULES, rules_of
from tests.strategies import patterns
from trailsieve.errors import PatternError
from trailsieve.interchange.exporters import athena, aws_cli, eventbridge, opensearch
from trailsieve.interchange.exporters import cloudformation as to_cloudformation
from trailsieve.interchange.exporters import terraform as to_terraform
from trailsieve.interchange.exporters.cloudwatch import EACH_MATCH
from trailsieve.interchange.exporters.model import Export, ExportTarget, InexpressibleError
from trailsieve.interchange.importers import cloudformation, terraform
from trailsieve.interchange.importers.model import ImportResult, Item
from trailsieve.logic import equivalent
from trailsieve.model import ALARM_STATES
from trailsieve.pattern.compiler import compile
from trailsieve.pattern.nodes import Expression, JsonPattern
from trailsieve.pattern.render import render
from trailsieve.rules.alarm import Alarm, Metric
from trailsieve.rules.load import load_pack
from trailsieve.rules.rule import Rule

Json = dict[str, Any]
TARGET = ExportTarget("trail", "arn:aws:sns:us-east-1:111122223333:security", "Mine")
Round = Callable[[list[Rule], Path], list[Rule]]


def by_cloudformation(rules: list[Rule], folder: Path) -> list[Rule]:
    file = folder / "template.json"
    file.write_text(to_cloudformation.export(rules, TARGET).text, "utf-8")
    return rules_of(cloudformation.read(file), folder)


def by_terraform(rules: list[Rule], folder: Path) -> list[Rule]:
    file = folder / "main.tf"
    file.write_text(to_terraform.export(rules, TARGET).text, "utf-8")
    return rules_of(terraform.read(file), folder)


ROUNDS: dict[str, Round] = {"cloudformation": by_cloudformation, "terraform": by_terraform}
SOURCES: dict[str, Callable[[], ImportResult]] = {
    "terraform": lambda: terraform.read(MODULES / "benchmark.tf"),
    "cloudformation": lambda: cloudformation.read(MODULES / "benchmark.yaml"),
    "plan": lambda: terraform.read(MODULES / "plan.json"),
}


def same_settings(one: Rule, other: Rule) -> bool:
    """Everything that CloudWatch knows of a rule; lateness and the like are ours."""
    return (one.metric, one.alarm or EACH_MATCH, one.enabled) == (other.metric, other.alarm, other.enabled)


@pytest.mark.parametrize("back", ROUNDS)
@pytest.mark.parametrize("source", SOURCES)
def test_modules_that_are_imported_and_exported_again(source: str, back: str, tmp_path: Path) -> None:
    imported = rules_of(SOURCES[source](), tmp_path)
    again = ROUNDS[back](imported, tmp_path)
    assert [rule.id for rule in again] == [rule.id for rule in imported]
    for one, other in zip(imported, again, strict=True):
        assert equivalent(one.pattern, other.pattern).holds is True
        assert same_settings(one, other)


@pytest.mark.parametrize("back", ROUNDS)
def test_the_pack_comes_back_word_for_word(back: str, tmp_path: Path) -> None:
    rules = list(load_pack("cis-aws").rules)
    again = ROUNDS[back](rules, tmp_path)
    assert [rule.pattern.text for rule in again] == [rule.pattern.text for rule in rules]
    assert all(same_settings(one, other) for one, other in zip(rules, again, strict=True))


numbers = st.integers(-9, 9) | st.sampled_from([0.5, -1.25, 1e6, 1e-3])
alarms = st.builds(
    Alarm,
    threshold=numbers,
    period=st.sampled_from([10, 20, 30, 60, 300, 3600, 5400, 86400]),
    statistic=st.sampled_from(["Sum", "SampleCount", "Average", "Minimum", "Maximum"]),
    comparison=st.sampled_from([">=", ">", "<", "<="]),
    evaluation_periods=st.integers(3, 7),
    datapoints_to_alarm=st.integers(1, 3),
    missing=st.sampled_from(["missing", "notBreaching", "breaching", "ignore"]),
    notify=st.lists(st.sampled_from(ALARM_STATES), min_size=1, unique=True).map(
        lambda states: tuple(state for state in ("ALARM", "OK", "INSUFFICIENT_DATA") if state in states)
    ),
)  # fmt: skip
metrics = st.builds(Metric, value=numbers, default=st.none() | numbers)


@st.composite
def made_up_rules(draw: st.DrawFn) -> Rule:
    text = render(draw(patterns)).encode("utf-8", "replace").decode()
    try:
        pattern = compile(text.replace("\r", " ").strip() or "a")
    except PatternError:
        pattern = compile("a")
    name = draw(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12))
    return Rule(
        name, name, "low", pattern, enabled=draw(st.booleans()), metric=draw(metrics), alarm=draw(alarms)
    )


@pytest.mark.parametrize("back", ROUNDS)
@given(rules=st.lists(made_up_rules(), min_size=1, max_size=3))
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_rules_come_back(back: str, rules: list[Rule], tmp_path: Path) -> None:
    again = ROUNDS[back](rules, tmp_path)
    assert [rule.pattern.tree for rule in again] == [rule.pattern.tree for rule in rules]
    assert all(same_settings(one, other) for one, other in zip(rules, again, strict=True))


@pytest.mark.parametrize("back", ROUNDS)
@given(texts=st.lists(st.text('%${}\\"n\b\n ', min_size=1).filter(str.strip), min_size=1, max_size=3))
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(texts=["%{", "${"])
@example(texts=['$${"', "%%{}", "}"])
def test_text_with_the_signs_of_templates_comes_back(back: str, texts: list[str], tmp_path: Path) -> None:
    rules = [rule("[ip = %\\{%]", description=text) for text in texts]
    again = ROUNDS[back](rules, tmp_path)
    assert [one.description for one in again] == [text.strip() for text in texts]


# As Terraform's own parser reads them: github.com/hashicorp/hcl v2
LITERALS = {
    "[ip = %{%]": r'"[ip = %%{%]"',
    "[ip = %${%]": r'"[ip = %$${%]"',
    '"$${" "%%{"': r'"\"$$${\" \"%%%{\""',
    r'"%{ if x }\\${a}"': r'"\"%%{ if x }\\\\$${a}\""',
    '"$ { % {"': r'"\"$ { % {\""',
}


@pytest.mark.parametrize("pattern", LITERALS)
def test_terraform_reads_no_template_in_a_pattern(pattern: str) -> None:
    lines = to_terraform.export([rule(pattern)], TARGET).text.splitlines()
    assert [line for line in lines if line.startswith("  pattern ")] == [
        f"  pattern        = {LITERALS[pattern]}"
    ]


@given(
    texts=st.lists(
        st.text("'\"$`\\!%{}()*?~ a\n-#;&|<>é", min_size=1, max_size=9).filter(str.strip), min_size=1
    )
)
@settings(max_examples=examples(30))
def test_the_shell_hands_the_commands_what_the_rules_say(texts: list[str]) -> None:
    quoted = [text.replace("\\", "\\\\").replace('"', '\\"') for text in texts]
    rules = [
        replace(rule(f'"{text}"'), id=f"r{number}", description=text) for number, text in enumerate(quoted)
    ]
    aws = "aws() { printf '%s\\0' \"$@\"; }\n"
    done = subprocess.run(
        ["/bin/sh", "-c", aws + aws_cli.export(rules, TARGET).text], capture_output=True, check=True
    )
    found = [word.split("=", 1) for word in done.stdout.decode().split("\0") if "=" in word]
    assert [text for name, text in found if name == "--filter-pattern"] == [one.pattern.text for one in rules]
    assert [text for name, text in found if name == "--alarm-description"] == [
        one.description for one in rules
    ]


def test_the_commands_make_the_filters_and_alarms(empty: Account, tmp_path: Path) -> None:
    """The options of each command, read as the AWS CLI reads them, and given to moto."""
    rules = rules_of(terraform.read(MODULES / "plan.json"), tmp_path)
    empty.client("logs").create_log_group(logGroupName="trail")
    script = aws_cli.export(rules, TARGET).text
    for command in script.replace("\\\n", " ").splitlines():
        words = shlex.split(command, comments=True)
        if words[:1] == ["aws"]:
            _run(empty, words[1], words[2], words[3:])
    found = ImportResult(
        [Item("moto", item) for item in empty.client("logs").describe_metric_filters()["metricFilters"]],
        [Item("moto", item) for item in empty.client("cloudwatch").describe_alarms()["MetricAlarms"]],
    )
    again = {rule.id: rule for rule in rules_of(found, tmp_path)}
    for rule in rules:
        assert again[rule.id].pattern.text == rule.pattern.text
        assert same_settings(rule, again[rule.id])


def _run(account: Account, service: str, call: str, words: list[str]) -> None:
    client = account.client(service)
    operation = client.meta.method_to_api_mapping[call.replace("-", "_")]
    members = client.meta.service_model.operation_model(operation).input_shape.members
    names = {_hyphens(name): (name, shape) for name, shape in members.items()}
    given: Json = {}
    for word in words:
        option, _, text = word.removeprefix("--").partition("=")
        name, shape = names[option]
        given[name] = _typed(text, shape.type_name)
    getattr(client, call.replace("-", "_"))(**given)


def _hyphens(name: str) -> str:
    from botocore import xform_name

    return str(xform_name(name, "-"))


def _typed(text: str, kind: str) -> Any:
    if kind == "list":
        return json.loads(text) if text.startswith("[") else [text]
    return {"integer": int, "double": float}.get(kind, str)(text)


@pytest.mark.parametrize("shape", ["cloudformation", "terraform", "cli"])
def test_what_whoever_deploys_must_know_is_asked_for(shape: str) -> None:
    result = trailsieve("rules", "export", "samples/rules/alarms.toml", "--to", shape)
    assert result.code == 1
    assert "password-guessed: not exported: its alarm is a sequence" in result.err
    text = result.out.decode()
    wanted = {"cloudformation": '"Ref": "Topic"', "terraform": "[var.topic]", "cli": '="${TOPIC:?}"'}
    assert wanted[shape] in text
    assert (
        "denied-calls, denied-in-many-services: suppress: CloudWatch notifies of every state change"
        in result.err
    )


def test_descriptions_are_as_long_as_an_alarm_takes() -> None:
    export = to_cloudformation.export([rule("a", description="x" * 2000)], TARGET)
    description = json.loads(export.text)["Resources"]["RAlarm"]["Properties"]["AlarmDescription"]
    assert len(description) == 1024
    assert any("cut to the 1024 characters" in loss for loss in export.losses["r"])


@pytest.mark.parametrize("back", ROUNDS)
def test_numbered_names_do_not_collide(back: str, tmp_path: Path) -> None:
    rules = [replace(rule("a", description=name), id=name) for name in ("a*", "a:", "a--2", "a--2")]
    again = ROUNDS[back](rules, tmp_path)
    assert [one.description for one in again] == ["a*", "a:", "a--2", "a--2"]
    assert len({one.id for one in again}) == 4


@pytest.mark.parametrize("back", ROUNDS)
def test_a_threshold_of_more_than_64_bits(back: str, tmp_path: Path) -> None:
    [again] = ROUNDS[back]([rule("a", alarm=Alarm(10**30, 60))], tmp_path)
    assert again.alarm
    assert again.alarm.threshold == 1e30


# --- what other services can say ---


def rule(pattern: str, **more: Any) -> Rule:
    return Rule("r", "R", "low", compile(pattern), **more)


def expression(pattern: str) -> Expression:
    tree = compile(pattern).tree
    assert isinstance(tree, JsonPattern)
    return tree.expression


EVENTS: dict[str, Json] = {
    '{ $.a = "x" || $.a = "y*" || $.a = "*z" || $.a = "p*q" }': {
        "a": ["x", {"prefix": "y"}, {"suffix": "z"}, {"wildcard": "p*q"}]
    },
    '{ $.a.b != "x" && $.a.b != "y" && $.c NOT EXISTS }': {"a": {"b": [{"anything-but": ["x", "y"]}]}, "c": [{"exists": False}]},
    "{ $.a IS TRUE && ($.b = 3 || $.c >= 4.5) }": {
        "$or": [{"a": [True], "b": ["3", {"numeric": ["=", 3]}]}, {"a": [True], "c": [{"numeric": [">=", 4.5]}]}]
    },
    "{ $.a IS NULL }": {"a": [None]},
    "{ $.a = 111122223333 }": {"a": ["111122223333", 111122223333]},
    "{ $.a = 1e400 }": {"a": ["1e400"]},
    '{ $.a = "9007199254740993" }': {"a": ["9007199254740993", 9007199254740993]},
    "{ $.a != 500 && $.a != \"x\" }": {"a": [{"anything-but": ["500", "x"]}]},
    "{ $.requestParameters.a != 500 }": {"requestParameters": {"a": [{"anything-but": 500}]}},
    '{ $.a = "*" }': {"a": [{"exists": True}]},
    '{ $.requestParameters.a = "8*" }': {
        "requestParameters": {"a": [{"prefix": "8"}, {"numeric": [">=", -5000000000, "<=", 5000000000]}]}
    },
    '{ $.a != "*.aa" }': {"a": [{"anything-but": {"suffix": ".aa"}}, {"wildcard": "*.aa*.aa"}]},
    '{ $.a != "*aa" }': {"a": [{"anything-but": {"suffix": "aa"}}, {"wildcard": "*aa*aa"}, {"suffix": "aaa"}]},
}  # fmt: skip


@pytest.mark.parametrize("pattern", EVENTS)
def test_event_patterns(pattern: str) -> None:
    made = eventbridge.event_pattern(expression(pattern))
    assert made == {"detail-type": [{"suffix": "via CloudTrail"}], "detail": EVENTS[pattern]}


fields = st.sampled_from(["a", "b", "c.d"])
texts = st.sampled_from(["x", "xy", "yx", "z"])
shapes = st.sampled_from(['{} = "{}"', '{} = "{}*"', '{} = "*{}"', '{} != "{}"', "{} NOT EXISTS"])
tests = st.builds(lambda shape, name, text: shape.format(f"$.{name}", text), shapes, fields, texts)
sentences = st.recursive(
    tests,
    lambda inner: st.builds(
        lambda sign, parts: f"({sign.join(parts)})",
        st.sampled_from([" && ", " || "]),
        st.lists(inner, min_size=2, max_size=3),
    ),
    max_leaves=5,
)


@given(sentences, st.dictionaries(fields, texts))
@settings(max_examples=examples(300))
def test_event_patterns_match_what_the_rule_matches(sentence: str, values: dict[str, str]) -> None:
    """Against the matcher of moto, which plays EventBridge."""
    from moto.events.models import EventPattern

    made_up = rule(f"{{ {sentence} }}")
    try:
        detail = eventbridge.event_pattern(expression(made_up.pattern.text))["detail"]
    except InexpressibleError:
        return
    event: Json = {name: text for name, text in values.items() if "." not in name}
    event |= {"c": {"d": values["c.d"]}} if "c.d" in values else {}
    matcher: Any = EventPattern.load(json.dumps(detail))
    assert matcher.matches_event(event) is made_up.pattern.matches_record(event)


_A = """json_extract_scalar(requestparameters, '$["a"]')"""
_A_JSON = """json_format(json_extract(requestparameters, '$["a"]'))"""
_A_TEXT = f"""regexp_like({_A_JSON}, '^["0-9-]')"""
SQL = {
    '{ $.eventName = "It\'s" }': "eventname = 'It''s'",
    '{ $.userIdentity.arn != "_a%*" }': "useridentity.arn NOT LIKE '\\_a\\%%' ESCAPE '\\'",
    '{ $.userIdentity.arn != "*_a" }': "(useridentity.arn NOT LIKE '%\\_a' ESCAPE '\\' OR useridentity.arn LIKE '%\\_a_%' ESCAPE '\\')",
    "{ $.requestParameters.a.b[0] > 3 }": 'TRY_CAST(json_format(json_extract(requestparameters, \'$["a"]["b"][0]\')) AS DOUBLE) > 3.0',
    "{ $.errorCode NOT EXISTS || $.readOnly IS FALSE }": "(errorcode IS NULL OR readonly = 'false')",
    "{ $.errorCode = %^Access$% }": "regexp_like(errorcode, '^Access\\z')",
    "{ $.errorCode != %[$]\\$% }": "NOT regexp_like(errorcode, '[$]\\$')",
    '{ $.resources[1].ARN = "x" }': "element_at(resources, 2).arn = 'x'",
    "{ $.errorCode = 500 }": "(errorcode = '500' OR TRY_CAST(errorcode AS DOUBLE) = 500.0)",
    "{ $.errorCode != 500 }": "errorcode <> '500'",
    "{ $.errorCode > 9007199254740993 }": "TRY_CAST(errorcode AS DOUBLE) >= 9007199254740992.0",
    "{ $.errorCode != 1e400 }": "errorcode <> '1e400'",
    '{ $.requestParameters.a = "x*" }': f"{_A} LIKE 'x%' ESCAPE '\\'",
    '{ $.requestParameters.a = "*x*" }': f"({_A} LIKE '%x%' ESCAPE '\\' AND {_A_TEXT})",
    '{ $.requestParameters.a != "x" }': f"({_A} <> 'x' AND {_A_TEXT})",
    "{ $.requestParameters.a IS TRUE }": f"{_A_JSON} = 'true'",
    "{ $.requestParameters.a NOT EXISTS }": """json_extract(requestparameters, '$["a"]') IS NULL""",
}  # fmt: skip


@pytest.mark.parametrize("pattern", SQL)
def test_sql(pattern: str) -> None:
    assert (
        athena.sql(rule(pattern), expression(pattern))[0]
        == f"SELECT * FROM cloudtrail_logs\nWHERE {SQL[pattern]};"
    )


def _exists(condition: Json) -> Json:
    return {"bool": {"filter": [{"exists": {"field": "a"}}], "must_not": [condition]}}


SEARCHES: dict[str, Json] = {
    '{ $.a != "b?*" }': _exists({"wildcard": {"a": {"value": "b\\?*"}}}),
    '{ $.a != "*b" }': {
        "bool": {
            "should": [_exists({"wildcard": {"a": {"value": "*b"}}}), {"wildcard": {"a": {"value": "*b?*"}}}],
            "minimum_should_match": 1,
        }
    },
    "{ $.a = 111122223333 }": {"terms": {"a": ["111122223333", "111122223333.0"]}},
    "{ $.a = +5. }": {"terms": {"a": ["+5.", "5", "5.0"]}},
    "{ $.a != 5.0 }": _exists({"terms": {"a": ["5.0"]}}),
    "{ $.a = 1e400 }": {"terms": {"a": ["1e400"]}},
    "{ $.a > 9007199254740993 }": {"range": {"a": {"gte": 9007199254740992.0}}},
    "{ $.a >= 0 }": {"range": {"a": {"gte": -0.0}}},
    '{ $.a = "b?" }': {"term": {"a": "b?"}},
}


@pytest.mark.parametrize("pattern", SEARCHES)
def test_searches(pattern: str) -> None:
    made = json.loads(opensearch.export([rule(pattern)], TARGET).text)
    assert made["r"]["query"]["bool"]["filter"] == [SEARCHES[pattern]]


Exporter = Callable[[list[Rule], ExportTarget], Export]
LOSSES: list[tuple[Exporter, str, list[str]]] = [
    (athena.export, "{ $.requestParameters.a = Root }", []),
    (athena.export, '{ $.requestParameters.a != "4*" }', ["as it is written"]),
    (athena.export, "{ $.requestParameters.a = %x% }", ["as it is written"]),
    (athena.export, "{ $.requestParameters.a > 5 }", ["compared as doubles"]),
    (athena.export, "{ $.errorCode = 5 }", ["columns hold text", "compared as doubles", "reads as a number"]),
    (athena.export, '{ $.errorCode = "*d" }', ["columns hold text", "also matches `yy`"]),
    (athena.export, '{ $.errorCode != "*d" }', ["columns hold text"]),
    (eventbridge.export, "{ $.a = Root }", []),
    (eventbridge.export, "{ $.a != Root }", ["also find null"]),
    (eventbridge.export, "{ $.a != 5 }", ["also find null", "exclude the number 500", "beyond 5e9"]),
    (eventbridge.export, "{ $.requestParameters.a != 5 }", ["also find null", "exclude the text 500", "beyond 5e9"]),
    (eventbridge.export, '{ $.a = "4*" }', ["do not find numbers", "beyond 5e9"]),
    (eventbridge.export, '{ $.requestParameters.a = "4*" }', ["finds all numbers", "beyond 5e9"]),
    (eventbridge.export, '{ $.a = "Infinity" }', ["beyond 5e9"]),
    (opensearch.export, "{ $.a = Root }", ["mapped as keyword", "elements of arrays"]),
    (opensearch.export, "{ $.a > 5 }", ["mapped as keyword", "elements of arrays", "mapped as double"]),
]  # fmt: skip


@pytest.mark.parametrize(("exporter", "pattern", "losses"), LOSSES)
def test_losses_are_those_of_the_rule(exporter: Exporter, pattern: str, losses: list[str]) -> None:
    found = exporter([rule(pattern)], TARGET).losses["r"]
    if exporter is eventbridge.export:
        found = found[3:]  # what every rule loses
    assert [words for words, loss in zip(losses, found, strict=True) if words not in loss] == []


UNSUPPORTED: list[tuple[Exporter, str, str]] = [
    (eventbridge.export, "error", "only JSON patterns"),
    (eventbridge.export, "{ $.a = %x% }", "no regular expressions"),
    (eventbridge.export, "{ $.a[0] = 1 }", "elements of an array"),
    (eventbridge.export, '{ $.a = "x*" && $.a != "xy" }', "two conditions on $.a"),
    (eventbridge.export, "{ $.a = 1 && $.a.b = 2 }", "and on a part of it"),
    (eventbridge.export, "{ $.a > 1E400 }", "numbers up to 5e9"),
    (eventbridge.export, "{ $.a <= 0.1234567 }", "6 decimals"),
    (eventbridge.export, "{ $.requestParameters.a != 1 && $.requestParameters.a != x }", "two conditions on"),
    (eventbridge.export, '{ $.a != "*" }', "never true"),
    (to_cloudformation.export, '"{{resolve:ssm:x}}"', "would replace the text {{resolve:…}}"),
    (athena.export, "[a, b]", "only JSON patterns"),
    (athena.export, "{ $.invented = 1 }", "no column for $.invented"),
    (athena.export, "{ $.resources[*].ARN = 1 }", "wildcard in a selector"),
    (athena.export, '{ $.requestParameters = "*secret*" }', "$.requestParameters holds an object"),
    (athena.export, "{ $.errorCode < 1e400 }", "too large"),
    (opensearch.export, "{ $.a = %x% }", "Lucene"),
    (opensearch.export, "{ $.a[0] = 1 }", "elements of arrays"),
    (opensearch.export, "{ $.['*'] = 1 }", "no fields with such a name"),
    (opensearch.export, '{ $.a > 1 && $.a != "x" }', "as a number and as text"),
    (opensearch.export, "error", "only JSON patterns"),
]  # fmt: skip


@pytest.mark.parametrize(("exporter", "pattern", "reason"), UNSUPPORTED)
def test_a_rule_that_cannot_be_expressed_is_left_out_with_the_reason(
    exporter: Exporter, pattern: str, reason: str
) -> None:
    export = exporter([rule(pattern)], TARGET)
    assert reason in export.unsupported["r"]
    assert "r" not in export.losses


def test_a_rule_that_is_left_out_sets_the_exit_code(tmp_path: Path) -> None:
    file = tmp_path / "r.toml"
    file.write_text("[[rule]]\nid = 'text'\npattern = 'error'\n")
    result = trailsieve("rules", "export", file, "--to", "eventbridge")
    assert result.code == 1
    assert "text: not exported: only JSON patterns can be exported" in result.err
    assert json.loads(result.out) == {}
