"""What people write who know another language, a shell or a template: the message leads to the right pattern.

Each row has an event that the person wants and one that they do not want. `test_errors` has the messages.
"""

from __future__ import annotations

import pytest

import trailsieve

# Slips of the shell, of JSON, of SQL, of JSONPath and of the hand.
LISTED = [
    (r"{ $.a = \"x\" }", '{"a": "x"}', '{"a": "y"}'),
    ('{ "$.a" = 1 }', '{"a": 1}', '{"a": 2}'),
    (r"{ \$.a = 1 }", '{"a": 1}', '{"a": 2}'),
    ("{ $.a =! 1 }", '{"a": 2}', '{"a": 1}'),
    ("{ $.a = %x%i }", '{"a": "X"}', '{"a": "y"}'),
    ("%x%i", "X", "y"),
    ("{ 1 < $.a < 5 }", '{"a": 2}', '{"a": 5}'),
    ("{ 1 <= $.a }", '{"a": 1}', '{"a": 0}'),
    ("{ $.a[?(@.b)] }", '{"a": [{"b": "x"}]}', '{"a": [{"c": "x"}]}'),
    ('{ $.a[?(@.b == "x")] }', '{"a": [{}, {"b": "x"}]}', '{"a": [{"b": "y"}]}'),
    (
        "fields @timestamp, @message | filter @message like /time.?out/ | sort @timestamp desc",
        "a time out",
        "x",
    ),
    ("filter @message like 'x y'", "an x y", "x, y"),
    (
        'fields @timestamp | filter eventName = "X" and errorCode in ["a", "b"]',
        '{"eventName": "X", "errorCode": "b"}',
        '{"eventName": "X", "errorCode": "c"}',
    ),
    ('{ $.a = "x" || = "y" }', '{"a": "y"}', '{"a": "z"}'),
    ('{ $.a = "x" || "y" }', '{"a": "y"}', '{"a": "z"}'),
    ('{ $.a != "x" && "y" }', '{"a": "z"}', '{"a": "y"}'),
    ("{ $.a BETWEEN 1 AND 5 }", '{"a": 5}', '{"a": 6}'),
    ("{ $.a IS EXISTS }", '{"a": "x"}', '{"b": "x"}'),
    ("{ $.a IS NOT EXISTS }", '{"b": "x"}', '{"a": "x"}'),
    ('{ ($.a = "x" && $.b = "y" }', '{"a": "x", "b": "y"}', '{"a": "x"}'),
    ('{ $.a = "x" && ($.b = "y" || $.c = "z" }', '{"a": "x", "c": "z"}', '{"c": "z"}'),
]

