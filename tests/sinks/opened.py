"""Every HTTP sink, opened on its receiver."""

from __future__ import annotations

import functools
import tempfile
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from tests.servers import http_receivers as receivers
from tests.servers import shared
from tests.servers.receiver import Receiver, Relay
from trailsieve.ports import RunContext, Sink
from trailsieve.sinks import datadog, opensearch, secops, sentinel, splunk_hec, webhook


@dataclass(frozen=True)
class Pair:
    """A sink and its receiver.

    Attributes:
        received: ids of all alerts that the receiver took, repeats too, in their order.
        stored: ids of what can be found there now.
    """

    sink: Sink
    receiver: Receiver
    received: Callable[[], list[str]]
    stored: Callable[[], list[str]]

    def close(self) -> None:
        self.sink.close()
        self.receiver.close()


def _pair(sink: Sink, receiver: Receiver, identity: Callable[[dict[str, Any]], str]) -> Pair:
    return Pair(
        sink,
        receiver,
        lambda: list(receiver.accepted),
        lambda: [identity(stored) for stored in list(receiver.stored)],
    )


def splunk(ack: bool = False, wrong: bool = False, **settings: Any) -> Pair:
    receiver = receivers.Splunk(ack=ack)
    token = "wrong-token-0000" if wrong else receivers.TOKEN
    config = splunk_hec.Config(url=receiver.url, token=token, ack=ack, **settings)
    return _pair(splunk_hec.open_sink(config, RunContext()), receiver, lambda event: event["event"]["id"])


def hook(wrong: bool = False, **settings: Any) -> Pair:
    receiver = receivers.Webhook()
    receiver.secrets = [b"a secret of sixteen"]
    secrets = ("wrong-token-0000",) if wrong else ("a secret of sixteen",)
    config = webhook.Config(url=f"{receiver.url}/hook", secrets=secrets, **settings)
    return _pair(webhook.open_sink(config, RunContext()), receiver, lambda alert: alert["id"])


def azure(wrong: bool = False, **settings: Any) -> Pair:
    receiver = receivers.Sentinel()
    config = sentinel.Config(
        endpoint=receiver.url,
        authority=settings.pop("authority", receiver.url),
        rule_id="dcr-0123456789abcdef",
        stream="Custom-Trailsieve_CL",
        tenant_id="tenant-1",
        client_id="app-1",
        client_secret="wrong-token-0000" if wrong else receiver.secret,
        **settings,
    )
    return _pair(sentinel.open_sink(config, RunContext()), receiver, lambda row: row["AlertId"])


def google(wrong: bool = False, **settings: Any) -> Pair:
    receiver = receivers.SecOps()
    account = (receivers.SecOps() if wrong else receiver).account_file()
    account = account.replace(msgspec.json.decode(account)["token_uri"], f"{receiver.url}/token")
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        file.write(account)
        file.flush()
        config = secops.Config(
            project="p1",
            location="eu",
            instance="i1",
            log_type="TRAILSIEVE_ALERT",
            forwarder="f1",
            credentials_file=file.name,
            url=receiver.url,
            **settings,
        )
        sink = secops.open_sink(config, RunContext())
    return _pair(sink, receiver, lambda alert: alert["id"])


def dog(wrong: bool = False, say: Callable[[str], None] = lambda text: None, **settings: Any) -> Pair:
    receiver = receivers.Datadog()
    config = datadog.Config(
        url=receiver.url, api_key="wrong-token-0000" if wrong else receivers.TOKEN, **settings
    )
    return _pair(
        datadog.open_sink(config, RunContext(info=say)), receiver, lambda log: log["trailsieve"]["id"]
    )


# Of error.code a number: an alert with a text there is one that OpenSearch refuses.
PICKY = {"mappings": {"properties": {"error": {"properties": {"code": {"type": "long"}}}}}}


def search(**settings: Any) -> Pair:
    """A real OpenSearch behind a relay, and an index of its own."""
    node = shared.opensearch()
    relay = Relay("127.0.0.1", node.port)
    index = f"alerts-{uuid.uuid4()}"
    node.ask("PUT", f"/{index}", PICKY)
    config = opensearch.Config(url=relay.url, index=index, **settings)
    sink = opensearch.open_sink(config, RunContext())

    def stored() -> list[str]:
        return [found["_id"] for found in node.documents(index)]

    return Pair(sink, relay, stored, stored)


PAIRS: dict[str, Callable[..., Pair]] = {
    "splunk_hec": splunk,
    "splunk_hec with ack": functools.partial(splunk, ack=True),
    "opensearch": search,
    "webhook": hook,
    "sentinel": azure,
    "secops": google,
    "datadog": dog,
}


NEEDS = {"opensearch": "opensearch"}  # a server, by the name of the pair


def ca_file(text: bytes, folder: Path) -> str:
    """A certificate in a file."""
    path = folder / "ca.pem"
    path.write_bytes(text)
    return str(path)
