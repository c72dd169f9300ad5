"""Every sink that speaks something else than plain HTTP, opened on its real receiver, and the faults of these.

    python -m tests.sinks.wired        prints the table of faults

Behind a relay stand moto's SQS, SNS and Security Hub; rsyslog, syslog-ng and Kafka are stopped and killed.
"""

from __future__ import annotations

import functools
import itertools
import json
import signal
import sys
import time
import urllib.request
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from tests.servers import shared
from tests.servers import syslog as syslog_server
from tests.servers.patience import Deadline, stretched
from tests.servers.receiver import Lost, Relay, Reply, Request, Reset, Status
from tests.sinks.faults import COUNT, QuickClock, Row, alerts
from trailsieve.engine.routing import Routing
from trailsieve.engine.sink_worker import SinkWorker
from trailsieve.model import Alert
from trailsieve.ports import RunContext, Sink
from trailsieve.sinks import kafka, security_hub, sns, sqs, syslog

_DEADLINE = 120.0  # seconds


@dataclass(frozen=True)
class Wired:
    """A sink and its receiver.

    Attributes:
        stored: ids of the alerts that the receiver holds, repeats too, in their order.
        texts: what it holds, as text.
    """

    sink: Sink
    stored: Callable[[], list[str]]
    texts: Callable[[], list[str]]
    stop: Callable[[], None]
    start: Callable[[], None]
    relay: AwsRelay | None = None

    def close(self) -> None:
        self.sink.close()
        if self.relay:
            self.relay.close()


def over_syslog(
    kind: syslog_server.Kind, transport: Any, context: RunContext | None = None, **settings: Any
) -> Wired:
    server = shared.syslog(kind)
    server.clear()
    trust = {"ca_file": server.ca} if transport == "tls" else {}
    port = getattr(server, transport)
    config = syslog.Config(
        host="localhost", port=port, transport=transport, **{"max_bytes": 60_000, **trust, **settings}
    )
    return Wired(
        syslog.SyslogSink(config, context or RunContext()),
        lambda: [_id_of(message) for message in server.messages()],
        lambda: [message["msg"] for message in server.messages()],
        lambda: server.stop(kill=True),
        server.start,
    )


def _id_of(message: dict[str, Any]) -> str:
    return str(message["sd"]).partition(' id="')[2].partition('"')[0]


def over_kafka(**settings: Any) -> Wired:
    cluster = shared.kafka()
    topic = f"alerts-{uuid.uuid4()}"
    cluster.create_topic(topic)
    options: dict[str, Any] = {"bootstrap_servers": cluster.servers, "timeout": 4.0, **settings}

    def read() -> list[tuple[str, bytes]]:
        from confluent_kafka import Consumer, TopicPartition

        consumer = Consumer(
            {"bootstrap.servers": cluster.bootstrap, "group.id": "t", "enable.partition.eof": True}
        )
        try:
            consumer.assign([TopicPartition(topic, 0, 0)])
            found = []
            while (message := consumer.poll(30)) is not None and not message.error():
                found.append(((message.key() or b"").decode(), message.value() or b""))
            return found
        finally:
            consumer.close()

    def start() -> None:
        cluster.start(0)
        cluster.wait()

    return Wired(
        kafka.KafkaSink(kafka.Config(topic=topic, **options)),
        lambda: [key for key, _ in read()],
        lambda: [value.decode() for _, value in read()],
        lambda: cluster.kill(0),
        start,
    )


class AwsRelay(Relay):
    """AWS with faults; single entries are refused as AWS does it: in a good answer."""

    def answer(self, request: Request) -> Reply:
        if not self.refuse or not request.body.startswith(b"{"):
            return super().answer(request)
        asked = json.loads(request.body)
        name = next((name for name in ("Entries", "Findings") if name in asked), "")
        bad = [one for one in asked.get(name, ()) if any(i in json.dumps(one) for i in self.refuse)]
        if not bad:
            return super().answer(request)
        good = [one for one in asked[name] if one not in bad]
        if not good:
            reply = Reply(200, b'{"SuccessCount": 0}')
        else:
            body = json.dumps({**asked, name: good}).encode()
            reply = super().answer(replace(request, body=body, sent=body))
        answer = json.loads(reply.content())
        answer["Failed" if name == "Entries" else "FailedFindings"] = [
            {"Id": one["Id"], "SenderFault": True, "Code": "InvalidParameterValue", "Message": "no"}
            if name == "Entries"
            else {"Id": one["Id"], "ErrorCode": "InvalidInput", "ErrorMessage": "no"}
            for one in bad
        ]
        return Reply(200, json.dumps({**answer, "FailedCount": len(bad)}).encode())