# From public questions and issues, with other names: the links say where a slip like it was seen.
PUBLIC = [
    # github.com/hashicorp/terraform-provider-aws/issues/2945
    ("{$.t = 'Root' && $.by NOT EXISTS && $.e != 'S'}", '{"t": "Root", "e": "x"}', '{"t": "Root", "e": "S"}'),
    ("{ $.errorCode == 'AccessDenied' }", '{"errorCode": "AccessDenied"}', '{"errorCode": "x"}'),
    # github.com/aws/aws-cdk/issues/15047
    ('{ status = "401" }', '{"status": "401"}', '{"status": "200"}'),
    ("status = 401 && $.path = x", '{"status": 401, "path": "x"}', '{"status": 200, "path": "x"}'),
    ("$.userIdentity.mfa != true", '{"userIdentity": {"mfa": "false"}}', '{"userIdentity": {"mfa": "true"}}'),
    # github.com/awsdocs/amazon-cloudwatch-logs-user-guide/issues/21
    ("[ip, user, when, request, status = 4* && bytes > 1000]", "i u w r 404 2000", "i u w r 404 20"),
    # github.com/hashicorp/terraform/issues/16117 and 16206
    (r"[when=*Z, id=\"*-*\", event]", "10Z 1-2 x", "10Z 12 x"),
    (r"[label=REPORT, id=\"RequestId:\",..., used, unit]", "REPORT RequestId: 1 2 3", "REPORT x 1 2 3"),
    # github.com/dougmoscrop/serverless-plugin-log-subscription/issues/47
    ("[when=*Z && id=“*-*“ && kind && event=“{*“]", "1Z 2-3 x {4", "1Z 2-3 x 4"),
    # github.com/lucagrulla/cw/issues/181
    ("email@example.com", "to email@example.com", "to email"),
    (r"path\/to\/file", r"a path\/to\/file", "path"),
    ("'ORDER-ITEM-1'", "ORDER-ITEM-1", "ORDER ITEM 2"),
    # github.com/jorgebastida/awslogs/issues/210
    (
        '{$.k8s.ns="abc" && $.k8s.name="def"',
        '{"k8s": {"ns": "abc", "name": "def"}}',
        '{"k8s": {"ns": "abc"}}',
    ),
    # github.com/serverless/serverless/issues/4569 and 5196
    (r"\"Total amount\" -\"level=DEBUG\"", "Total amount 3", "Total amount 3 level=DEBUG"),
    ("error: ", "an error: x", "an error"),
    # github.com/newrelic/serverless-newrelic-lambda-layers/issues/36
    ('?REPORT || ?"Task timed out"', "Task timed out", "x"),
    # github.com/ministryofjustice/modernisation-platform-environments/pull/5137
    (r"%Failed\s\(code\s5\)%", "Failed (code 5)", "Failed 5"),
    ("%(ERROR|FATAL): disk full%", "FATAL: disk full", "WARN: disk full"),
    ("%timed out%", "it timed out", "timed"),
    # github.com/mackerelio/go-check-plugins/issues/327
    ("[ERROR] out of memory", "x [ERROR] out of memory", "ERROR out of memory"),
    ("(ERROR)", "an ERROR", "x"),
    ("ERROR || FATAL", "FATAL", "x"),
    ("ERROR | FATAL", "FATAL", "x"),
    ("ERROR && timeout", "ERROR timeout", "ERROR"),
    ("!ERROR", "x", "ERROR"),
    ("ERROR !timeout", "ERROR", "ERROR timeout"),
    ("*Exception*", "NullPointerException: x", "x"),
    ("/ERROR|FATAL/i", "fatal", "x"),
    ("%error% || %fatal%", "fatal", "x"),
    # github.com/DataBiosphere/azul/issues/5884
    (
        '{ $.errorCode = "AccessDenied" AND $.by NOT IN ("a", "b") }',
        '{"errorCode": "AccessDenied", "by": "c"}',
        '{"errorCode": "AccessDenied", "by": "b"}',
    ),
    ('{ $.errorCode IN ("AccessDenied", "UnauthorizedOperation") }', '{"errorCode": "AccessDenied"}', "{}"),
    ('{ $.message LIKE "%timeout%" }', '{"message": "a timeout!"}', '{"message": "x"}'),
    ('{ $.message NOT LIKE "%timeout%" }', '{"message": "x"}', '{"message": "a timeout!"}'),
    ('{ $.agent contains "aws-cli" }', '{"agent": "aws-cli/2"}', '{"agent": "x"}'),
    ('{ contains($.agent, "aws-cli") }', '{"agent": "aws-cli/2"}', '{"agent": "x"}'),
    ('{ lower($.agent) = "curl" }', '{"agent": "CURL"}', '{"agent": "wget"}'),
    ("{ $.agent =~ /curl|wget/i }", '{"agent": "Wget"}', '{"agent": "x"}'),
    ("{ $.mfa IS NOT NULL }", '{"mfa": "yes"}', '{"mfa": null}'),
    ("{ $.mfa != null && $.mfa == false }", '{"mfa": false}', '{"mfa": null}'),
    ("{ $.by = null }", '{"by": null}', '{"by": 1}'),
    ("{ !($.name = HeadBucket) && $.code EXISTS }", '{"name": "x", "code": "y"}', '{"name": "x"}'),
    ('{ NOT ($.name = "a" || $.name = "b") }', '{"name": "c"}', '{"name": "b"}'),
    ('{ $.req["user-id"] = "7" }', '{"req": {"user-id": "7"}}', '{"req": {"user-id": "8"}}'),
    ("{ $.items[].type = AWS::KMS::Key }", '{"items": [{"type": "AWS::KMS::Key"}]}', '{"items": []}'),
    ("{ $.arn = arn:aws:iam::1:role/admin }", '{"arn": "arn:aws:iam::1:role/admin"}', '{"arn": "x"}'),
    ('{"eventName": "ConsoleLogin"}', '{"eventName": "ConsoleLogin"}', '{"eventName": "x"}'),
    ("{ $.a = 1 } || { $.b = 2 }", '{"b": 2}', '{"b": 1}'),
    ('{ $.a = "x" &amp;&amp; $.b &gt; 2 }', '{"a": "x", "b": 3}', '{"a": "x", "b": 2}'),
    ("'{ $.a = \"x\" }'", '{"a": "x"}', '{"a": "y"}'),
    ("[ip user request status bytes]", "i u r s b", "i u r s"),
    ("[ip, user, status == 404]", "i u 404", "i u 200"),
    ("[ip, user, $.status = 404]", "i u 404", "i u 200"),
    ("[..., status = '404', bytes]", "i u 404 3", "i u 200 3"),
    ('{ $.status >= "500" }', '{"status": 503}', '{"status": 404}'),
    ("{ $.status => 500 }", '{"status": 503}', '{"status": 404}'),
]


