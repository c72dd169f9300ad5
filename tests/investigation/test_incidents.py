"""Incidents in which the thief acts under the name of a program that goes on working."""

from __future__ import annotations

from functools import cache

from tests.investigation.night import Record, Who, call, makes_key, session, told, user
from trailsieve.investigation.model import Investigation, Step
from trailsieve.investigation.stories import key_steps

THIEF = "203.0.113.81"
BUCKET = {"bucketName": "parcel-labels"}
SSE_C = "x-amz-server-side-encryption-customer-algorithm"


def worker() -> Who:
    """A program on an instance, at work all day."""
    who = session("sorter", "i-0bbb222233334444b", "10.8.0.5", "ASIAWORKER")
    return who.at("10.8.0.5", "aws-sdk-java/2.29")


def thief() -> Who:
    """Somebody with other credentials of the same instance."""
    return worker().with_key("ASIATHIEF").at(THIEF, "aws-cli/2.24.5")


def day() -> list[Record]:
    """The usual work of the instance."""
    return [call(worker(), m, "dynamodb:DescribeTable", {"tableName": "parcels"}) for m in range(0, 480, 2)]


def objects(who: Who, minute: float, name: str, count: int = 1, **request: str) -> list[Record]:
    """Calls on so many objects, one a second."""
    return [
        call(who, minute + n / 60, f"s3:{name}", {**BUCKET, "key": f"{n:04}.pdf", **request})
        for n in range(count)
    ]


@cache
def encrypted() -> Investigation:
    """Objects that are read, then written again with a key that nobody else has; and a note."""
    note = {"bucketName": "parcel-labels", "key": "README_RANSOM.txt"}
    return told(
        [
            *day(),
            call(thief(), 360, "sts:GetCallerIdentity"),
            *objects(thief(), 361, "GetObject", 30),
            *objects(thief(), 363, "CopyObject", 30, **{SSE_C: "AES256"}),
            call(thief(), 375, "s3:PutObject", note),
        ]
    )


def step(found: Investigation, name: str) -> Step:
    """The first step of the first story that is a call of this name."""
    return next(step for step in found.suspects[0].steps if step.event_name == name)


def test_the_verdict_names_encryption_with_a_key_of_the_caller_and_the_note() -> None:
    sentence = encrypted().verdict.sentences[0]
    assert "encrypted 30 objects with a key that only it has" in sentence
    assert "README_RANSOM.txt" in sentence


def test_a_step_has_the_severity_of_its_alarm() -> None:
    one = step(encrypted(), "CopyObject")
    assert (one.severity, one.count) == ("critical", 30)
    assert "impact" in one.tactics


def test_an_alarm_that_names_no_call_leaves_the_severity_of_steps_alone() -> None:
    found = step(encrypted(), "GetObject")
    assert "aws-threats-instance-credentials-from-two-addresses" in found.rules
    assert found.severity != "high"


def test_encryption_counts_like_destruction() -> None:
    points = {signal.kind: signal.points for signal in encrypted().suspects[0].signals}
    assert points["data encrypted"] == 40
    assert points["ransom note"] == 30
    assert points["objects touched"] == 4


def test_a_bucket_that_encrypts_for_another_account_is_named() -> None:
    rule = {
        "ApplyServerSideEncryptionByDefault": {"KMSMasterKeyID": "arn:aws:kms:eu-west-1:999900001111:key/a"}
    }
    other = call(
        thief(),
        360,
        "s3:PutBucketEncryption",
        {**BUCKET, "ServerSideEncryptionConfiguration": {"Rule": rule}},
    )
    versions = call(
        thief(), 361, "s3:PutBucketVersioning", {**BUCKET, "VersioningConfiguration": {"Status": "Suspended"}}
    )
    expires = {"Rule": {"Status": "Enabled", "Expiration": {"Days": 1}}}
    lifecycle = call(thief(), 362, "s3:PutBucketLifecycle", {**BUCKET, "LifecycleConfiguration": expires})
    deleted = [call(thief(), 363 + n / 20, "s3:DeleteObjects", BUCKET) for n in range(40)]
    found = told([*day(), other, versions, lifecycle, *deleted])
    sentence = found.verdict.sentences[0]
    assert "encryption of bucket parcel-labels to a key of another account" in sentence
    assert "deleted" in sentence
    assert step(found, "DeleteObjects").severity == "high"


