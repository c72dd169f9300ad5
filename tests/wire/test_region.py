"""The AWS region: of the setting, of the URL or ARN of what is used, of the environment, or one line that asks for it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.console import trailsieve
from trailsieve.wire.aws import AwsConfig, client, in_region_of, region_in

QUEUE = "https://sqs.eu-west-1.amazonaws.com/111122223333/q"


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "no-config"))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")


@pytest.mark.parametrize(
    ("name", "region"),
    [
        (QUEUE, "eu-west-1"),
        ("https://eu-west-1.queue.amazonaws.com/111122223333/q", "eu-west-1"),
        ("https://vpce-1-a.sqs.us-gov-west-1.vpce.amazonaws.com/111122223333/q", "us-gov-west-1"),
        ("https://sqs.cn-north-1.amazonaws.com.cn/111122223333/q", "cn-north-1"),
        ("https://search-a-b1.ap-southeast-2.es.amazonaws.com", "ap-southeast-2"),
        ("b-1.demo.abc.c2.kafka.eu-central-1.amazonaws.com:9098", "eu-central-1"),
        ("arn:aws:kinesis:eu-north-1:111122223333:stream/s", "eu-north-1"),
        ("http://127.0.0.1:4566/000000000000/q", None),
        ("https://eu-west-1.queue.example/111122223333/q", None),
        ("trail", None),
    ],
)
def test_region_in(name: str, region: str | None) -> None:
    assert region_in(name) == region


def test_the_setting_comes_first_then_the_url_then_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_REGION", "us-west-2")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")

    def region(config: AwsConfig, name: str) -> str:
        return str(client("sqs", in_region_of(config, name)).meta.region_name)

    assert region(AwsConfig(region="ca-central-1"), QUEUE) == "ca-central-1"
    assert region(AwsConfig(), QUEUE) == "eu-west-1"
    assert region(AwsConfig(), "http://127.0.0.1:4566/000000000000/q") == "us-west-2"
    monkeypatch.delenv("AWS_REGION")
    assert region(AwsConfig(), "http://127.0.0.1:4566/000000000000/q") == "us-east-1"


PARTS = {
    "source sqs": 'kind = "sqs"\nqueue_url = "http://127.0.0.1:1/000000000000/q"',
    "source kinesis": 'kind = "kinesis"\nstream = "s"',
    "sink sqs": 'kind = "sqs"\nqueue_url = "http://127.0.0.1:1/000000000000/q"',
    "sink security_hub": 'kind = "security_hub"',
    "sink opensearch": 'kind = "opensearch"\nurl = "http://127.0.0.1:1"\naws = {}',
}


@pytest.mark.parametrize("part", PARTS)
def test_without_a_region_one_line_says_what_to_set(part: str, tmp_path: Path) -> None:
    source, sink = f'kind = "files"\npaths = ["{tmp_path}"]', 'kind = "stdout"'
    if part.startswith("source"):
        source = PARTS[part]
    else:
        sink = PARTS[part]
    path = tmp_path / "trailsieve.toml"
    path.write_text(
        f'[source]\n{source}\n[[sink]]\n{sink}\n[[rules]]\npack = "cis-aws"\n[checkpoint]\npath = "{tmp_path}/t.db"\n'
    )
    checked = trailsieve("config", "check", "--connect", path)
    assert checked.code == 3
    (line,) = [line for line in checked.out.decode().splitlines() if line.startswith(f"FAIL  {part}: ")]
    assert "`region`" in line
    if part.startswith("source"):
        run = trailsieve("run", path)
        assert run.code == 3
        assert "`region`" in run.err.splitlines()[-1]


def test_a_profile_that_is_missing_is_one_line(tmp_path: Path) -> None:
    path = tmp_path / "trailsieve.toml"
    source = 'kind = "s3"\nurl = "s3://b/AWSLogs/"\nprofile = "secruity"'
    path.write_text(
        f'[source]\n{source}\n[[sink]]\nkind = "stdout"\n[[rules]]\npack = "cis-aws"\n[checkpoint]\npath = "{tmp_path}/t.db"\n'
    )
    run = trailsieve("run", path)
    assert run.code == 3
    assert (
        run.err.splitlines()[-1] == "trailsieve: source s3: The config profile (secruity) could not be found"
    )