def led_to(slip: str) -> trailsieve.FilterPattern:
    """The pattern that somebody reaches who follows the messages, in at most two tries."""
    text = slip
    for _ in range(2):
        with pytest.raises(trailsieve.PatternError) as caught:
            trailsieve.compile(text)
        assert caught.value.hint
        _, found, text = caught.value.hint.partition("did you mean: ")
        assert found, caught.value
        try:
            return trailsieve.compile(text)
        except trailsieve.PatternError:
            continue
    pytest.fail(f"{text} is refused, too")


@pytest.mark.parametrize(("slip", "wanted", "unwanted"), [*LISTED, *PUBLIC])
def test_the_message_leads_to_the_right_pattern(slip: str, wanted: str, unwanted: str) -> None:
    pattern = led_to(slip)
    assert pattern.matches(wanted)
    assert not pattern.matches(unwanted)


def test_forty_slips_are_from_public_questions() -> None:
    assert len(PUBLIC) >= 40


@pytest.mark.parametrize(
    ("slip", "named"),
    [
        ("${var.pattern}", "${var.pattern} is a placeholder of a template: fill it in first"),
        ("{ $.a = ${var.x} }", "${var.x} is a placeholder of a template: fill it in first"),
        ('{ $.a == "${var.x}" }', "${var.x} is a placeholder of a template: fill it in first"),
        ("{ $.a = {{ .Values.x }} }", "{{ .Values.x }} is a placeholder of a template: fill it in first"),
        ("{ $.a = $.b }", "two fields cannot be compared with each other"),
        ("{ $.a != $.b && $.c = 1 }", "two fields cannot be compared with each other"),
        ("{ length($.a) > 5 }", "there are no functions"),
        ("{ $.a.size() > 5 }", "there are no functions"),
        ("{ $..a = 1 }", "`..` does not exist: write the whole path"),
        ("{ = 1 }", "the field is missing; write it before the comparison"),
        ("stats count(*) by bin(5m)", "this is a query of Logs Insights, another language"),
    ],
)
def test_what_has_no_pattern_is_named_and_nothing_is_proposed(slip: str, named: str) -> None:
    with pytest.raises(trailsieve.PatternError) as caught:
        trailsieve.compile(slip)
    assert caught.value.hint.startswith(named)
    assert "did you mean" not in caught.value.hint


@pytest.mark.parametrize(
    ("slip", "named"),
    [
        (r"{ $.a = \"x\" }", "remove the backslashes: a shell or JSON needs them"),
        (r"{ \$.a = 1 }", "remove the backslashes: a shell or JSON needs them"),
        ('{ "$.a" = 1 }', "write a field without quotes"),
        ("{ $.a =! 1 }", "write != for `is not`"),
        ("%x%i", "a regex takes no flags"),
        ("{ $.a = %x%i }", "a regex takes no flags"),
        ("{ 1 < $.a < 5 }", "write the field first; a range is two comparisons"),
        ("{ $.a[?(@.b)] }", "there are no filters in brackets"),
        ("fields @message | filter @message like /x/", "this is a query of Logs Insights, another language"),
        ('{ $.a = "x" || = "y" }', "repeat the field in each condition"),
        ("{ $.a BETWEEN 1 AND 5 }", "write two comparisons"),
        ("{ $.a IS EXISTS }", "there is no IS EXISTS"),
        ('{ ($.a = "x" && $.b = "y" }', "a ( is not closed"),
        ('{ $.a = "x" && ($.b = "y" || $.c = "z"', "a ( is not closed"),
        ('{ $.a = "x" &amp;&amp; $.b = 1 }', "write the characters themselves, not the escapes of XML"),
        ("'{ $.a = 1 }'", "remove the quotes around the pattern"),
        ("/x/i", "write a regex between percent signs, without flags"),
    ],
)
def test_the_hint_names_the_slip(slip: str, named: str) -> None:
    with pytest.raises(trailsieve.PatternError) as caught:
        trailsieve.compile(slip)
    assert caught.value.hint.startswith(named)