def _aws(kind: str, make: Callable[[str], tuple[Sink, Callable[[], list[str]]]]) -> Wired:
    relay = AwsRelay("127.0.0.1", urlsplit(shared.sink_moto().url).port or 0)
    sink, texts = make(relay.url)

    def stored() -> list[str]:
        field = "Id" if kind == "security_hub" else "id"
        return [str(json.loads(text)[field]).rpartition("/")[2] for text in texts()]

    return Wired(sink, stored, texts, relay.close, relay.start, relay)


def _drained(queue: str, seen: list[str]) -> list[str]:
    """What has come into a queue since it was made."""
    client = shared.sink_moto().client("sqs")
    while got := client.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, WaitTimeSeconds=0).get(
        "Messages"
    ):
        seen += [message["Body"] for message in got]
        entries = [{"Id": str(n), "ReceiptHandle": one["ReceiptHandle"]} for n, one in enumerate(got)]
        client.delete_message_batch(QueueUrl=queue, Entries=entries)
    return list(seen)


def over_sqs(*, fifo: bool = False) -> Wired:
    name = f"alerts-{uuid.uuid4().hex}{'.fifo' if fifo else ''}"
    attributes = {"FifoQueue": "true"} if fifo else {}
    queue = shared.sink_moto().client("sqs").create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    seen = list[str]()

    def make(url: str) -> tuple[Sink, Callable[[], list[str]]]:
        config = sqs.Config(queue_url=queue, endpoint_url=url, region="us-east-1")
        return sqs.SqsSink(config), lambda: _drained(queue, seen)

    return _aws("sqs", make)


def over_sns() -> Wired:
    topic = shared.sink_moto().client("sns").create_topic(Name=f"alerts-{uuid.uuid4().hex}")["TopicArn"]
    client = shared.sink_moto().client("sqs")
    queue = client.create_queue(QueueName=f"copy-{uuid.uuid4().hex}")["QueueUrl"]
    arn = client.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    raw = {"RawMessageDelivery": "true"}
    shared.sink_moto().client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=raw)
    seen = list[str]()

    def make(url: str) -> tuple[Sink, Callable[[], list[str]]]:
        config = sns.Config(topic_arn=topic, endpoint_url=url)
        return sns.SnsSink(config), lambda: _drained(queue, seen)

    return _aws("sns", make)


def over_security_hub(**settings: Any) -> Wired:
    client = shared.sink_moto().client("securityhub")
    # A finding with a known Id is an update: what other tests imported must be gone.
    urllib.request.urlopen(f"{shared.sink_moto().url}/moto-api/reset", data=b"").close()
    client.enable_security_hub()

    def make(url: str) -> tuple[Sink, Callable[[], list[str]]]:
        config = security_hub.Config(endpoint_url=url, region="us-east-1", **settings)
        return security_hub.SecurityHubSink(config), lambda: list(map(json.dumps, _findings(client)))

    return _aws("security_hub", make)


def _findings(client: Any) -> Any:
    for page in client.get_paginator("get_findings").paginate():
        yield from page["Findings"]


KINDS: tuple[syslog_server.Kind, ...] = ("rsyslog", "syslog-ng")
WIRED: dict[str, Callable[..., Wired]] = {
    **{
        f"{kind} {transport}": functools.partial(over_syslog, kind, transport)
        for kind, transport in itertools.product(KINDS, ("tls", "tcp", "udp"))
    },
    "kafka": over_kafka,
    "sqs": over_sqs,
    "sqs fifo": functools.partial(over_sqs, fifo=True),
    "sns": over_sns,
    "security_hub": over_security_hub,
}
NEEDS: dict[str, str] = {  # a server, by the name of the sink
    **{name: name.partition(" ")[0] for name in WIRED if name.startswith(KINDS)},
    **{str(kind): str(kind) for kind in KINDS},
    "kafka": "kafka",
    **dict.fromkeys(("sqs", "sqs fifo", "sns", "security_hub"), "sink_moto"),
}
STREAMS = [name for name in WIRED if name.endswith((" tls", " tcp"))]
AWS = ["sqs", "sqs fifo", "sns", "security_hub"]


