"""From a slip to the right pattern in two tries, with nothing but what `match` prints.

Each row has a slip, events that the person wants, and events that they do not want. The first try is run over all of
them; what follows `did you mean: ` is the second try.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

import trailsieve as api
from tests.cli.console import trailsieve

Events = str | dict[str, Any] | list[Any]


def call(name: str = "DeleteTrail", source: str = "cloudtrail", **more: Any) -> dict[str, Any]:
    """An event of CloudTrail."""
    event: dict[str, Any] = {
        "eventName": name,
        "eventSource": f"{source}.amazonaws.com",
        "awsRegion": "us-east-1",
    }
    return event | {"eventType": "AwsApiCall", "sourceIPAddress": "10.1.2.3", "readOnly": False} | more


def by(user: str, **more: Any) -> dict[str, Any]:
    """What a user does."""
    return call(
        **more, userIdentity={"type": "IAMUser", "userName": user, "arn": f"arn:aws:iam::1:user/{user}"}
    )


def mfa(value: str, **more: Any) -> dict[str, Any]:
    """A call in a session with or without MFA."""
    session = {"attributes": {"mfaAuthenticated": value}}
    return call(**more, userIdentity={"type": "AssumedRole", "sessionContext": session})


def opened(cidr: str = "0.0.0.0/0", port: int = 22) -> dict[str, Any]:
    """A security group that is opened, by the second of its permissions."""
    permission = {"fromPort": port, "ipRanges": {"items": [{"cidrIp": cidr}]}}
    other = {"fromPort": 1, "ipRanges": {"items": [{"cidrIp": "10.0.0.0/8"}]}}
    items = {"items": [other, permission]}
    return call("AuthorizeSecurityGroupIngress", "ec2", requestParameters={"ipPermissions": items})


DENIED = {"errorCode": "AccessDenied"}
DELETED, GOT = call("DeleteTrail"), call("GetTrail", readOnly=True)
ALICE, BOB = by("alice"), by("bob")
ROLE = {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/Admin/x"}
FAR = call(sourceIPAddress="8.8.8.8")
KEY = call("Decrypt", "kms", resources=[{"ARN": "arn:aws:kms:us-east-1:1:key/2", "type": "AWS::KMS::Key"}])
BUCKET = call("GetObject", "s3", resources=[{"ARN": "arn:aws:s3:::b", "type": "AWS::S3::Bucket"}])
FLOW = "2 1 eni-{n} 10.0.0.1 10.0.0.2 33000 {port} 6 10 840 1600000000 1600000060 {action} OK"
ACCESS = '10.0.0.1 - alice [10/Oct/2000:13:55:36 -0700] "GET /x HTTP/1.0" {status} {size}'


def moved(size: int) -> dict[str, Any]:
    return call("GetObject", "s3", additionalEventData={"bytesTransferredOut": size})


FAILED = [
    (
        "{ $.eventSource = iam.amazonaws.com && $.errorCode }",
        call("X", "iam", **DENIED),
        [call("X", "iam"), GOT],
    ),
    ("{ $.errorCode }", call(**DENIED), GOT),
    (
        "$.requestParameters.ipPermissions.items[*].ipRanges.items[*].cidrIp == '0.0.0.0/0'",
        opened(),
        [opened("10.0.0.0/8")],
    ),
    ("ipv4_is_in_range(sourceIPAddress, '10.0.0.0/8')", DELETED, FAR),
    ("isIpv4InSubnet(sourceIPAddress, '10.0.0.0/8')", DELETED, FAR),
    ("{ $.sourceIPAddress in cidr 10.0.0.0/8 }", DELETED, FAR),
    (
        'errorCode IN ("AccessDenied", "Client.UnauthorizedOperation") AND readOnly = false',
        [call(**DENIED), call(errorCode="Client.UnauthorizedOperation")],
        [call(), call(**DENIED, readOnly=True)],
    ),
    ("errorCode = AccessDenied and readOnly:false", call(**DENIED), call(**DENIED, readOnly=True)),
    (".requestParameters.ipPermissions.items[] | select(.fromPort == 22)", opened(), opened(port=80)),
    ("additionalEventData.bytesTransferredOut > 1MB", moved(1048577), moved(1048576)),
    ("{ $.additionalEventData.bytesTransferredOut > 1024*1024 }", moved(1048577), moved(1048576)),
    ("additionalEventData.bytesTransferredOut >= 1_000_000", moved(1000000), moved(999999)),
    ("additionalEventData.bytesTransferredOut > 1k", moved(1025), moved(1024)),
    (
        '{"source": ["aws.iam"], "detail": {"eventName": [{"prefix": "Delete"}]}}',
        call("DeleteUser", "iam"),
        [DELETED, call("GetUser", "iam")],
    ),
    (
        '{"source": ["aws.iam"], "detail-type": ["AWS API Call via CloudTrail"], "detail": {"eventName": ["DeleteUser"]}}',
        call("DeleteUser", "iam"),
        [call("DeleteUser", "iam", eventType="AwsServiceEvent"), call("DeleteUser", "x")],
    ),
    (
        "SELECT * FROM cloudtrail WHERE eventname LIKE '%SecurityGroup%' "
        "AND useridentity.sessioncontext.attributes.mfaauthenticated = 'false'",
        mfa("false", name="CreateSecurityGroup"),
        [mfa("true", name="CreateSecurityGroup"), mfa("false")],
    ),
    (
        r"re.match(r'^arn:aws:sts::\d+:assumed-role/Admin/', event['userIdentity']['arn'])",
        call(userIdentity=ROLE),
        ALICE,
    ),
    ("re.match('^Delete', eventName)", DELETED, GOT),
    ("re.search('Trail$', eventName)", DELETED, BUCKET),
    ("match(eventName, '^Delete')", DELETED, GOT),
    ("regexp_like(eventname, '^Delete')", DELETED, GOT),
    ("NOT _exists_:userIdentity.userName", call(userIdentity=ROLE), ALICE),
    ("!_exists_:userIdentity.userName", call(userIdentity=ROLE), ALICE),
    ("_exists_:userIdentity.userName", ALICE, call(userIdentity=ROLE)),
    ("_missing_:userIdentity.userName", call(userIdentity=ROLE), ALICE),
    (
        "requestParameters.instancesSet.items.0.maxCount >= 5",
        call("RunInstances", requestParameters={"instancesSet": {"items": [{"maxCount": 5}]}}),
        call("RunInstances", requestParameters={"instancesSet": {"items": [{"maxCount": 4}]}}),
    ),
    ('resources.ARN: "arn:aws:kms:*"', KEY, BUCKET),
    ("resources.type:AWS\\:\\:KMS\\:\\:Key", KEY, BUCKET),
    ("grep -i error | grep -v timeout", "an error", ["a line", "an error timeout"]),
    (
        "$9 >= 500 && $10 > 1000000",
        "a b c d e f g h 503 2000000",
        ["a b c d e f g h 503 1", "a b c d e f g h 200 2000000"],
    ),
    (
        "dstport=22 action=REJECT",
        FLOW.format(n=1, port=22, action="REJECT"),
        [FLOW.format(n=2, port=22, action="ACCEPT"), FLOW.format(n=3, port=80, action="REJECT")],
    ),
    (
        "{ $.userIdentity.sessionContext.attributes.mfaAuthenticated is not true and $.eventType = AwsApiCall "
        "and $.userIdentity.type == AssumedRole }",
        mfa("false"),
        [mfa("true"), ALICE],
    ),
    (
        "eventName:(StopLogging OR Delete* OR PutBucketPolicy) -userIdentity.userName:alice",
        [BOB, by("bob", name="StopLogging"), call("DeleteTrail")],
        [ALICE, by("bob", name="GetTrail")],
    ),
    (
        '{ $.eventNmae = "RunInstances" && $.errorCode == "*Unauthorized*" & $.readOnly == False }',
        call("RunInstances", errorCode="Client.UnauthorizedOperation"),
        [call("RunInstances"), call("RunInstances", errorCode="Client.UnauthorizedOperation", readOnly=True)],
    ),
]
ASIDE = [
    (
        "eventName:StopLogging -userIdentity.userName:alice",
        by("bob", name="StopLogging"),
        by("alice", name="StopLogging"),
    ),
    (
        "awsRegion:us-east-1 NOT _exists_:errorCode",
        DELETED,
        [call(**DENIED), call(awsRegion="eu-west-1")],
    ),
    ("'errorCode' in event", call(**DENIED), DELETED),
    ("{ ($$.eventName = DeleteTrail }", DELETED, GOT),
    ('{ $.eventName = "DeleteTrail }', DELETED, GOT),
    (
        '{ $.eventName = "DeleteTrail && $.awsRegion = "us-east-1" }',
        DELETED,
        [GOT, call(awsRegion="eu-west-1")],
    ),
    ('{ $.eventName == "Put%Policy" }', call("PutRolePolicy"), call("PutObject")),
    ('userAgent has_any ("curl", "wget")', call(userAgent="curl/8"), call(userAgent="aws-cli")),
    ("eventName in~ ('DeleteTrail', 'x')", DELETED, GOT),
]
SUCCEEDED = [
    (
        "userIdentity.type == 'Root' AND eventName == 'ConsoleLogin' AND additionalEventData.MFAUsed != 'Yes'",
        call("ConsoleLogin", userIdentity={"type": "Root"}, additionalEventData={"MFAUsed": "No"}),
        call("ConsoleLogin", userIdentity={"type": "Root"}, additionalEventData={"MFAUsed": "Yes"}),
    ),
    (
        "errorCode:AccessDenied AND NOT sourceIPAddress:cloudfront.amazonaws.com",
        call(**DENIED),
        call(**DENIED, sourceIPAddress="cloudfront.amazonaws.com"),
    ),
    ("eventName =~ /^Delete/", DELETED, GOT),
    ("userIdentity.userName not in ('alice', 'carol', 'dave')", BOB, ALICE),
    ("select(.errorCode == null)", DELETED, call(**DENIED)),
    ("ERROR AND NOT timeout", "ERROR", "ERROR timeout"),
    (
        '[ip, id, user, ts, request, status LIKE "4%", size]',
        ACCESS.format(status=404, size=3),
        ACCESS.format(status=200, size=4),
    ),
    (
        "index=cloudtrail eventName=ConsoleLogin responseElements.ConsoleLogin=Failure",
        call("ConsoleLogin", responseElements={"ConsoleLogin": "Failure"}),
        call("ConsoleLogin", responseElements={"ConsoleLogin": "Success"}),
    ),
    (
        '| where EventName startswith "Put" and SourceIpAddress !startswith "172."',
        call("PutObject"),
        [DELETED, call("PutObject", sourceIPAddress="172.1.1.1")],
    ),
    (
        "fields @timestamp, eventName | filter eventName like /Delete/ and ispresent(errorCode)",
        call(**DENIED),
        [DELETED, call("GetTrail", **DENIED)],
    ),
    ('$[?(@.eventName=="StopLogging" || @.eventName=="DeleteTrail")]', [DELETED, call("StopLogging")], GOT),
    ("{ $.eventName = “DeleteTrail” }", DELETED, GOT),
    (
        '{ ($$.eventName = "StopLogging") || ($$.eventName = "DeleteTrail") }',
        [DELETED, call("StopLogging")],
        GOT,
    ),
    ('{ $.userAgent contains "Terraform" }', call(userAgent="a Terraform/1"), call(userAgent="x")),
    ("'{ $.eventName = \"DeleteTrail\" }'", DELETED, GOT),
    (
        r"{ \"$.awsRegion\" != \"us-east-1\" && $.eventName = \"DeleteTrail\" }",
        call(awsRegion="eu-west-1"),
        DELETED,
    ),
    ('not (awsRegion in ["us-east-1", "us-west-2"])', call(awsRegion="eu-west-1"), DELETED),
    ("ERROR|WARN", ["ERROR", "WARN"], "x"),
    (
        "requestParameters.pendingWindowInDays between 1 and 10",
        call(requestParameters={"pendingWindowInDays": 7}),
        call(requestParameters={"pendingWindowInDays": 30}),
    ),
]
ROOT = {"type": "Root"}
SIGMA = """detection:
  selection_one:
    eventName: DeleteTrail
  selection_two:
    eventName|startswith: Stop
  condition: 1 of selection_*"""
# More of the same kind.
OTHERS = [
    (
        "SELECT eventTime FROM logs WHERE eventSource = 'cloudtrail.amazonaws.com' AND eventName IN ('DeleteTrail','x') "
        "AND errorCode IS NULL ORDER BY eventTime DESC",
        DELETED,
        [call(**DENIED), GOT],
    ),
    (
        "SELECT * FROM t WHERE eventtime > '2024-01-01' AND eventname = 'DeleteTrail' LIMIT 9",
        DELETED,
        GOT,
    ),
    (
        "SELECT * FROM t WHERE json_extract_scalar(requestparameters, '$.bucketName') = 'a'",
        call("PutObject", requestParameters={"bucketName": "a"}),
        call("PutObject", requestParameters={"bucketName": "b"}),
    ),
    (
        "responseelements->>'ConsoleLogin' = 'Failure'",
        call("ConsoleLogin", responseElements={"ConsoleLogin": "Failure"}),
        call("ConsoleLogin", responseElements={"ConsoleLogin": "Success"}),
    ),
    (
        "SELECT * FROM t WHERE errorcode LIKE '%Unauthorized%' OR errorcode = 'AccessDenied' GROUP BY 1",
        [call(**DENIED), call(errorCode="UnauthorizedOperation")],
        DELETED,
    ),
    ("index=* eventName IN (DeleteTrail) earliest=-24h latest=now", DELETED, GOT),
    ("`cloudtrail` eventName=DeleteTrail errorCode=AccessDenied", call(**DENIED), DELETED),
    (
        'eventName=ConsoleLogin | search "responseElements.ConsoleLogin"=Failure',
        call("ConsoleLogin", responseElements={"ConsoleLogin": "Failure"}),
        call("ConsoleLogin", responseElements={"ConsoleLogin": "Success"}),
    ),
    (
        'AWSCloudTrail | where TimeGenerated > ago(1d) | where EventName has "Delete" and isempty(ErrorCode)',
        DELETED,
        [call(**DENIED), GOT],
    ),
    ('AWSCloudTrail | where UserIdentityType =~ "root"', call(userIdentity=ROOT), ALICE),
    (
        'eventName:Delete* AND errorCode:* AND -awsRegion:"us-east-1"',
        call(awsRegion="eu-west-1", **DENIED),
        [call(**DENIED), call(awsRegion="eu-west-1")],
    ),
    ("additionalEventData.bytesTransferredOut:[1000 TO *]", moved(1000), moved(999)),
    ("additionalEventData.bytesTransferredOut:>=1000", moved(1000), moved(999)),
    ("event.action:DeleteTrail and cloud.region:us-east-1", DELETED, [GOT, call(awsRegion="eu-west-1")]),
    (
        """jq '.Records[] | select(.eventName=="DeleteTrail" and (.errorCode|not))' file.json""",
        DELETED,
        [call(**DENIED), GOT],
    ),
    ('.Records[] | select(.eventName | IN("DeleteTrail","x")) | .eventTime', DELETED, GOT),
    (
        '.Records[] | select(.userIdentity.arn | contains(":assumed-role/")) | .eventName',
        call(userIdentity=ROLE),
        ALICE,
    ),
    ('.Records[] | select(any(.resources[]; .type == "AWS::KMS::Key"))', KEY, BUCKET),
    ('.Records[] | select(.eventName | startswith("Delete") or startswith("Stop"))', DELETED, GOT),
    ("map(select(.errorCode != null))", call(**DENIED), DELETED),
    ("$.Records[?(@.eventName=='DeleteTrail')].userIdentity", DELETED, GOT),
    (
        '{"source":["aws.s3"],"detail":{"$or":[{"eventName":["PutObject"]},{"eventName":["DeleteObject"]}]}}',
        call("PutObject", "s3"),
        [call("GetObject", "s3"), DELETED],
    ),
    (
        '{"detail":{"sourceIPAddress":[{"cidr":"10.0.0.0/8"}],"eventName":[{"anything-but":["GetTrail"]}]}}',
        DELETED,
        [FAR, GOT],
    ),
    (
        '{"detail":{"additionalEventData":{"bytesTransferredOut":[{"numeric":[">",1000]}]}}}',
        moved(1001),
        moved(1000),
    ),
    (SIGMA, [DELETED, call("StopLogging")], GOT),
    ('any(r["type"] == "AWS::KMS::Key" for r in event["resources"])', KEY, BUCKET),
    ('event.resources.some(r => r.type === "AWS::KMS::Key")', KEY, BUCKET),
    ('"kms" in event["eventSource"]', KEY, BUCKET),
    ('re.search("delete|stop", event["eventName"], re.I)', DELETED, GOT),
    ("e => ['DeleteTrail','StopLogging'].includes(e.eventName)", DELETED, GOT),
    (
        'filter @message like "DeleteTrail" and @message not like "AccessDenied"',
        DELETED,
        [call(**DENIED), GOT],
    ),
    ('filter strcontains(eventName, "Delete") | filter isblank(errorCode)', DELETED, [call(**DENIED), GOT]),
    ("awk '/error/ && !/timeout/' app.log", "an error", "an error timeout"),
    ("awk -F' ' '$3 ~ /^5/ {print $1}' app.log", "a b 503", "a b 404"),
    ("grep -c 'Failed password' /var/log/secure", "a Failed password", "Failed x password"),
    ("egrep 'error|fatal' x.log", ["error", "fatal"], "x"),
    ('tail -f app.log | grep -i "out of memory"', "Out of Memory", "x"),
    ('ERROR and not "connection reset"', "ERROR x", "ERROR connection reset"),
    ('"ERROR AND timeout"', "timeout ERROR", "ERROR"),
    ("error timeout", "ERROR timeout", "timeout"),
    ("[ip, id, user, status = 4*]", "1 2 alice 404 99", "1 2 alice 200 99"),
    (
        "{ $.dstport = 22 }",
        FLOW.format(n=1, port=22, action="REJECT"),
        FLOW.format(n=1, port=80, action="REJECT"),
    ),
    ("{ $.requestParameters.ipPermissions.items.fromPort = 22 }", opened(), opened(port=80)),
    ("{ $.requestParameters.bucketname = a }", call(requestParameters={"bucketName": "a"}), call()),
    ("{ $.userName == alice }", ALICE, BOB),
    ("{ $.eventName is one of (DeleteTrail, StopLogging) }", DELETED, GOT),
    (
        '{ $.eventName equals "DeleteTrail" && $.errorCode is not "AccessDenied" }',
        call(errorCode="x"),
        [call(**DENIED)],
    ),
    ("{ $.eventName = ^Delete }", DELETED, GOT),
    ("not exists(errorCode)", DELETED, call(**DENIED)),
]
# Valid patterns that match nothing, or not what was meant.
VALID = [
    (
        '{ $.eventName = "AuthorizeSecurityGroupIngress" && $.requestParameters.ipPermissions.items.ipRanges.items.cidrIp = "0.0.0.0/0" }',
        opened(),
        [opened("10.0.0.0/8"), call("X", requestParameters=opened()["requestParameters"])],
    ),
    ('{ $.requestParameters.cidrIp = "0.0.0.0/0" }', opened(), opened("10.0.0.0/8")),
    ('{ $.requestParameters..cidrIp = "0.0.0.0/0" }', opened(), opened("10.0.0.0/8")),
    (
        "{ $.context.user = alice }",
        {"context": {"request": {"User": "alice"}}},
        {"context": {"request": {"User": "bob"}}},
    ),
    ('?error ?ERROR ?Error ?"-Warm Up Finished"', ["an Error", "error 2"], ["error: Warm Up Finished", "x"]),
    ('?error ?ERROR -"Warm Up Finished"', ["an ERROR", "error 2"], ["error: Warm Up Finished", "x"]),
    ("checkout ?error ?timeout", ["checkout error", "checkout timeout"], ["checkout", "error"]),
    *(
        (f"[ip, id, user, ts, request, status = {code}, size]", ACCESS.format(status=404, size=3), unwanted)
        for unwanted in [ACCESS.format(status=204, size=404)]
        for code in ("4xx", '"4XX"', "4..", '"4%"', '"4.*"', '"^4"', '"4??"', '"40x"')
    ),
    ("{ $.status = 5xx }", {"status": 503}, {"status": 200}),
    ('{ $.status = "5xx" }', {"status": "503"}, {"status": "200"}),
    (
        "[a, b, c, d, e, f, g, h, i, j, k, l, action = reject, status]",
        FLOW.format(n=1, port=22, action="REJECT"),
        FLOW.format(n=1, port=22, action="ACCEPT"),
    ),
    (
        '{ $.userIdentity.arn = "arn:aws:iam::${var.account_id}:user/alice" }',
        by("alice") | {"userIdentity": {"arn": "arn:aws:iam::111122223333:user/alice"}},
        BOB,
    ),
    *(
        (f'{{ $.eventSource = "{placeholder}.amazonaws.com" && $.eventName = DeleteTrail }}', DELETED, GOT)
        for placeholder in ("${Service}", "{{ service }}", "<service-name>", "$(SERVICE)")
    ),
    ("\"{ $$.eventName = 'DeleteTrail' }\"", DELETED, GOT),
    ('"{ $.eventName = DeleteTrail }"', DELETED, GOT),
    ('"%Delete(Trail|User)%"', DELETED, GOT),
    *(
        (f"{{ $.requestParameters.publiclyAccessible {test} }}", public, call(requestParameters={"a": True}))
        for test in ('= "true"', "= true", "= TRUE", '= "True"', '!= "false"')
        for public in [call(requestParameters={"publiclyAccessible": True})]
    ),
    ('{ $.items[*].ok = "false" }', {"items": [{"ok": True}, {"ok": False}]}, {"items": [{"ok": True}]}),
    ("{ $.secure IS TRUE }", {"secure": "true"}, {"secure": "false"}),
    ("{ $.count = 22.0 && $.Kind = Disk }", {"count": 22, "kind": "disk"}, {"count": 23, "kind": "disk"}),
    ("{ $.user IS NULL }", {"a": 1}, {"user": "x"}),
    ("{ $.user NOT EXISTS }", [{"user": None}], {"user": "x"}),
    (
        '{($.errorCode = "AccessDenied") && ($.userIdentity.invokedBy != "cloudfront.amazonaws.com")}',
        [by("alice", **DENIED), call(**DENIED, userIdentity={"invokedBy": "x"})],
        [call(**DENIED, userIdentity={"invokedBy": "cloudfront.amazonaws.com"}), BOB],
    ),
    ('{ $.EventName = "stopInstances" }', call("StopInstances"), GOT),
    ('{ $.EventName = "stoplogging" && $.AwsRegion = "US-EAST-1" }', call("StopLogging"), GOT),
]
# Texts that are not patterns.
REFUSED = [
    *(
        (
            slip,
            call(requestParameters={"fromPort": 20, "toPort": 30}),
            [
                call(requestParameters={"fromPort": 23, "toPort": 30}),
                call(requestParameters={"fromPort": 20, "toPort": 21}),
            ],
        )
        for slip in (
            "{ 22 between $.requestParameters.fromPort and $.requestParameters.toPort }",
            "{ $.requestParameters.fromPort <= 22 <= $.requestParameters.toPort }",
            "{ $.requestParameters.toPort >= 22 >= $.requestParameters.fromPort }",
            "{ $.requestParameters.fromPort <= 22 and 22 <= $.requestParameters.toPort }",
        )
    ),
    *(
        (
            f"[host, log, user, timestamp, request, {condition}, size]",
            ACCESS.format(status=403, size=3),
            [ACCESS.format(status=404, size=3), ACCESS.format(status=500, size=3)],
        )
        for condition in (
            "400 <= statusCode < 500 and statusCode != 404",
            "statusCode between 400 and 499 and statusCode != 404",
            "400 <= statusCode <= 499 && 404 != statusCode",
            "statusCode = 40? && statusCode != 404",
        )
    ),
    *(
        (slip, "ERROR: a Timeout", ["ERROR", "Timeout", "a b"])
        for slip in ('[terms="ERROR", terms="Timeout"]', '["ERROR", "Timeout"]', "['ERROR','Timeout']")
    ),
    ('[msg = "*ERROR*", msg != "*Timeout*"]', "ERROR", ["ERROR: a Timeout", "x"]),
    *(
        (slip, call("DeleteBucket"), call("DeleteBucketPolicy"))
        for slip in (
            '"eventName":"DeleteBucket"',
            '"eventName": "DeleteBucket"',
            r"\"eventName\":\"DeleteBucket\"",
        )
    ),
    (
        '"eventName":"DeleteBucket","readOnly":false',
        call("DeleteBucket"),
        call("DeleteBucket", readOnly=True),
    ),
    (
        '{ $.level = "ERROR" } -timeout',
        {"level": "ERROR"},
        [{"level": "ERROR", "a": "timeout"}, {"level": "x"}],
    ),
    (
        '{ $.level = "ERROR" } && NOT "a timeout"',
        {"level": "ERROR", "a": "timeout"},
        [{"level": "ERROR", "a": "a timeout"}, {"level": "x"}],
    ),
    *(
        (slip, ["ERROR", "error 1"], ["ERROR: Warm Up", "x"])
        for slip in (
            '(?ERROR ?error) -"Warm Up"',
            '(ERROR OR error) AND NOT "Warm Up"',
            '(ERROR | error) -"Warm Up"',
            '%ERROR|error% -"Warm Up"',
            '-"Warm Up" %ERROR|error%',
        )
    ),
    ("ERROR (timeout OR refused)", ["ERROR timeout", "refused: ERROR"], ["ERROR", "timeout"]),
    ("ERROR && %time.?out%", "ERROR time-out", ["ERROR", "timeout"]),
    ("{ $.errorCode == null }", [DELETED, call(errorCode=None)], call(**DENIED)),
    ("{ $.errorCode = null && $.eventName = DeleteTrail }", DELETED, [GOT, call(**DENIED)]),
    ('{ $.secure IS "true" }', {"secure": True}, {"secure": False}),
    ('{ $.secure is "False" }', {"secure": False}, {"secure": True}),
    ("{ $..cidrIp = 0.0.0.0/0 }", opened(), opened("10.0.0.0/8")),
]
ROWS = [*FAILED, *ASIDE, *SUCCEEDED, *OTHERS, *VALID, *REFUSED]


def lines_of(events: Events) -> list[str]:
    """The events as lines of a log."""
    return [
        event if isinstance(event, str) else json.dumps(event, separators=(",", ":"))
        for event in (events if isinstance(events, list) else [events])
    ]


def second_try(slip: str, file: Path) -> str:
    """The last pattern that is proposed for a first try, or the first try itself if it finds something."""
    result = trailsieve("match", "--", slip, str(file))
    in_any_element = re.search(
        r"in any element \(compact JSON\): (.+?)(?:; did you mean|$)", result.err, re.MULTILINE
    )
    found = re.search(r"(?:did you mean|to match these too): (.+)", result.err)
    if in_any_element:
        return in_any_element[1]
    return found[1] if found else slip


@pytest.mark.parametrize(("slip", "wanted", "unwanted"), ROWS, ids=[row[0] for row in ROWS])
def test_the_second_try_is_right(slip: str, wanted: Events, unwanted: Events, tmp_path: Path) -> None:
    file = tmp_path / "events.log"
    file.write_text("\n".join([*lines_of(unwanted), *lines_of(wanted)]) + "\n", "utf-8")
    pattern = api.compile(second_try(slip, file))
    assert [line for line in lines_of(wanted) if not pattern.matches(line)] == []
    assert [line for line in lines_of(unwanted) if pattern.matches(line)] == []


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ("$.a[*].b[*].c = 1", "[0] looks at the first element only"),
        ("eventName = DeleteTrail and length(errorCode) > 0", "`length(errorCode) > 0` was not understood"),
        ("-eventName:x", "!= is false of an event without the field"),
        ("{ $.readOnly is not true }", "`NOT EXISTS` keeps these events"),
        ("additionalEventData.bytesTransferredOut > 1MB", "numbers have no units: 1 kB is 1024 bytes here"),
        ("grep -v error | grep -iv timeout", "case counts: a term has one spelling"),
        ("grep -v error | grep -v timeout", "write -- before a pattern that begins with -"),
        ("userName=alice and eventTime > '2024-01-01'", "conditions on the time are left out"),
        ("{ $.errorCode == x && $.errorCode == y }", "no event can match all of this"),
        ("$1 == a || $2 == b", "|| between conditions on different columns has no pattern"),
        ('{"detail-type": ["x"], "detail": {"a": ["b"]}}', "no record of CloudTrail has the detail-type x"),
        ("ERROR (timeout OR refused)", "terms cannot be grouped"),
        ("errorCode != AccessDenied", "only 14.3% of records have it"),
    ],
)
def test_what_is_left_out_or_changed_is_said(slip: str, said: str) -> None:
    result = trailsieve("explain", "--", slip)
    assert said in result.err


def test_a_pattern_that_begins_with_a_dash_is_taken_for_an_option() -> None:
    for command in ("match", "explain"):
        result = trailsieve(command, '-"connection reset"')
        assert result.code == 2
        assert "A PATTERN that begins with - stands after --" in result.err


def test_terms_without_effect_are_noted_also_when_others_match(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    file.write_text("ERROR\n", "utf-8")
    result = trailsieve("match", "?ERROR ?error -timeout", str(file))
    assert (result.code, result.out) == (0, b"ERROR\n")
    assert "has no effect (TS105)" in result.err


def test_lines_with_other_columns_are_counted(tmp_path: Path) -> None:
    file = tmp_path / "x.log"
    file.write_text("a b c\n", "utf-8")
    assert (
        "at least 9 columns, the lines have 3"
        in trailsieve("match", "[a,b,c,d,e,f,g,h,i=1,...]", str(file)).err
    )
    assert "each line has 3 columns: name them" in trailsieve("match", "{ $.a = 1 }", str(file)).err
