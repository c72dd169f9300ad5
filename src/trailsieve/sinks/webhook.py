"""Webhooks, signed as in Standard Webhooks (www.standardwebhooks.com): one request per alert.

The message id is the alert's id, the same on every retry, so that receivers can drop duplicates. The body can
be a message for Slack, Teams or PagerDuty.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Sequence
from typing import Literal

import msgspec

from trailsieve.errors import SinkError
from trailsieve.formats import encoder, pagerduty
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.secret import Secret, SecretUrl
from trailsieve.sinks.batching import Batch, Encoded, message_id, send_batches, send_request
from trailsieve.wire.http import Client, HttpConfig, UnreachableError


class Config(HttpConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        url: of the webhook, a secret: whoever knows the URL of a Slack or Teams webhook can post.
        format: the format of the body.
        secrets: keys that sign the body: `whsec_` and base64, or any text. Use two during rotation.
        routing_key: of a PagerDuty service, for the format pagerduty.
        headers: extra request headers, such as Authorization.
        max_bytes: of a body.
    """

    url: SecretUrl
    format: Literal["native", "ecs", "ocsf", "slack", "teams", "pagerduty"] = "native"
    secrets: tuple[Secret, ...] = ()
    routing_key: Secret | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    gzip: bool = False  # few receivers accept compressed bodies
    max_bytes: int = 256_000


class WebhookSink:
    """Sends one request per alert over a kept connection."""

    overwrites = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._keys = [_key(secret) for secret in config.secrets]
        self._client = Client(config.url, config, {"Content-Type": "application/json", **config.headers})
        self._name = f"webhook {self._client.host}"
        if config.format != "pagerduty":
            self._encode = encoder(config.format)
        elif config.routing_key:
            routing_key = config.routing_key
            self._encode = lambda alert: pagerduty.encode(alert, routing_key)
        else:
            raise SinkError("webhook: the format pagerduty needs a `routing_key`")

    def deliver(self, alerts: Sequence[Alert]) -> None:
        send_batches(map(self._encoded, alerts), self._send, max_bytes=self._config.max_bytes, max_count=1)

    def check(self) -> str:
        """Sends a HEAD request, which posts nothing. A webhook takes POST, so any response will do."""
        try:
            self._client.get("", method="HEAD")
        except UnreachableError as error:
            raise SinkError(f"{self._name}: {error}") from None
        return f"{self._client.host} responds"

    def close(self) -> None:
        self._client.close()

    def _encoded(self, alert: Alert) -> Encoded:
        body = encode_within(alert, self._encode, self._config.max_bytes)
        return Encoded(alert.id, body, message_id(alert))

    def _send(self, batch: Batch) -> None:
        (alert,) = batch
        send_request(self._name, batch, lambda: self._client.post("", alert.body, self._signed(alert)))

    def _signed(self, alert: Encoded) -> dict[str, str]:
        now = str(int(time.time()))
        headers = {"webhook-id": alert.message_id, "webhook-timestamp": now}
        if self._keys:
            text = b"%s.%s.%s" % (alert.message_id.encode(), now.encode(), alert.body)
            digests = [hmac.digest(key, text, hashlib.sha256) for key in self._keys]
            headers["webhook-signature"] = " ".join(
                f"v1,{base64.b64encode(each).decode()}" for each in digests
            )
        return headers


def _key(secret: str) -> bytes:
    """The key bytes of a secret, decoded from base64 after `whsec_`."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise SinkError("webhook: a secret that begins with whsec_ must continue in base64") from None


def open_sink(config: Config, context: RunContext) -> WebhookSink:
    """A webhook as a sink."""
    return WebhookSink(config)
