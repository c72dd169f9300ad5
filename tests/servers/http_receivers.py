"""Receivers of alerts that speak HTTP only, written from what their vendors document: they refuse what those do.

    python -m tests.servers.http_receivers splunk        says where it listens, and prints what it takes

Splunk HEC: help.splunk.com, "Format events for HTTP Event Collector" and "Troubleshoot HTTP Event Collector".
Sentinel: learn.microsoft.com, "Logs Ingestion API". SecOps: cloud.google.com/chronicle, "logs.import".
Datadog: docs.datadoghq.com, "Send logs". Webhook: www.standardwebhooks.com.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import sys
import time
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qs

from tests.servers.receiver import Receiver, Reply, Request

TOKEN = "b5a1f0aa-1111-2222-3333-444455556666"
JSON = {"Content-Type": "application/json"}


class Splunk(Receiver):
    """The HTTP Event Collector.

    Attributes:
        ack: whether the token has indexer acknowledgement.
        ack_after: how often a question for an acknowledgement is answered with false first.
        keeps_before: whether events before a bad one of a batch are kept.
    """

    def __init__(self, *args: Any, ack: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        self.ack = ack
        self.ack_after = 1
        self.keeps_before = False
        self.indexes = {"main", "security"}
        self._asked: dict[int, int] = {}
        self._channels: dict[int, str] = {}

    def carries_alerts(self, request: Request) -> bool:
        return request.path == "/services/collector/event"

    def answer(self, request: Request) -> Reply:
        if request.path == "/services/collector/health":
            return self._code(200, 17, "HEC is healthy")
        given = request.headers.get("authorization")
        if given is None:
            return self._code(401, 2, "Token is required")
        if not given.startswith("Splunk "):
            return self._code(401, 3, "Invalid authorization")
        if given != f"Splunk {TOKEN}":
            return self._code(403, 4, "Invalid token")
        if request.path == "/services/collector/ack":
            return self._acknowledged(request)
        if request.path != "/services/collector/event":
            return Reply(404, {"text": "The requested URL was not found on this server.", "code": 404})
        return self._events(request)

    def _events(self, request: Request) -> Reply:
        channel = request.headers.get("x-splunk-request-channel")
        if self.ack and not channel:
            return self._code(400, 10, "Data channel is missing")
        if not request.body.strip():
            return self._code(400, 5, "No data")
        events: list[dict[str, Any]] = []
        for number, event in enumerate(_concatenated(request.body)):
            code, text = self._judge(event)
            if code:
                if self.keeps_before:
                    self._keep(events)
                return self._code(400, code, text, **{"invalid-event-number": number})
            assert event is not None
            events.append(event)
        self._keep(events)
        if not self.ack:
            return self._code(200, 0, "Success")
        number = len(self._channels)
        self._channels[number] = str(channel)
        return self._code(200, 0, "Success", ackId=number)

    def _judge(self, event: Any) -> tuple[int, str]:
        if not isinstance(event, dict):
            return 6, "Invalid data format"
        if "event" not in event:
            return 12, "Event field is required"
        if not event["event"]:
            return 13, "Event field cannot be blank"
        fields = event.get("fields", {})
        if not isinstance(fields, dict) or any(isinstance(text, dict) for text in fields.values()):
            return 15, "Error in handling indexed fields"
        if event.get("index", "main") not in self.indexes:
            return 7, "Incorrect index"
        if not isinstance(event.get("time", 0), int | float):
            return 6, "Invalid data format"
        if _id_of(event["event"]) in self.refuse:
            return 6, "Invalid data format"
        return 0, ""

    def _keep(self, events: list[dict[str, Any]]) -> None:
        self.stored += events
        self.accepted += [_id_of(event["event"]) for event in events]

    def _acknowledged(self, request: Request) -> Reply:
        (channel,) = request.query.get("channel", [""])
        asked = json.loads(request.body)["acks"]
        answers = {}
        for number in asked:
            self._asked[number] = self._asked.get(number, 0) + 1
            known = self._channels.get(number) == channel
            answers[str(number)] = known and self._asked[number] > self.ack_after
        return Reply(200, {"acks": answers}, JSON)

    def _code(self, status: int, code: int, text: str, **more: Any) -> Reply:
        return Reply(status, {"text": text, "code": code, **more}, JSON)


def _id_of(event: dict[str, Any]) -> str:
    found = event.get("id") or event.get("metadata", {}).get("uid") or event.get("event", {}).get("id")
    return str(found)


def _concatenated(body: bytes) -> list[Any]:
    """JSON objects one after another; None for what is no JSON. An array is no event."""
    found: list[Any] = []
    decoder, text, at = json.JSONDecoder(), body.decode(), 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            return [*found, None]
        found.append(value)
    return found


class Sentinel(Receiver):
    """The Logs Ingestion API, and the authority that gives tokens for it."""

    path = "/dataCollectionRules/dcr-0123456789abcdef/streams/Custom-Trailsieve_CL"
    secret = "client~secret/with+odd=characters"

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.tokens: list[str] = []
        self.lifetime = 3600

    def carries_alerts(self, request: Request) -> bool:
        return request.path == self.path

    def answer(self, request: Request) -> Reply:
        if request.path == "/tenant-1/oauth2/v2.0/token":
            return self._token(request)
        if request.path != self.path or request.query.get("api-version") != ["2023-01-01"]:
            return Reply(404, {"error": {"code": "ResourceNotFound", "message": "No such rule or stream"}})
        if not self.tokens or request.headers.get("authorization") != f"Bearer {self.tokens[-1]}":
            return Reply(
                401, {"error": {"code": "InvalidToken", "message": "The token is expired or invalid"}}
            )
        if request.headers.get("content-type") != "application/json":
            return Reply(415, {"error": {"code": "UnsupportedMediaType", "message": "JSON only"}})
        return self._rows(request)

    def _rows(self, request: Request) -> Reply:
        try:
            rows = json.loads(request.body)
            assert isinstance(rows, list)
            for row in rows:
                datetime.fromisoformat(row["TimeGenerated"])
                assert row["AlertId"] not in self.refuse
        except (ValueError, KeyError, TypeError, AssertionError):
            return Reply(400, {"error": {"code": "InvalidPayload", "message": "Not an array of rows"}})
        self.stored += rows
        self.accepted += [row["AlertId"] for row in rows]
        return Reply(204)

    def _token(self, request: Request) -> Reply:
        form = {name: texts[0] for name, texts in parse_qs(request.body.decode()).items()}
        wanted = {
            "grant_type": "client_credentials",
            "client_id": "app-1",
            "client_secret": self.secret,
            "scope": "https://monitor.azure.com/.default",
        }
        if form != wanted:
            told = "AADSTS7000215: Invalid client secret provided."
            return Reply(401, {"error": "invalid_client", "error_description": told})
        self.tokens.append(f"token-{len(self.tokens)}")
        return Reply(
            200, {"access_token": self.tokens[-1], "expires_in": self.lifetime, "token_type": "Bearer"}
        )


class SecOps(Receiver):
    """The Chronicle API's logs.import, and Google's token endpoint. Too much is a 400 here, not a 413."""

    instance = "projects/p1/locations/eu/instances/i1"

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        from cryptography.hazmat.primitives.asymmetric import rsa

        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.max_bytes, self.greatest = 2**31, 1_000_000
        self.tokens: list[str] = []

    def account_file(self) -> str:
        """The key file of a service account."""
        from cryptography.hazmat.primitives import serialization as kinds

        private = self.key.private_bytes(
            kinds.Encoding.PEM, kinds.PrivateFormat.PKCS8, kinds.NoEncryption()
        ).decode()
        account = {
            "type": "service_account",
            "client_email": "trailsieve@p1.iam.gserviceaccount.com",
            "private_key_id": "k1",
            "private_key": private,
            "token_uri": f"{self.url}/token",
        }
        return json.dumps(account)

    def carries_alerts(self, request: Request) -> bool:
        return request.path.endswith("/logs:import")

    def answer(self, request: Request) -> Reply:
        if request.path == "/token":
            return self._token(request)
        if not self.tokens or request.headers.get("authorization") != f"Bearer {self.tokens[-1]}":
            return _google(401, "UNAUTHENTICATED", "Request had invalid authentication credentials.")
        base = f"/v1alpha/{self.instance}/logTypes/TRAILSIEVE_ALERT"
        if request.path == base:
            return Reply(200, {"name": base[9:]}, JSON)
        if request.path != f"{base}/logs:import":
            return _google(404, "NOT_FOUND", "Requested entity was not found.")
        if len(request.body) > self.greatest:
            return _google(400, "INVALID_ARGUMENT", "Request payload size exceeds the limit.")
        return self._logs(request)

    def _logs(self, request: Request) -> Reply:
        try:
            source = json.loads(request.body)["inlineSource"]
            assert source["forwarder"] == f"{self.instance}/forwarders/f1"
            taken = []
            for log in source["logs"]:
                assert log.keys() <= {"data", "logEntryTime", "collectionTime", "labels"}
                datetime.fromisoformat(log["logEntryTime"])
                alert = json.loads(base64.b64decode(log["data"], validate=True))
                assert alert["id"] not in self.refuse
                taken.append(alert)
        except (ValueError, KeyError, TypeError, AssertionError) as error:
            return _google(400, "INVALID_ARGUMENT", f"Invalid JSON payload received. {error}")
        self.stored += taken
        self.accepted += [alert["id"] for alert in taken]
        return Reply(200, b"{}", JSON)

    def _token(self, request: Request) -> Reply:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.asymmetric import padding

        form = parse_qs(request.body.decode())
        signed, _, signature = form["assertion"][0].rpartition(".")
        try:
            self.key.public_key().verify(
                base64.urlsafe_b64decode(signature + "=="),
                signed.encode(),
                padding.PKCS1v15(),
                hashes.SHA256(),
            )
        except InvalidSignature:
            return Reply(400, {"error": "invalid_grant", "error_description": "Invalid JWT Signature."})
        claims = json.loads(base64.urlsafe_b64decode(signed.split(".")[1] + "=="))
        if claims["scope"] != "https://www.googleapis.com/auth/cloud-platform":
            return Reply(400, {"error": "invalid_scope", "error_description": "Wrong scope."})
        self.tokens.append(f"ya29.{len(self.tokens)}")
        return Reply(200, {"access_token": self.tokens[-1], "expires_in": 3599, "token_type": "Bearer"}, JSON)


def _google(status: int, name: str, text: str) -> Reply:
    return Reply(status, {"error": {"code": status, "message": text, "status": name}}, JSON)


class Datadog(Receiver):
    """The intake of logs. A log over 1 MB is cut and taken, as Datadog does."""

    max_bytes = 5_000_000

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.cut: list[int] = []

    def answer(self, request: Request) -> Reply:
        if request.path != "/api/v2/logs":
            return Reply(404, {"errors": ["Not Found"]})
        if request.headers.get("dd-api-key") != TOKEN:
            return Reply(403, {"errors": ["Forbidden"]})
        try:
            logs = json.loads(request.body)
            assert isinstance(logs, list)
            ids = [log["trailsieve"]["id"] for log in logs]
        except (ValueError, KeyError, TypeError, AssertionError):
            return Reply(400, {"errors": ["Bad Request"]})
        if len(logs) > 1000:
            return Reply(413, {"errors": ["Payload too large"]})
        if self.refuse & set(ids):
            return Reply(400, {"errors": ["Bad Request"]})
        self.cut += [len(json.dumps(log)) for log in logs if len(json.dumps(log)) > 1_000_000]
        self.stored += logs
        self.accepted += ids
        return Reply(202, b"{}", JSON)


class Webhook(Receiver):
    """A receiver that checks signatures and drops repeats by their id.

    Attributes:
        secrets: one of them must have signed; none asks for no signature.
        now: its clock.
        acknowledgement: its response to an alert.
    """

    path = "/hook"

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.secrets: list[bytes] = []
        self.now = time.time
        self.acknowledgement = Reply(202)

    def answer(self, request: Request) -> Reply:
        if request.path != self.path:
            return Reply(404)
        if request.method == "HEAD":
            return Reply(405)
        identity, sent = request.headers.get("webhook-id", ""), request.headers.get("webhook-timestamp", "")
        if not identity or not sent.isdigit() or abs(self.now() - int(sent)) > 300:
            return Reply(400, b"id or time is missing, or the time is too far off")
        text = f"{identity}.{sent}.".encode() + request.body
        good = {
            "v1," + base64.b64encode(hmac.new(secret, text, hashlib.sha256).digest()).decode()
            for secret in self.secrets
        }
        given = set(request.headers.get("webhook-signature", "").split())
        if self.secrets and not good & given:
            return Reply(401, b"no signature of ours")
        if not re.fullmatch("[0-9A-Za-z_.-]+", identity) or identity in self.refuse:
            return Reply(400, b"refused")
        if identity not in self.accepted:
            self.stored.append(json.loads(request.body))
        self.accepted.append(identity)
        return self.acknowledgement


KINDS: dict[str, type[Receiver]] = {
    "splunk": Splunk,
    "sentinel": Sentinel,
    "secops": SecOps,
    "datadog": Datadog,
    "webhook": Webhook,
}


def main() -> None:
    """Runs one until Ctrl-C."""
    with KINDS[sys.argv[1]]() as receiver:
        print(f"{receiver.url}, token {TOKEN}", flush=True)
        shown = 0
        try:
            while True:
                time.sleep(0.2)
                for stored in receiver.stored[shown:]:
                    print(f"{datetime.now(UTC):%H:%M:%S} {json.dumps(stored)}", flush=True)
                    shown += 1
        except KeyboardInterrupt:
            return


if __name__ == "__main__":
    main()
