"""The other chain: a trailsieve configuration that reads the trail."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.audit.account import ACCOUNT, BUCKET, REGION, Recorded
from tests.cli.console import trailsieve

_S3 = f'kind = "s3"\nurl = "s3://{BUCKET}"'
_SINK = 'kind = "webhook"\nurl = "https://siem.example.com/in"'
_PACK = 'pack = "cis-aws"'


def judged(
    tmp_path: Path,
    account: Recorded,
    source: str = _S3,
    sink: str = _SINK,
    rules: str = _PACK,
    control: str = "4.1",
) -> dict[str, Any]:
    """The trailsieve chain of one control, in an account whose metric filters are all gone."""
    account.filters.clear()
    account.snapshot().save(tmp_path / "answers")
    config = tmp_path / "trailsieve.toml"
    config.write_text(f"[source]\n{source}\n[[sink]]\n{sink}\n[[rules]]\n{rules}\n")
    result = trailsieve(
        "audit",
        "aws",
        "--from",
        tmp_path / "answers",
        "--config",
        config,
        "--controls",
        control,
        "--format",
        "json",
    )
    assert result.code in (0, 1), result.err
    [found] = json.loads(result.out)["results"]
    return next(chain for chain in found["chains"] if chain["chain"] == "trailsieve")


def outcome(chain: dict[str, Any]) -> tuple[str, str]:
    broken = [link for link in chain["links"] if link["verdict"] != "pass"]
    return chain["verdict"], broken[0]["link"] if broken else ""


def test_a_bucket_a_pack_and_a_sink_meet_every_control(tmp_path: Path) -> None:
    account = Recorded()
    account.filters.clear()
    account.snapshot().save(tmp_path / "answers")
    config = tmp_path / "trailsieve.toml"
    config.write_text(f"[source]\n{_S3}\n[[sink]]\n{_SINK}\n[[rules]]\n{_PACK}\n")
    result = trailsieve("audit", "aws", "--from", tmp_path / "answers", "--config", config)
    assert result.code == 0, result.out.decode()


@pytest.mark.parametrize("pack", ["cis-aws", "cis-aws-tuned"])
def test_both_packs_do(tmp_path: Path, pack: str) -> None:
    assert outcome(judged(tmp_path, Recorded(), rules=f'pack = "{pack}"')) == ("pass", "")


SOURCES = {
    f'kind = "s3"\nurl = "s3://{BUCKET}/AWSLogs/"': "pass",
    f'kind = "s3"\nurl = "s3://{BUCKET}/AWSLogs/{ACCOUNT}/CloudTrail/"': "pass",
    f'kind = "s3"\nurl = "s3://{BUCKET}/AWSLogs/o-abc123/{ACCOUNT}/"': "pass",
    f'kind = "s3"\nurl = "s3://{BUCKET}"\naccounts = ["{ACCOUNT}"]': "pass",
    'kind = "s3"\nurl = "s3://another"': "fail",
    f'kind = "s3"\nurl = "s3://{BUCKET}/AWSLogs/{ACCOUNT}/CloudTrail/us-east-1/"': "fail",
    f'kind = "s3"\nurl = "s3://{BUCKET}/AWSLogs/210987654321/"': "fail",
    f'kind = "s3"\nurl = "s3://{BUCKET}"\nregions = ["us-east-1"]': "fail",
    f'kind = "s3"\nurl = "s3://{BUCKET}"\naccounts = ["210987654321"]': "fail",
    f'kind = "s3"\nurl = "s3://{BUCKET}"\npoll_interval = 0': "cannot tell",
    f'kind = "sqs"\nqueue_url = "https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/trail"': "cannot tell",
    'kind = "kinesis"\nstream = "trail"': "cannot tell",
}


@pytest.mark.parametrize("source", SOURCES)
def test_the_source_must_hold_what_the_trail_writes(tmp_path: Path, source: str) -> None:
    expected = SOURCES[source]
    found = outcome(judged(tmp_path, Recorded(), source))
    assert found == (expected, "" if expected == "pass" else "source")


@pytest.mark.parametrize(("queue", "expected"), [("trail", "pass"), ("another", "cannot tell")])
def test_a_queue_that_the_topic_of_the_trail_tells(tmp_path: Path, queue: str, expected: str) -> None:
    account = Recorded()
    account.trail["SnsTopicARN"] = account.subscriptions[0]["TopicArn"]
    account.subscriptions[0] |= {
        "Protocol": "sqs",
        "Endpoint": f"arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}",
    }
    source = f'kind = "sqs"\nqueue_url = "https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/trail"'
    assert judged(tmp_path, account, source)["verdict"] == expected


_DENIED = 'pattern = \'{ ($.errorCode = "*UnauthorizedOperation") || ($.errorCode = "AccessDenied*") }\''
RULES = {
    "broader": (_DENIED, ("pass", "")),
    "alarm": (f'{_DENIED}\nalarm = {{ threshold = 3, period = "5m" }}', ("pass", "")),
    "switched off": (f"{_DENIED}\nenabled = false", ("fail", "rule")),
    "about something else": ("pattern = '{ $.eventName = \"RunInstances\" }'", ("fail", "rule")),
    "an excepted scanner": (
        f"{_DENIED}\nexceptions = [{{ pattern = '{{ $.userIdentity.arn = \"*:user/scanner\" }}', "
        'reason = "known" }]',
        ("pass", ""),
    ),
    "an excepted service": (
        f'{_DENIED}\nexceptions = [{{ pattern = \'{{ $.eventSource = "ec2.amazonaws.com" }}\', reason = "x" }}]',
        ("cannot tell", "rule"),
    ),
    "all excepted": (
        f"{_DENIED}\nexceptions = [{{ pattern = '{{ $.errorCode = * }}', reason = \"x\" }}]",
        ("fail", "rule"),
    ),
    "fires on few": (
        f'{_DENIED}\nalarm = {{ threshold = 1, period = "5m", comparison = "<" }}',
        ("fail", "threshold"),
    ),
    "silent": (
        f'{_DENIED}\nalarm = {{ threshold = 1, period = "5m", notify = ["OK"] }}',
        ("fail", "threshold"),
    ),
}


@pytest.mark.parametrize("case", RULES)
def test_a_rule_must_cover_the_control(tmp_path: Path, case: str) -> None:
    text, expected = RULES[case]
    (tmp_path / "ours.toml").write_text(f'[[rule]]\nid = "ours"\nseverity = "low"\n{text}\n')
    found = judged(tmp_path, Recorded(), rules=f'path = "{tmp_path / "ours.toml"}"')
    assert outcome(found) == expected


@pytest.mark.parametrize(
    ("sink", "expected"),
    [
        (f'{_SINK}\nseverity = "low"', ("pass", "")),
        (f'{_SINK}\nseverity = "high"', ("fail", "sink")),
        (f'{_SINK}\naccounts = ["210987654321"]', ("fail", "sink")),
        ('kind = "stdout"', ("cannot tell", "sink")),
    ],
)
def test_a_sink_must_take_its_alerts(tmp_path: Path, sink: str, expected: tuple[str, str]) -> None:
    assert outcome(judged(tmp_path, Recorded(), sink=sink)) == expected


def test_a_trail_that_is_stopped_breaks_this_chain_too(tmp_path: Path) -> None:
    account = Recorded()
    account.status["IsLogging"] = False
    assert outcome(judged(tmp_path, account)) == ("fail", "logging")
