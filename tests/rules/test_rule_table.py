"""`alarm`, `metric`, `exceptions` and `[[override]]` in rule files: what they mean, and all mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from trailsieve import RuleError, load_pack
from trailsieve.rules.alarm import Alarm, Metric
from trailsieve.rules.rule import Rule, joined

HEAD = "[[rule]]\nid = 'a'\npattern = '{ $.a = 1 }'\n"
SPACED = "[[rule]]\nid = 'a'\npattern = '[who, size]'\n"
TEXT = "[[rule]]\nid = 'a'\npattern = 'ERROR'\n"


def load(folder: Path, text: str) -> Rule:
    file = folder / "rules.toml"
    file.write_text(text, encoding="utf-8")
    return load_pack(file).rules[0]


def problems(folder: Path, text: str) -> list[str]:
    with pytest.raises(RuleError) as caught:
        load(folder, text)
    return [problem.removeprefix(f"{folder}/rules.toml:") for problem in caught.value.problems]


def test_the_defaults_are_those_of_cloudwatch(tmp_path: Path) -> None:
    rule = load(tmp_path, HEAD + 'alarm = { threshold = 3, period = "5m" }')
    assert rule.alarm == Alarm(threshold=3, period=300)
    assert rule.alarm
    assert (rule.alarm.statistic, rule.alarm.comparison, rule.alarm.missing) == ("Sum", ">=", "missing")
    assert (rule.alarm.allowed_lateness, rule.alarm.notify, rule.metric) == (900, ("ALARM",), Metric())


def test_all_settings(tmp_path: Path) -> None:
    rule = load(
        tmp_path,
        HEAD
        + """
        metric = { value = "$.x.y", dimensions = { Account = "$.recipientAccountId" }, cloudwatch_exact = false }
        [rule.alarm]
        threshold = 0.5
        period = "30s"
        statistic = "Average"
        comparison = "<"
        evaluation_periods = 5
        datapoints_to_alarm = 3
        missing = "breaching"
        by = ["$.userIdentity.arn", "$.a.['b c'][0]"]
        allowed_lateness = "0s"
        notify = ["ALARM", "OK"]
        suppress = "1h"
        max_keys = 7
        [[rule.exceptions]]
        pattern = '{ $.b = 1 }'
        reason = "known"
        owner = "us"
        expires = 2027-01-31
        [[rule.exceptions]]
        pattern = '{ $.b = 2 }'
        reason = "until noon"
        expires = 2027-01-31T12:00:00Z
        """,
    )
    assert rule.alarm
    assert (rule.alarm.period, rule.alarm.suppress, rule.alarm.allowed_lateness) == (30, 3600, 0)
    assert (rule.alarm.datapoints_to_alarm, rule.alarm.max_keys, rule.alarm.threshold) == (3, 7, 0.5)
    assert [reference.text for reference in rule.alarm.by] == ["$.userIdentity.arn", "$.a.['b c'][0]"]
    assert [name for name, _ in rule.metric.dimensions] == ["Account"]
    day, noon = rule.exceptions
    assert (day.reason, day.owner) == ("known", "us")
    assert day.expires
    assert noon.expires
    assert day.expires - noon.expires == 12 * 3600  # a date is the last whole day


@pytest.mark.parametrize("period", ["10s", "20s", "30s", "60s", "1m", "7m", "1h", "1d", "7d"])
def test_periods(period: str, tmp_path: Path) -> None:
    assert load(tmp_path, HEAD + f'alarm = {{ threshold = 1, period = "{period}" }}').alarm


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("alarm = 3", "`alarm`: expected a table"),
        ("alarm = {}", "`alarm.threshold` is missing"),
        (
            'alarm = { threshold = 1, period = "5m", tresh = 1 }',
            "unknown key `alarm.tresh`; did you mean `threshold`? (allowed: ",
        ),
        ('alarm = { threshold = "1", period = "5m" }', "`alarm.threshold`: expected a number"),
        ('alarm = { threshold = nan, period = "5m" }', "`alarm.threshold`: expected a number"),
        ("alarm = { threshold = 1, period = 300 }", "`alarm.period`: expected a duration in s, m, h, d or w"),
        *[
            (
                f'alarm = {{ threshold = 1, period = "{period}" }}',
                "`alarm.period` must be 10s, 20s, 30s or whole minutes",
            )
            for period in ("0s", "15s", "61s", "90s")
        ],
        (
            'alarm = { threshold = 1, period = "8d" }',
            "`alarm.period` times `alarm.evaluation_periods` must be at most 7 days",
        ),
        (
            'alarm = { threshold = 1, period = "1d", evaluation_periods = 8 }',
            "`alarm.period` times `alarm.evaluation_periods` must be at most 7 days",
        ),
        (
            'alarm = { threshold = 1, period = "1m", datapoints_to_alarm = 2 }',
            "`alarm.datapoints_to_alarm` must be at most `alarm.evaluation_periods`",
        ),
        (
            'alarm = { threshold = 1, period = "1m", evaluation_periods = 0 }',
            "`alarm.evaluation_periods`: expected a whole number of at least 1",
        ),
        (
            'alarm = { threshold = 1, period = "1m", missing = "Missing" }',
            "`alarm.missing`: expected one of missing, ",
        ),
        (
            'alarm = { threshold = 1, period = "1m", notify = [] }',
            "`alarm.notify`: expected a list of at least one of OK, ALARM",
        ),
        ('alarm = { threshold = 1, period = "1m", by = "$.a" }', "`alarm.by`: expected a list of selectors"),
        ('alarm = { threshold = 1, period = "1m", by = ["$.a[*]"] }', "`alarm.by`: $.a[*] has a wildcard"),
        (
            'alarm = { threshold = 1, period = "1m", by = ["$.a b"] }',
            "`alarm.by`: invalid selector, column 5: this is not allowed in a selector\n    $.a b\n        ^",
        ),
        (
            'metric = { value = "x" }',
            "`metric.value`: invalid selector, column 1: a selector starts with `$.`",
        ),
        ("metric = { value = true }", "`metric.value`: expected a number"),
        ('metric = { default = "0" }', "`metric.default`: expected a number"),
        ("metric = { cloudwatch_exact = 1 }", "`metric.cloudwatch_exact`: expected true or false"),
        ("metric = { dimensions = ['$.a'] }", "`metric.dimensions`: expected a table of selectors"),
        (
            "metric = { default = 0, dimensions = { A = '$.a' } }",
            "`metric.default` cannot be combined with `metric.dimensions`",
        ),
        (
            "metric = { dimensions = { A = '$.a', B = '$.b', C = '$.c', D = '$.d' } }",
            "`metric.dimensions` can have at most three",
        ),
        ("exceptions = {}", "`exceptions`: expected a list of tables"),
        ("exceptions = [{ reason = 'x' }]", "`exceptions.pattern` is missing"),
        ("exceptions = [{ pattern = 'x' }]", "`exceptions.reason` is missing"),
        ("exceptions = [{ pattern = 'x', reason = 1 }]", "`exceptions.reason`: expected a string"),
        (
            "exceptions = [{ pattern = 'x', reason = 'x', expires = '2027-01-31' }]",
            "`exceptions.expires`: expected a date",
        ),
        (
            "exceptions = [{ pattern = '{ $.a == 1 }', reason = 'x' }]",
            "`exceptions.pattern`: invalid filter pattern, column 7: expected a comparison, found `=`\n    { $.a == 1 }\n          ^",
        ),
    ],
)
def test_a_mistake_has_its_line(line: str, message: str, tmp_path: Path) -> None:
    assert problems(tmp_path, HEAD + line)[0].startswith(f"4: rule a: {message}")


DISTINCT = 'alarm = { threshold = 3, period = "5m", count_distinct = "$.sourceIPAddress" }'


def test_different_values_are_counted(tmp_path: Path) -> None:
    rule = load(tmp_path, HEAD + DISTINCT)
    assert rule.alarm
    assert rule.alarm.counted == "DistinctCount"
    assert rule.alarm.count_distinct
    assert rule.alarm.count_distinct.text == "$.sourceIPAddress"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            DISTINCT.replace("count_d", 'statistic = "Sum", count_d'),
            "`alarm.count_distinct` cannot be combined",
        ),
        (
            DISTINCT.replace("= 3", "= 10001"),
            "`alarm.threshold` is too high: `alarm.count_distinct` counts up",
        ),
        (
            DISTINCT.replace("= 3", '= 10000, comparison = ">"'),
            "`alarm.threshold` is too high: `alarm.count_distinct` counts up to 10,000",
        ),
        (DISTINCT.replace("$.sourceIPAddress", "$.a[*]"), "`alarm.count_distinct`: $.a[*] has a wildcard"),
        (DISTINCT.replace("threshold = 3, ", ""), "`alarm.threshold` is missing"),
        (
            f"metric = {{ value = '$.x' }}\n{DISTINCT}",
            "`alarm.count_distinct` cannot be combined with `metric",
        ),
        (f"metric = {{ default = 0 }}\n{DISTINCT}", "`alarm.count_distinct` cannot be combined with `metric"),
    ],
)
def test_what_different_values_cannot_be_combined_with(text: str, message: str, tmp_path: Path) -> None:
    [problem] = problems(tmp_path, HEAD + text)
    assert problem.startswith(f"4: rule a: {message}")


def test_absence_is_a_period_without_a_match(tmp_path: Path) -> None:
    rule = load(tmp_path, HEAD + "alarm = { absent_for = '1h', by = ['$.a'], suppress = '1d' }")
    assert rule.alarm
    assert (rule.alarm.absent_for, rule.alarm.period, rule.alarm.suppress) == (3600, 3600, 86400)
    assert (rule.alarm.statistic, rule.alarm.comparison, rule.alarm.threshold) == ("SampleCount", "<", 1)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "alarm = { absent_for = '1h', threshold = 1 }",
            "`alarm.threshold` cannot be combined with `alarm.abs",
        ),
        (
            "alarm = { absent_for = '1h', count_distinct = '$.a' }",
            "`alarm.count_distinct` cannot be combined",
        ),
        ("alarm = { threshold = 1, period = '1m', within = '1h' }", "`alarm.within` needs `alarm.sequence`"),
        ("alarm = { absent_for = '90s' }", "`alarm.absent_for` must be 10s, 20s, 30s or whole minutes"),
        ("alarm = { absent_for = '8d' }", "`alarm.absent_for` must be at most 7 days"),
        ("alarm = { absent_for = 60 }", "`alarm.absent_for`: expected a duration"),
        (
            "metric = { value = 2 }\nalarm = { absent_for = '1h' }",
            "`metric` cannot be combined with `alarm.abs",
        ),
    ],
)
def test_what_absence_cannot_be_combined_with(text: str, message: str, tmp_path: Path) -> None:
    [problem] = problems(tmp_path, HEAD + text)
    assert problem.startswith(f"4: rule a: {message}")


PARTS = "[[rule]]\nid = 'b'\npattern = 'x'\n[[rule]]\nid = 'c'\npattern = 'x'\n"
SEQUENCE = "[[rule]]\nid = 's'\nalarm = { sequence = ['b', 'c'], within = '1h', by = ['$.a'] }\n"


def test_a_sequence_needs_no_pattern(tmp_path: Path) -> None:
    rule = load(tmp_path, SEQUENCE + PARTS)
    assert rule.alarm
    assert (rule.sequence, rule.alarm.within) == (("b", "c"), 3600)
    assert not rule.pattern.matches('{"eventID": "none"}')
    assert [rule.id for rule in joined([load_pack(tmp_path / "rules.toml")])] == ["s", "b", "c"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "'c'], ",
            "'s'], ",
            "3: rule s: `alarm.sequence` must name other rules, not the one that it belongs",
        ),
        (", 'c'], ", "], ", "3: rule s: `alarm.sequence` must have 2 to 10 rules"),
        ("['b', 'c'], ", "[], ", "3: rule s: `alarm.sequence` must have 2 to 10 rules"),
        ("['b', 'c']", "'b'", "3: rule s: `alarm.sequence`: expected a list of rule ids"),
        ("within = '1h'", "max_keys = 9", "3: rule s: `alarm.within` is missing"),
        ("'1h'", "'0s'", "3: rule s: `alarm.within` must be at least 1 second and at most 7 days"),
        ("'1h'", "'8d'", "3: rule s: `alarm.within` must be at least 1 second and at most 7 days"),
        (
            "within",
            "threshold = 2, within",
            "3: rule s: `alarm.threshold` cannot be combined with `alarm.seq",
        ),
        (
            "within",
            "absent_for = '1h', within",
            "3: rule s: `alarm.sequence` cannot be combined with `alarm.a",
        ),
        ("within", "notify = ['OK'], within", "3: rule s: `alarm.notify` cannot be combined with `alarm.seq"),
        ("alarm", "pattern = 'x'\nalarm", "3: rule s: `pattern` cannot be combined with `alarm.sequence`"),
        ("alarm", "pattern = ''\nalarm", "3: rule s: `pattern` cannot be combined with `alarm.sequence`"),
        ("alarm", "metric = { value = 2 }\nalarm", "3: rule s: `metric` cannot be combined with `alarm.sequ"),
        ("alarm", "tests = { match = [{}] }\nalarm", "3: rule s: `tests.match` cannot be combined with `al"),
    ],
)
def test_mistakes_in_a_sequence(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert problems(tmp_path, SEQUENCE.replace(old, new) + PARTS)[0].startswith(message)


def test_the_rules_of_a_sequence_must_be_in_use(tmp_path: Path) -> None:
    file = tmp_path / "rules.toml"
    load(tmp_path, SEQUENCE.replace("'c'", "'cis-aws-4.3'") + PARTS)
    assert joined([load_pack(file), load_pack("cis-aws")])
    with pytest.raises(RuleError) as caught:
        joined([load_pack(file)])
    assert caught.value.problems == [
        f"{file}:1: rule s: `alarm.sequence`: no rule 'cis-aws-4.3' in the packs in use"
    ]
    load(tmp_path, SEQUENCE + PARTS + SEQUENCE.replace("'s'", "'t'").replace("'b'", "'s'"))
    with pytest.raises(RuleError, match=r"10: rule t: `alarm\.sequence`: rule 's' has a sequence itself"):
        joined([load_pack(file)])


def test_an_override_makes_no_sequence_of_a_pattern(tmp_path: Path) -> None:
    override = "[[override]]\nrule = 'b'\nalarm = { sequence = ['a', 'c'], within = '1h' }\n"
    load(tmp_path, PARTS + override)
    with pytest.raises(RuleError, match="7: override of b: an alarm with a sequence cannot replace"):
        joined([load_pack(tmp_path / "rules.toml")])
    load(tmp_path, SEQUENCE + PARTS + override.replace("'b'", "'s'", 1).replace("'a'", "'b'"))
    assert joined([load_pack(tmp_path / "rules.toml")])[0].sequence == ("b", "c")


def test_an_override_must_suit_its_rule(tmp_path: Path) -> None:
    text = HEAD + f"metric = {{ value = '$.x' }}\n[[override]]\nrule = 'a'\n{DISTINCT}"
    load(tmp_path, text)
    with pytest.raises(RuleError, match=r":5: override of a: `alarm\.count_distinct` cannot"):
        joined([load_pack(tmp_path / "rules.toml")])


def test_default_and_by_exclude_each_other(tmp_path: Path) -> None:
    text = 'metric = { default = 0 }\nalarm = { threshold = 1, period = "1m", by = ["$.a"] }'
    assert problems(tmp_path, HEAD + text)[0].startswith(
        "4: rule a: `metric.default` cannot be combined with `alarm.by`"
    )


def test_fields_of_space_delimited_patterns(tmp_path: Path) -> None:
    rule = load(tmp_path, SPACED + "metric = { value = '$size', dimensions = { Who = '$who' } }")
    assert rule.metric.dimensions[0][1].selector is None
    [problem] = problems(tmp_path, SPACED + "metric = { value = '$bytes' }")
    assert problem == "4: rule a: `metric.value`: the pattern has no field $bytes; it has $who, $size"


def test_text_patterns_have_no_dimensions_in_cloudwatch(tmp_path: Path) -> None:
    dimensions = "metric = { dimensions = { A = '$.a' }EXACT }"
    assert "rule 62" in problems(tmp_path, TEXT + dimensions.replace("EXACT", ""))[0]
    assert load(tmp_path, TEXT + dimensions.replace("EXACT", ", cloudwatch_exact = false")).metric.dimensions


def test_an_override_changes_a_rule_of_another_pack(tmp_path: Path) -> None:
    file = tmp_path / "ours.toml"
    file.write_text(
        """
        [[override]]
        rule = "cis-aws-4.1"
        severity = "low"
        alarm = { threshold = 9, period = "5m" }
        exceptions = [{ pattern = '{ $.a = 1 }', reason = "ours" }]
        [[override]]
        rule = "cis-aws-4.2"
        enabled = false
        """
    )
    rules = {rule.id: rule for rule in joined([load_pack(file), load_pack("cis-aws")])}
    first, second, third = (rules[f"cis-aws-4.{n}"] for n in (1, 2, 3))
    assert (first.severity, first.alarm, len(first.exceptions)) == ("low", Alarm(9, 300), 1)
    assert (first.enabled, second.enabled, third.enabled, third.alarm) == (True, False, True, None)
    assert first.pattern.text == load_pack("cis-aws").rules[0].pattern.text


def test_mistakes_of_an_override(tmp_path: Path) -> None:
    text = "[[override]]\nrule = 'a'\nseverty = 'low'\nalarm = { threshold = 1 }\n[[override]]\nenabled = 1\n"
    assert problems(tmp_path, HEAD + text) == [
        "6: override of a: unknown key `severty`; did you mean `severity`? "
        "(allowed: rule, severity, enabled, metric, alarm, exceptions)",
        "7: override of a: `alarm.period` is missing",
        "8: override of nothing: `rule` is missing",
        "9: override of nothing: `enabled`: expected true or false",
    ]
    file = tmp_path / "rules.toml"
    file.write_text("[[override]]\nrule = 'b'\n")
    with pytest.raises(RuleError, match=f"{file}:1: no rule 'b' to override"):
        joined([load_pack(file), load_pack("cis-aws")])


@pytest.mark.parametrize("pack", ["cis-aws", "cis-aws-tuned"])
def test_the_cis_packs_raise_an_alert_a_match(pack: str) -> None:
    assert not [rule.id for rule in load_pack(pack).rules if rule.alarm]
