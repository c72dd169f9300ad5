"""What `config check --connect` says of Kafka: that it serves us, or what it answered and what to do."""

from __future__ import annotations

import base64
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import msgspec
import pytest

from tests.cli.console import trailsieve
from tests.servers.kafka import PASSWORD, USER, Kafka
from tests.sources.kafka.topic import CLIENTS, Topic, new_topic, read
from trailsieve.errors import SourceError
from trailsieve.sources.kafka.config import Config
from trailsieve.wire import kafka as wire

every_client = pytest.mark.parametrize("client", CLIENTS)


def secured(cluster: Kafka, **other: Any) -> dict[str, Any]:
    return {
        "bootstrap_servers": cluster.secure_servers,
        "security": "SASL_SSL",
        "mechanism": "SCRAM-SHA-512",
        "username": USER,
        "password": PASSWORD,
        "ca_file": str(cluster.ca_file),
        **other,
    }


def checked(topic: Topic, folder: Path, **settings: Any) -> tuple[int, str]:
    """Exit code and the source's line."""
    config = folder / "service.toml"
    config.write_text(
        f'{topic.config(**settings)}\n[[rules]]\npack = "cis-aws"\n[[sink]]\nkind = "stdout"\n'
        f'[checkpoint]\npath = "{folder}/state.db"\n'
    )
    result = trailsieve("config", "check", "--connect", str(config))
    lines = result.out.decode().splitlines()
    return result.code, next(line for line in lines if " source kafka: " in line)


@every_client
@pytest.mark.parametrize("mechanism", ["SCRAM-SHA-512", "PLAIN"])
def test_brokers_with_tls_and_a_password_serve_us(
    client: str, mechanism: str, kafka: Kafka, tmp_path: Path
) -> None:
    topic = new_topic(kafka, client, partitions=3)
    settings = secured(kafka, mechanism=mechanism)
    assert checked(topic, tmp_path, **settings) == (
        0,
        f"ok    source kafka: {client} reads {topic.name} (3 partitions)",
    )
    topic.produce([b"a", b"b"])
    source = topic.source(**settings)
    source.start({})
    assert [message.payload for message in read(source, 2)] == [b"a", b"b"]
    topic.close()


@every_client
@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password": "guessed"}, ["password"]),
        ({"mechanism": "SCRAM-SHA-256"}, ["`mechanism`"]),
        ({"ca_file": ""}, ["certificate verify failed"]),
        ({"topics": ["trial"]}, ["no topic 'trial'", "it shows ", "Fix `topics`"]),
        ({"bootstrap_servers": ["127.0.0.1:1"]}, ["127.0.0.1:1", "bootstrap_servers"]),
        ({"bootstrap_servers": ["broker.invalid:9092"]}, ["broker.invalid", "bootstrap_servers"]),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_errors_are_reported_with_a_remedy(
    client: str, wrong: dict[str, Any], says: list[str], kafka: Kafka, tmp_path: Path
) -> None:
    topic = new_topic(kafka, client)
    settings = {name: value for name, value in secured(kafka, **wrong).items() if value}
    code, line = checked(topic, tmp_path, **settings)
    assert code == 3
    assert line.startswith("FAIL  source kafka: ")
    assert [text for text in says if text not in line] == []
    assert PASSWORD not in line
    assert "guessed" not in line


@every_client
def test_a_topic_that_is_not_there_ends_the_run(client: str, kafka: Kafka) -> None:
    topic = new_topic(kafka, client)
    source = topic.source(topics=["trial"])
    source.start({})
    with pytest.raises(SourceError, match="no topic 'trial'"):
        source.poll()
    topic.close()


def test_a_compression_that_a_client_lacks_is_named_and_the_other_client_reads_it(
    kafka: Kafka,
) -> None:
    from confluent_kafka import Producer

    for client in CLIENTS:
        topic = new_topic(kafka, client)
        producer = Producer({"bootstrap.servers": kafka.bootstrap, "compression.type": "zstd"})
        producer.produce(topic.name, b"x" * 10_000)
        producer.flush()
        source = topic.source()
        source.start({})
        if client == "confluent" or find_spec("zstandard"):
            assert read(source, 1)[0].payload == b"x" * 10_000
        else:
            with pytest.raises(SourceError, match=r"pip install 'trailsieve\[confluent\]'"):
                read(source, 1)
        topic.close()


MISTAKES = {
    "`bootstrap_servers` is empty": {"bootstrap_servers": []},
    "`topics` is empty": {"topics": []},
    "`group` is empty": {"group": ""},
    "require each other": {"mechanism": "PLAIN"},
    "`mechanism` and security": {"security": "SASL_SSL"},
    "needs `username` and `password`": {"security": "SASL_SSL", "mechanism": "PLAIN", "username": "me"},
    "needs the `region`": {"security": "SASL_SSL", "mechanism": "MSK_IAM"},
    "/gone.pem cannot be read": {"security": "SSL", "ca_file": "/gone.pem"},
    "at least 1": {"max_poll_records": 0},
    "Invalid enum value 'newest'": {"start": "newest"},
}


@pytest.mark.parametrize(("says", "settings"), MISTAKES.items(), ids=MISTAKES)
def test_settings_that_cannot_work_are_refused(says: str, settings: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.convert({"bootstrap_servers": ["b:9092"], "topics": ["t"], **settings}, Config)


@pytest.mark.parametrize(
    ("given", "asked"),
    [
        ({}, ("generate_auth_token", "eu-west-1")),
        ({"profile": "audit"}, ("generate_auth_token_from_profile", "eu-west-1", "audit")),
        ({"role_arn": "arn:r"}, ("generate_auth_token_from_role_arn", "eu-west-1", "arn:r")),
    ],
)
def test_msk_iam_asks_the_signer_of_aws_for_tokens(
    given: dict[str, str], asked: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no MSK to ask: the signer is a stand-in, the clients' options are their own."""
    token = base64.b64encode(b"token").decode()
    calls: list[tuple[str, ...]] = []

    def signer(name: str) -> Any:
        def answer(*arguments: str) -> tuple[str, int]:
            calls.append((name, *arguments))
            return token, 1_800_000_000_000

        return answer

    module = ModuleType("aws_msk_iam_sasl_signer")
    names = ("", "_from_profile", "_from_role_arn")
    provider = SimpleNamespace(
        **{f"generate_auth_token{n}": signer(f"generate_auth_token{n}") for n in names}
    )
    monkeypatch.setattr(module, "MSKAuthTokenProvider", provider, raising=False)
    monkeypatch.setattr(module, "__spec__", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "aws_msk_iam_sasl_signer", module)
    settings = {"security": "SASL_SSL", "mechanism": "MSK_IAM", "region": "eu-west-1", **given}
    config = msgspec.convert({"bootstrap_servers": ["b:9098"], "topics": ["t"], **settings}, Config)
    assert wire.confluent_options(config)["oauth_cb"](None) == (token, 1_800_000_000.0)
    assert wire.python_options(config)["sasl_oauth_token_provider"].token() == token
    assert calls == [asked, asked]