def test_the_work_of_the_program_is_folded() -> None:
    suspect = encrypted().suspects[0]
    assert suspect.noise == ["role/sorter/i-0bbb222233334444b: 240 calls of other work from 10.8.0.5"]
    assert (suspect.addresses, suspect.calls) == ([THIEF], 62)
    assert "Quiet since 2026-05-04 06:15:00" in " ".join(encrypted().verdict.sentences)


@cache
def same_session() -> Investigation:
    """Credentials of a session that reads and writes objects all day, used from elsewhere to delete them."""
    usual = session("stamps", "worker-4", "10.8.0.7", "ASIAUSUAL").at("10.8.0.7", "aws-sdk-java/2.29")
    taken = usual.with_key("ASIATAKEN").at(THIEF, "S3 Browser/11.6.7")
    work = [one for m in range(0, 480, 5) for one in objects(usual, m, "GetObject")]
    work += [one for m in range(0, 480, 5) for one in objects(usual, m + 1, "PutObject")]
    note = {"bucketName": "parcel-labels", "key": "HOW_TO_RECOVER_YOUR_FILES.txt"}
    deleted = [call(taken, 363 + n / 20, "s3:DeleteObjects", BUCKET) for n in range(40)]
    return told(
        [*work, *objects(taken, 361, "GetObject", 50), *deleted, call(taken, 366, "s3:PutObject", note)]
    )


def test_the_note_of_a_thief_is_not_among_the_writes_of_the_program() -> None:
    suspect = same_session().suspects[0]
    assert [(one.event_name, one.count) for one in suspect.steps] == [
        ("GetObject", 50),
        ("DeleteObjects", 40),
        ("PutObject", 1),
    ]
    assert (suspect.first[11:16], suspect.last[11:16]) == ("06:01", "06:06")


def test_calls_with_another_key_or_address_are_other_steps() -> None:
    ada = user("ada", "AKIAONE", "203.0.113.5")
    places = [ada, ada.with_key("AKIATWO"), ada.at("203.0.113.6")]
    stops = [call(one, n, "cloudtrail:StopLogging", {"name": "main"}) for n, one in enumerate(places)]
    assert [one.count for one in told(stops).suspects[0].steps] == [1, 1, 1]


def test_reads_after_a_decisive_call_are_told_after_it() -> None:
    ada = user("ada", "AKIAONE", "203.0.113.5")
    records = [
        call(ada, 1, "iam:ListUsers"),
        makes_key(ada, 2, "ada", "AKIATWO"),
        *(call(ada.with_key("AKIATWO").at(THIEF), 3 + n, "s3:GetBucketPolicy", BUCKET) for n in range(7)),
    ]
    steps = told(records).suspects[0].steps
    assert [(one.event_name, one.count) for one in steps] == [
        ("ListUsers", 1),
        ("CreateAccessKey", 1),
        ("GetBucketPolicy", 7),
    ]
    assert steps[2].note == f"with new key AKIATWO from {THIEF}: 7 read calls in s3"


def test_credentials_of_an_instance_that_are_used_elsewhere_are_a_step_that_matters() -> None:
    records = [call(worker(), m, "ssm:UpdateInstanceInformation") for m in range(0, 60, 5)]
    records += [call(thief(), 31, f"ec2:{name}") for name in ("DescribeInstances", "DescribeVpcs")]
    (found,) = key_steps(told(records).suspects[0].steps, 1)
    assert found.note == f"now from {THIEF}, before from 10.8.0.5: 2 read calls in ec2"
    assert (found.severity, found.first[11:16]) == ("high", "00:31")
    phrase = f"used the credentials of instance i-0bbb222233334444b from {THIEF}"
    assert phrase in told(records).suspects[0].headline