def drive(
    wired: Wired, parts: Sequence[Sequence[Alert]], on_pause: Callable[[int], None] = lambda number: None
) -> Row:
    """Delivers each part as a run does, waits until what was taken can be seen, and counts."""
    clock = QuickClock(on_pause)
    worker = SinkWorker(wired.sink, Routing(max_batch=COUNT), clock=clock)
    for part in parts:
        worker.put(part)
        assert worker.settled(stretched(_DEADLINE))
    worker.stop("")
    refused = {refusal.alert.id for refusal in worker.refusals()}
    expected = {alert.id for part in parts for alert in part} - refused
    stored = _seen(wired, set() if worker.error else expected)
    return Row(
        sent=sum(map(len, parts)),
        accepted=len(set(stored)),
        duplicates=len(stored) - len(set(stored)),
        refused=len(refused),
        lost=0 if worker.error else len(expected - set(stored)),
        pauses=tuple(clock.pauses),
        error=str(worker.error or ""),
    )


def _seen(wired: Wired, expected: set[str]) -> list[str]:
    deadline = Deadline(20)
    while not expected <= set(stored := wired.stored()) and not deadline.passed:
        time.sleep(0.05)
    return stored


def _down(wired: Wired) -> Row:
    """Down from the beginning, for minutes as the sink sees it."""
    wired.stop()
    # Kafka's client itself tries for seconds each time.
    enough = 2 if isinstance(wired.sink, kafka.KafkaSink) else 12
    return drive(wired, [alerts()], lambda number: wired.start() if number == enough else None)


def _killed(wired: Wired) -> Row:
    """Killed after the first half has arrived; up again at the first pause, or before the second half."""
    given = alerts()
    first = drive(wired, [given[:50]])
    assert first.accepted == 50
    wired.stop()
    up = list[int]()

    def start(number: int) -> None:
        if not up:
            wired.start()
            up.append(number)

    second = drive(wired, [given[50:]], start)
    if not up:
        wired.start()
    stored = _seen(wired, {alert.id for alert in given})
    lost = {alert.id for alert in given} - set(stored)
    duplicates = len(stored) - len(set(stored))
    return Row(100, len(set(stored)), duplicates, 0, len(lost), second.pauses, second.error)


def _reset(wired: Wired) -> Row:
    assert wired.relay
    wired.relay.faults.extend([Reset(), Reset()])
    return drive(wired, [alerts()])


def _lost_answer(wired: Wired) -> Row:
    assert wired.relay
    wired.relay.faults.append(Lost())
    return drive(wired, [alerts()])


def _busy(wired: Wired) -> Row:
    assert wired.relay
    wired.relay.faults.extend([Status(503), Status(429), Status(500)])
    return drive(wired, [alerts()])


def _one_bad(wired: Wired) -> Row:
    assert wired.relay
    wired.relay.refuse = {alerts()[41].id}
    return drive(wired, [alerts()])


FAULTS: dict[tuple[str, str], Callable[[Wired], Row]] = {
    **{(name, "down for minutes"): _down for name in [*STREAMS, "kafka", *AWS]},
    **{(name, "killed in the middle"): _killed for name in [*STREAMS, "kafka"]},
    **{(name, "reset in mid-batch"): _reset for name in AWS},
    **{(name, "stored, response lost"): _lost_answer for name in AWS},
    **{(name, "busy: 503, 429, 500"): _busy for name in AWS},
    **{(name, "one bad of a hundred"): _one_bad for name in ("sqs", "sqs fifo", "security_hub")},
}


def run(sink: str, fault: str) -> Row:
    """One cell of the table."""
    wired = WIRED[sink]()
    try:
        return FAULTS[sink, fault](wired)
    finally:
        wired.close()


def end_with_servers() -> None:
    """From now on SIGTERM ends this process as Ctrl-C does: with the servers that it started."""
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))


def main() -> None:
    """Prints the table as Markdown."""
    end_with_servers()
    print("| sink | fault | sent | accepted | duplicates | refused (dead letter) | lost |")
    print("| --- | --- | --: | --: | --: | --: | --: |")
    for sink, fault in FAULTS:
        row = run(sink, fault)
        figures = (row.sent, row.accepted, row.duplicates, row.refused, row.lost)
        print(f"| {sink} | {fault} | {' | '.join(map(str, figures))} |", flush=True)


if __name__ == "__main__":
    main()
