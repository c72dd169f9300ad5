"""Connection settings for Kafka, for both clients: kafka-python, and confluent-kafka if it is installed.

Sources: kafka-python.readthedocs.io (KafkaConsumer), github.com/confluentinc/librdkafka CONFIGURATION.md,
github.com/aws/aws-msk-iam-sasl-signer-python
"""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Any, Literal

from msgspec import Struct

from trailsieve.secret import Secret
from trailsieve.wire.aws import region_in

ClientName = Literal["kafka-python", "confluent"]


class KafkaConfig(Struct, kw_only=True):
    """Settings shared by everything that uses Kafka.

    Attributes:
        bootstrap_servers: host:port of some brokers, which name the others.
        client: the library: auto uses confluent-kafka, which is several times faster, if it is installed.
        security: PLAINTEXT, SSL, or SASL_SSL, which requires a `mechanism`.
        mechanism: PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512 with `username` and `password`; MSK_IAM for Amazon
            MSK with `region`, and `profile` or `role_arn` unless boto3's default credentials are right.
        username, password: for the mechanisms PLAIN and SCRAM.
        region: of the MSK cluster; default: the one in the names of its brokers.
        profile, role_arn: AWS credentials for MSK_IAM instead of boto3's default; only one of them.
        ca_file: CA certificates (PEM) to trust instead of the system's.
        cert_file: a client certificate (PEM).
        key_file: its key.
        key_password: the password of the key.
    """

    bootstrap_servers: list[str]
    client: Literal["auto", "kafka-python", "confluent"] = "auto"
    security: Literal["PLAINTEXT", "SSL", "SASL_SSL"] = "PLAINTEXT"
    mechanism: Literal["", "PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "MSK_IAM"] = ""
    username: str = ""
    password: Secret = ""
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: Secret | None = None
    region: str | None = None
    profile: str | None = None
    role_arn: str | None = None

    def __post_init__(self) -> None:
        if not self.bootstrap_servers:
            raise ValueError("`bootstrap_servers` is empty")
        if (self.security == "SASL_SSL") != bool(self.mechanism):
            raise ValueError('`mechanism` and security = "SASL_SSL" require each other')
        if self.mechanism == "MSK_IAM":
            self._check_iam()
        elif self.mechanism and not (self.username and self.password):
            raise ValueError(f"mechanism {self.mechanism} needs `username` and `password`")
        for file in filter(None, (self.ca_file, self.cert_file, self.key_file)):
            if not os.access(file, os.R_OK):
                raise ValueError(f"{file} cannot be read")
        if self.client == "confluent" and find_spec("confluent_kafka") is None:
            raise ValueError('client = "confluent" is not installed: pip install "trailsieve[confluent]"')

    def _check_iam(self) -> None:
        self.region = self.region or next(filter(None, map(region_in, self.bootstrap_servers)), None)
        if not self.region:
            raise ValueError("mechanism MSK_IAM needs the `region` of the cluster")
        if self.profile and self.role_arn:
            raise ValueError("`profile` and `role_arn` exclude each other")
        if find_spec("aws_msk_iam_sasl_signer") is None:
            raise ValueError('mechanism MSK_IAM is not installed: pip install "trailsieve[msk-iam]"')


def client_of(config: KafkaConfig) -> ClientName:
    """The name of the client to use."""
    if config.client == "auto":
        return "confluent" if find_spec("confluent_kafka") else "kafka-python"
    return config.client


def python_options(config: KafkaConfig) -> dict[str, Any]:
    """Options for kafka-python."""
    options = {
        "bootstrap_servers": config.bootstrap_servers,
        "security_protocol": config.security,
        "ssl_cafile": config.ca_file,
        "ssl_certfile": config.cert_file,
        "ssl_keyfile": config.key_file,
        "ssl_password": config.key_password,
    }
    if config.mechanism == "MSK_IAM":
        options["sasl_mechanism"] = "OAUTHBEARER"
        options["sasl_oauth_token_provider"] = _token_provider(config)
    elif config.mechanism:
        options["sasl_mechanism"] = config.mechanism
        options["sasl_plain_username"] = config.username
        options["sasl_plain_password"] = config.password
    return options


def confluent_options(config: KafkaConfig) -> dict[str, Any]:
    """Options for confluent-kafka."""
    options: dict[str, Any] = {
        "bootstrap.servers": ",".join(config.bootstrap_servers),
        "security.protocol": config.security,
        "ssl.ca.location": config.ca_file,
        "ssl.certificate.location": config.cert_file,
        "ssl.key.location": config.key_file,
        "ssl.key.password": config.key_password,
    }
    if config.mechanism == "MSK_IAM":
        options["sasl.mechanisms"] = "OAUTHBEARER"
        options["oauth_cb"] = lambda _: _iam_token(config)
    elif config.mechanism:
        options["sasl.mechanisms"] = config.mechanism
        options["sasl.username"] = config.username
        options["sasl.password"] = config.password
    return {name: value for name, value in options.items() if value is not None}


def _iam_token(config: KafkaConfig) -> tuple[str, float]:
    """A token for Amazon MSK, and its expiry in seconds since 1970."""
    from aws_msk_iam_sasl_signer import MSKAuthTokenProvider as Signer

    if config.profile:
        token, expires = Signer.generate_auth_token_from_profile(config.region, config.profile)
    elif config.role_arn:
        token, expires = Signer.generate_auth_token_from_role_arn(config.region, config.role_arn)
    else:
        token, expires = Signer.generate_auth_token(config.region)
    return token, expires / 1000


def _token_provider(config: KafkaConfig) -> Any:
    from kafka.net.sasl.oauth import AbstractTokenProvider

    class Provider(AbstractTokenProvider):  # type: ignore[misc]
        def token(self) -> str:
            return _iam_token(config)[0]

    return Provider()
