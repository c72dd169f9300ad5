"""Findings by the catalogues: fields, their types and presence, names of calls, error codes."""

from __future__ import annotations

import json

import pytest

from tests.rules.lint.examples import found, linted
from trailsieve import load_pack
from trailsieve.rules.lint import lint_pack

PRINTED_4_1 = (
    '{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") || '
    '($.sourceIPAddress!="delivery.logs.amazonaws.com") || ($.eventName!="HeadBucket") }'
)


@pytest.mark.parametrize(
    ("pattern", "codes"),
    [
        ('{ $.eventType != "AwsServiceEvent" }', ["TS103"]),
        ('{ $.userIdentity.type = "Root" && $.eventType != "AwsServiceEvent" }', []),  # nearly all have it
        ('{ $.errorCode = "x*" && $.requestParameters.bucketName != "logs" }', ["TS304", "TS201"]),
        (
            '{ $.errorCode = "Acc*" && ($.requestParameters.a != "b" || $.requestParameters.a NOT EXISTS) }',
            [],
        ),
        ('{ $.requestParameters.a != "b" }', ["TS201"]),
        ('{ $.responseElements.x.y != "b" && $.responseElements.x.y != "c" }', ["TS201"]),
        ('{ $.requestParameters.a = "a*" && $.requestParameters.a != "ab" }', []),  # absent is not meant
        ('{ $.readOnly != "true" && $.eventName = "Put*" }', ["TS202"]),
        ("{ $.eventName = Put* && $.managementEvent = 1 }", ["TS202"]),
        ("{ $.readOnly IS FALSE && $.eventName = Put* }", []),
        ("{ $.recipientAccountId = 111122223333 && $.errorCode = Acc* }", []),
        ("{ $.recipientAccountId > 111122223333 }", ["TS204"]),
        ("{ $.additionalEventData.bytesTransferredOut > 1000 }", []),
        ('{ $.resources = "*key*" }', ["TS205"]),
        ('{ $.requestParameters = "*" }', ["TS205"]),
        ("{ $.requestParameters NOT EXISTS && $.errorCode = Acc* }", []),
        ('{ $.userIdentity.Type = "Root" }', ["TS207"]),
        ('{ $.userIdentity.sessionContext.attributes.mfa = "true" }', ["TS207"]),
        ('{ $.eventName.x = "a" }', ["TS207"]),
        ('{ $.event_name = "StopLogging" }', ["TS207"]),
        ('{ $.detail.eventName = "anything" }', []),  # not CloudTrail's own shape
        ('{ $.eventSource = "ec2" && $.errorCode = Acc* }', ["TS301"]),
        ("{ $.eventSource = *amazonaws.com && $.errorCode = Acc* }", []),
        ("{ $.eventSource = nosuch* && $.errorCode = Acc* }", ["TS301"]),
        ("{ $.eventName = UpdateFunctionCode20150331v2 }", []),
        ("{ $.eventSource = lambda.amazonaws.com && $.eventName = CreateFunction20150331 }", []),
        ("{ $.eventName = Stop*ging }", ["TS403"]),
        ("{ $.eventName = %^St[a-z]*Logging$% }", []),
        ("{ $.eventName = %^StoppLogging$% }", ["TS302"]),
        ('{ $.eventName != "consoleLogin" && $.errorCode = Acc* }', ["TS302"]),
        (
            "{ $.eventSource = sso.amazonaws.com && $.eventName = NewConsoleCall }",
            [],
        ),  # not all are published
        ("{ $.eventSource = iam.amazonaws.com && $.eventName = StopLogging }", ["TS303"]),
        (
            "{ ($.eventSource = iam.amazonaws.com || $.eventSource = s3.amazonaws.com) && $.eventName = CreateUser }",
            [],
        ),
        ('{ $.errorCode = "Client.UnauthorizedOperation" }', []),
        ('{ $.errorCode = "Client.SomethingNew" }', []),
        ('{ $.errorCode = "AccesDenied" }', ["TS304"]),
        ('{ $.eventType = "StopLogging" }', ["TS305"]),
        ('{ $.eventType = "AwsConsole*" }', []),
    ],
)
def test_patterns_over_cloudtrail(pattern: str, codes: list[str]) -> None:
    assert found(pattern) == codes


@pytest.mark.parametrize(
    ("pattern", "fix"),
    [
        ('{ $.eventName = "consoleLogin" }', 'did you mean $.eventName = "ConsoleLogin"?'),
        ('{ $.eventName = "StopLoging" }', 'did you mean $.eventName = "StopLogging"?'),
        ('{ $.eventSource = "ec2" }', 'did you mean $.eventSource = "ec2.amazonaws.com"?'),
        ('{ $.errorCode = "*UnauthorizedAccess" }', 'did you mean $.errorCode = "*UnauthorizedOperation"?'),
        ('{ $.eventType = "StopLogging" }', 'did you mean $.eventName = "StopLogging"?'),
        ("{ $.userIdentity.username = x }", "did you mean $.userIdentity.userName?"),
        ('{ $.readOnly != "true" }', "$.readOnly IS FALSE"),
    ],
)
def test_the_fix_is_what_was_meant(pattern: str, fix: str) -> None:
    assert [located.issue.fix for located in linted(pattern)] == [fix]


def test_the_printed_4_1_matches_nearly_every_record_and_one_is_shown() -> None:
    [located] = linted(PRINTED_4_1)
    assert located.issue.message == "matches nearly every record: 12 of 12 ordinary ones"
    assert "errorCode" not in json.loads(located.issue.event)
    assert "&& instead of ||" in located.issue.fix


def test_the_share_of_records_is_shown() -> None:
    [located] = linted('{ $.eventName = "ConsoleLogin" && $.additionalEventData.MFAUsed != "Yes" }')
    assert "only 0.4% of records have it" in located.issue.message


def test_the_published_pack_has_its_known_mistakes() -> None:
    told = {(located.rule, located.issue.code) for located in lint_pack(load_pack("cis-aws"))}
    assert told == {("cis-aws-4.1", "TS401"), ("cis-aws-4.2", "TS201"), ("cis-aws-4.13", "TS401")}


@pytest.mark.parametrize("pack", ["cis-aws-tuned", "samples/rules"])
def test_our_own_packs_are_clean(pack: str, root: object, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(str(root))
    assert lint_pack(load_pack(pack)) == []
