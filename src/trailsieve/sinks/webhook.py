"""Webhooks, signed as in Standard Webhooks (www.standardwebhooks.com): one request per alert.

The message id is the alert's id, the same on every retry, so that receivers can drop duplicates. The body can
be a message for Slack, Teams or PagerDuty.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import time
from collections.abc import Sequence
from functools import partial
from typing import Annotated, Any, Literal

import msgspec

from trailsieve.errors import SinkError
from trailsieve.formats import encoder, pagerduty
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.secret import Secret, SecretUrl
from trailsieve.sinks.acknowledgement import NotAcknowledgedError, reject_web_page, succeeded
from trailsieve.sinks.batching import Batch, Encoded, message_id, send_batches, send_request
from trailsieve.toml_file import AtLeastOne
from trailsieve.wire.http import HTTP_URL, Client, HttpConfig, HttpResponse, UnreachableError

_STATUSES = re.compile(r"2xx|2\d\d(\s*,\s*2\d\d)*")
# What acknowledges a message: docs.slack.dev/messaging/sending-messages-using-incoming-webhooks and
# developer.pagerduty.com/docs/send-alert-event
_DOCUMENTED = {"slack": ("200", "^ok$"), "pagerduty": ("202", r'"status"\s*:\s*"success"')}


class Config(HttpConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        url: of the webhook, a secret: whoever knows the URL of a Slack or Teams webhook can post.
        format: the format of the body.
        secrets: keys that sign the body: `whsec_` and base64, or any text. Use two during rotation.
        routing_key: of a PagerDuty service, for the format pagerduty.
        headers: extra request headers, such as Authorization.
        max_bytes: of a body.
        accept: statuses that acknowledge an alert: 2xx, or some of them, such as `200,202`.
        accept_body: an RE2 regular expression that the response's body must contain as well. Without one, a
            web page acknowledges nothing. Slack and PagerDuty have their own defaults for both.
    """

    url: Annotated[SecretUrl, HTTP_URL]
    format: Literal["native", "ecs", "ocsf", "slack", "teams", "pagerduty"] = "native"
    secrets: tuple[Secret, ...] = ()
    routing_key: Secret | None = None
    headers: dict[str, str] = msgspec.field(default_factory=dict)
    gzip: bool = False  # few receivers accept compressed bodies
    max_bytes: AtLeastOne = 256_000
    accept: str | None = None
    accept_body: str | None = None

    def __post_init__(self) -> None:
        if self.accept is not None and not _STATUSES.fullmatch(self.accept):
            raise ValueError(f"`accept` is {self.accept!r}; write 2xx, or statuses such as 200,202")
        if self.accept_body is not None:
            _compiled(self.accept_body)
        if self.format == "pagerduty" and not self.routing_key:
            raise ValueError('`format = "pagerduty"` needs a `routing_key`')
        for secret in self.secrets:
            _key(secret)


class WebhookSink:
    """Sends one request per alert over a kept connection."""

    overwrites = False

    def __init__(self, config: Config) -> None:
        self._config = config
        self._keys = [_key(secret) for secret in config.secrets]
        self._client = Client(config.url, config, {"Content-Type": "application/json", **config.headers})
        self._name = f"webhook {self._client.host}"
        statuses, pattern = _DOCUMENTED.get(config.format, ("2xx", None))
        self._statuses = config.accept or statuses
        pattern = config.accept_body or pattern
        self._body = _compiled(pattern) if pattern else None
        self._encode = (
            partial(pagerduty.encode, routing_key=config.routing_key or "")
            if config.format == "pagerduty"
            else encoder(config.format)
        )

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
        send_request(
            self._name,
            batch,
            lambda: self._client.post("", alert.body, self._signed(alert)),
            self._check_response,
        )

    def _check_response(self, response: HttpResponse) -> None:
        """Raises NotAcknowledgedError if a successful response is not what the settings ask for."""
        if not succeeded(response):
            return
        if self._statuses != "2xx" and str(response.status) not in re.split(r"\s*,\s*", self._statuses):
            raise NotAcknowledgedError(f"an acknowledgement has status {self._statuses} (`accept`)")
        if self._body is None:
            reject_web_page(response)
        elif not self._body.search(response.body.decode("utf-8", "replace").strip()):
            raise NotAcknowledgedError(f"an acknowledgement contains {self._body.pattern} (`accept_body`)")

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


def _compiled(pattern: str) -> Any:
    """A regular expression that takes linear time on any response.

    Raises:
        ValueError: RE2 does not know it.
    """
    import re2

    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options)
    except re2.error as error:
        detail = error.args[0].decode(errors="replace") if error.args else ""  # RE2 raises it with bytes
        raise ValueError(f"`accept_body` is not a regular expression of RE2: {detail}") from None


def _key(secret: str) -> bytes:
    """The key bytes of a secret, decoded from base64 after `whsec_`.

    Raises:
        ValueError: that is not base64.
    """
    if not secret.startswith("whsec_"):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        raise ValueError("`secrets`: one that begins with whsec_ must continue in base64") from None


def open_sink(config: Config, context: RunContext) -> WebhookSink:
    """A webhook as a sink."""
    return WebhookSink(config)
