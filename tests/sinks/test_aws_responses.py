"""What AWS sinks make of responses that are none of AWS's: pages, and bytes that come too slowly."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.servers.moto import ENVIRONMENT
from tests.servers.receiver import Drip, Receiver, Reply, Request
from tests.sinks.faults import alerts
from trailsieve.errors import DeliveryError
from trailsieve.ports import RunContext, Sink
from trailsieve.sinks import aws_batching, security_hub, sns, sqs


class Portal(Receiver):
    """Answers everything with a login page, but says who we are."""

    def answer(self, request: Request) -> Reply:
        if b"GetCallerIdentity" in request.body:
            identity = b"<GetCallerIdentityResult><Account>111122223333</Account></GetCallerIdentityResult>"
            return Reply(200, b"<GetCallerIdentityResponse>%s</GetCallerIdentityResponse>" % identity)
        return Reply(200, b"<!DOCTYPE html><html><title>Log in</title></html>", {"Content-Type": "text/html"})


def queue(url: str) -> Sink:
    return sqs.open_sink(
        sqs.Config(queue_url=f"{url}/1/alerts", endpoint_url=url, region="eu-west-1"), RunContext()
    )


def topic(url: str) -> Sink:
    arn = "arn:aws:sns:eu-west-1:111122223333:alerts"
    return sns.open_sink(sns.Config(topic_arn=arn, endpoint_url=url), RunContext())


def hub(url: str) -> Sink:
    return security_hub.open_sink(security_hub.Config(region="eu-west-1", endpoint_url=url), RunContext())


@pytest.fixture(autouse=True)
def _credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in ENVIRONMENT.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("make", [queue, topic, hub])
def test_a_web_page_is_no_acknowledgement(make: Callable[[str], Sink]) -> None:
    with Portal() as portal:
        sink = make(portal.url)
        with pytest.raises(DeliveryError) as caught:
            sink.deliver(given := alerts(3))
        sink.close()
    assert caught.value.again == {alert.id for alert in given}


@pytest.mark.parametrize("head", [True, False])
def test_a_response_that_comes_byte_by_byte_is_given_up(head: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aws_batching, "_WITHIN", 1.0)
    with Portal() as portal:
        sink = queue(portal.url)
        portal.faults.append(Drip(head))
        with pytest.raises(DeliveryError, match="timeout"):
            sink.deliver(alerts(3))
        sink.close()
