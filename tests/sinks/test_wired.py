"""Sinks on real servers: what arrives is what was sent, nothing is lost by faults, and nothing is injected."""

from __future__ import annotations

import json
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.servers import shared
from tests.servers import syslog as syslog_server
from tests.sinks import test_contract as contract
from tests.sinks import wired
from tests.sinks.faults import COUNT, alerts
from tests.sinks.wired import AWS, FAULTS, KINDS, NEEDS, STREAMS, WIRED, Wired, run
from trailsieve.errors import DeliveryError, SinkError
from trailsieve.formats import native
from trailsieve.model import Alert, Window
from trailsieve.ports import RunContext
from trailsieve.sinks import kafka, security_hub, sns, sqs, syslog
from trailsieve.sinks.aws_batching import raise_failed_entries

KNOW_IDS = {"sqs fifo", "security_hub", "kafka"}
RELIABLE = [name for name in WIRED if not name.endswith(" udp")]
ONE_A_KIND = [name for name in WIRED if name.endswith("tls") or " " not in name]
every_kind = pytest.mark.parametrize("kind", shared.parameters(KINDS, NEEDS))
ODD = "line\nbreak\r\n<13>1 - forged - - - - pipe | quote \" ' back \\ tab\t nul\x00 esc\x1b[31m del\x7f \u2028 \u202eltr \ufffe é 😀 ]"


def faults() -> list[Any]:
    """The cells of the table, each marked with the server that it needs."""
    return [
        pytest.param(
            sink, fault, id=f"{sink}-{fault}".replace(" ", "-"), marks=pytest.mark.server(NEEDS[sink])
        )
        for sink, fault in FAULTS
    ]


@pytest.mark.parametrize(("sink", "fault"), faults())
def test_nothing_is_lost(sink: str, fault: str) -> None:
    row = run(sink, fault)
    print(sink, fault, row)
    assert row.error == ""
    assert (row.sent, row.lost) == (COUNT, 0)
    assert row.refused == (fault == "one bad of a hundred")
    assert row.accepted == COUNT - row.refused
    if fault == "killed in the middle" and sink in STREAMS:
        assert row.duplicates == 50, "what was sent before the break, once more"
    elif sink in KNOW_IDS or fault != "stored, response lost":
        assert row.duplicates == 0
    if fault == "down for minutes" and sink != "kafka":
        assert sum(row.pauses) > 100


def odd_alerts() -> list[Alert]:
    """Alerts whose every text is written by an attacker."""
    record = json.dumps({"userAgent": ODD, "n": 1.0}, ensure_ascii=False).encode()
    texts = dict.fromkeys(
        ("title", "principal", "source_ip", "user_agent", "event_name", "event_source", "error_code"), ODD
    )
    odd = [replace(alert, **texts, tags=(ODD,), records=(record,)) for alert in alerts(3)]
    return [*odd, replace(odd[0], id="big", user_agent=ODD + "A" * 10**6, records=(record,))]


@pytest.mark.parametrize("sink", shared.parameters(RELIABLE, NEEDS))
def test_an_attackers_text_arrives_as_text_and_a_megabyte_in_short(sink: str) -> None:
    opened = WIRED[sink]()
    try:
        given = odd_alerts()
        opened.sink.deliver(given)
        wired._seen(opened, {alert.id for alert in given})
        assert sorted(opened.stored()) == sorted(alert.id for alert in given), "no more messages than alerts"
        shown = {json.loads(text).get("id"): json.loads(text) for text in opened.texts()}
        if sink != "security_hub":
            for alert in given[:3]:
                assert shown[alert.id] == json.loads(native.encode(alert))
            assert shown["big"]["user_agent"].startswith("line\nbreak")
    finally:
        opened.close()


@every_kind
@pytest.mark.parametrize("payload", ["cef", "leef"])
@pytest.mark.parametrize("transport", ["tls", "udp"])
def test_no_text_forges_a_field_of_cef_or_leef(
    kind: syslog_server.Kind, payload: str, transport: str
) -> None:
    opened = wired.over_syslog(kind, transport, format=payload, max_bytes=8192)
    try:
        given = odd_alerts()
        opened.sink.deliver(given)
        wired._seen(opened, {alert.id for alert in given})
        assert sorted(opened.stored()) == sorted(alert.id for alert in given)
        for text in opened.texts():
            assert text.startswith(("CEF:0|trailsieve|", "LEEF:2.0|trailsieve|"))
            assert "\n" not in text
            assert "\x1b" not in text
            assert "\u202e" not in text
    finally:
        opened.close()


@every_kind
def test_the_header_says_what_is_known_without_reading_the_payload(kind: syslog_server.Kind) -> None:
    opened = wired.over_syslog(kind, "tls", hostname="collector 1")
    try:
        given = replace(alerts(1)[0], rule='a"b]c\\d')
        opened.sink.deliver([given])
        (message,) = shared.syslog(kind).wait(1)
        assert message["time"].startswith("2026-03-14T02:00:00")
        assert (message["pri"], message["host"], message["app"], message["msgid"]) == (
            str(13 * 8 + 3),
            "collector1",
            "trailsieve",
            "match",
        )
        assert 'account="111122223333"' in message["sd"]
        assert r'rule="a\"b\]c\\d"' in message["sd"]
    finally:
        opened.close()


@pytest.mark.parametrize("limit", [480, 2048, 8192])
@pytest.mark.parametrize("payload", ["native", "cef", "leef"])
def test_no_syslog_message_is_longer_than_its_limit(limit: int, payload: Any) -> None:
    sink = syslog.SyslogSink(
        syslog.Config(host="localhost", transport="udp", max_bytes=limit, format=payload), RunContext()
    )
    for alert in odd_alerts():
        message = sink.message(alert)
        if len(message) > limit:
            assert limit == 480
            with pytest.raises(DeliveryError) as error:
                sink.deliver([alert])
            assert error.value.refused.keys() == {alert.id}
        assert b"\n" not in message
        assert message.decode()


@every_kind
def test_a_certificate_that_has_expired_ends_it_at_once(kind: syslog_server.Kind) -> None:
    with syslog_server.running(kind, expired=True) as server:
        sink = syslog.SyslogSink(
            syslog.Config(host="localhost", port=server.tls, ca_file=server.ca), RunContext()
        )
        with pytest.raises(SinkError, match="certificate has expired"):
            sink.deliver(alerts(1))
        assert not server.messages()


@pytest.mark.server("rsyslog")
def test_a_certificate_of_an_authority_that_we_do_not_know_is_not_trusted() -> None:
    server = shared.syslog("rsyslog")
    sink = syslog.SyslogSink(syslog.Config(host="localhost", port=server.tls), RunContext())
    with pytest.raises(SinkError, match="not trusted"):
        sink.check()


@every_kind
def test_client_certificates(kind: syslog_server.Kind, tmp_path: Path) -> None:
    with syslog_server.running(kind, client_certificates=True) as server:
        ours = server.authority.pair("client")
        options: dict[str, Any] = {"host": "localhost", "port": server.tls, "ca_file": server.ca}
        known = syslog.Config(**options, cert_file=str(ours.cert), key_file=str(ours.key))
        sink = syslog.SyslogSink(known, RunContext())
        assert "TLSv1" in sink.check()
        sink.deliver(alerts(2))
        assert len(server.wait(2)) == 2
        sink.close()
        unknown = syslog.SyslogSink(syslog.Config(**options), RunContext())
        with pytest.raises((SinkError, DeliveryError)):
            unknown.deliver(alerts(2))
        assert len(server.messages()) == 2


@pytest.mark.server("rsyslog")
def test_a_broken_connection_is_told_with_what_was_sent_again() -> None:
    said = list[str]()
    opened = wired.over_syslog("rsyslog", "tcp", RunContext(info=said.append))
    try:
        opened.sink.deliver(alerts(2))
        wired._seen(opened, {"0" * 32})
        opened.stop()
        opened.start()
        opened.sink.deliver(alerts(3)[2:])
        stored = wired._seen(opened, {alert.id for alert in alerts(3)})
        assert sorted(stored) == sorted(alert.id for alert in [*alerts(2), *alerts(3)])
        assert len(said) == 1
        assert "sent 2 messages of the last 30 s again" in said[0]
    finally:
        opened.close()


@pytest.mark.server("kafka")
@pytest.mark.parametrize(
    ("password", "topic"), [("wrong-password-0000", "alerts"), ("wonderland", "there-is-none")]
)
def test_kafka_that_refuses_us_says_so_without_the_password(password: str, topic: str) -> None:
    cluster = shared.kafka()
    sink = kafka.KafkaSink(
        kafka.Config(
            bootstrap_servers=cluster.secure_servers,
            security="SASL_SSL",
            mechanism="PLAIN",
            username="alice",
            password=password,
            ca_file=str(cluster.ca_file),
            topic=topic,
            timeout=5,
        )
    )
    with pytest.raises(SinkError) as error:
        sink.check()
    assert password not in str(error.value)
    sink.close()


@pytest.mark.server("kafka")
def test_one_alert_that_a_topic_does_not_take_holds_up_no_other() -> None:
    opened = wired.over_kafka(max_bytes=1_500_000)
    try:
        big = replace(alerts(3)[1], records=(b'{"a":"' + b"A" * 1_200_000 + b'"}',))
        given = [alerts(3)[0], big, alerts(3)[2]]
        with pytest.raises(DeliveryError) as error:
            opened.sink.deliver(given)
        assert error.value.refused.keys() == {big.id}
        assert not error.value.again
        assert opened.stored() == [given[0].id, given[2].id]
    finally:
        opened.close()


def test_entries_that_aws_did_not_take() -> None:
    failed = [
        ("a", "InvalidParameterValue", "no", True),
        ("b", "InternalError", "oops", False),
        ("c", "ThrottlingException", "slow down", True),
    ]
    with pytest.raises(DeliveryError) as error:
        raise_failed_entries("sqs x", failed)
    assert error.value.again == {"b", "c"}
    assert error.value.refused == {"a": "sqs x: InvalidParameterValue: no"}
    with pytest.raises(SinkError, match="grant the permission"):
        raise_failed_entries("sqs x", [("a", "KMS.AccessDeniedException", "no", True)])


def _no_queue() -> Any:
    url = f"{shared.sink_moto().url}/123456789012/there-is-none"
    return sqs.SqsSink(sqs.Config(queue_url=url, endpoint_url=shared.sink_moto().url, region="us-east-1"))


def _no_topic() -> Any:
    arn = "arn:aws:sns:us-east-1:123456789012:there-is-none"
    return sns.SnsSink(sns.Config(topic_arn=arn, endpoint_url=shared.sink_moto().url))


@pytest.mark.server("sink_moto")
@pytest.mark.parametrize("make", [_no_queue, _no_topic])
def test_what_is_not_there_ends_it_at_once(make: Callable[[], Any]) -> None:
    sink = make()
    with pytest.raises(SinkError, match=r"there|exist"):
        sink.check()
    with pytest.raises(SinkError):
        sink.deliver(alerts(1))


@pytest.mark.parametrize("sink", shared.parameters(AWS, NEEDS))
def test_requests_keep_the_limits(sink: str) -> None:
    opened = WIRED[sink]()
    try:
        assert opened.relay
        heavy = [replace(alert, records=(b'{"a":"' + b"A" * 90_000 + b'"}',)) for alert in alerts(30)]
        opened.sink.deliver(heavy)
        assert set(wired._seen(opened, {alert.id for alert in heavy})) == {alert.id for alert in heavy}
        limit = {"sqs": 2**20, "sqs fifo": 2**20, "sns": 262_144 * 1.5, "security_hub": 6_000_000}[sink]
        sizes = [len(request.body) for request in opened.relay.requests]
        # The body is JSON within JSON, or a form: longer than what counts.
        assert max(sizes) <= limit * 1.2
    finally:
        opened.close()


@pytest.mark.server("sink_moto")
def test_findings_go_to_the_account_of_the_alert_by_its_role() -> None:
    opened = wired.over_security_hub(account_role="arn:aws:iam::{account}:role/findings")
    try:
        given = [replace(alerts(2)[1], account="444455556666"), replace(alerts(1)[0], account=None)]
        opened.sink.deliver(given)
        accounts = {}
        for key in ("444455556666", "123456789012"):
            role = f"arn:aws:iam::{key}:role/x"
            sts = (
                shared.sink_moto()
                .client("sts")
                .assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
            )
            hub = shared.sink_moto().client(
                "securityhub", key=sts["AccessKeyId"], aws_session_token=sts["SessionToken"]
            )
            accounts[key] = [found["Id"] for found in hub.get_findings()["Findings"]]
        assert accounts == {
            "444455556666": [f"trailsieve/{given[0].id}"],
            "123456789012": [f"trailsieve/{given[1].id}"],
        }
    finally:
        opened.close()


@pytest.mark.server("sink_moto")
def test_a_repeated_alert_is_one_finding() -> None:
    opened = wired.over_security_hub()
    try:
        for _ in range(3):
            opened.sink.deliver(alerts(5))
        assert sorted(opened.stored()) == sorted(alert.id for alert in alerts(5))
        finding = json.loads(opened.texts()[0])
        assert finding["ProductFields"]["trailsieve/account"] == "111122223333"
    finally:
        opened.close()


@pytest.mark.server("sink_moto")
def test_a_confirmation_updates_the_finding() -> None:
    opened = wired.over_security_hub()
    try:
        window = Window("2026-03-14T02:00:00Z", "2026-03-14T02:05:00Z")
        early = replace(alerts(1)[0], kind="alarm", state="ALARM", count=3, provisional=True, window=window)
        final = replace(early, count=5, provisional=False, confirms=True)
        assert opened.sink.overwrites
        opened.sink.deliver([early])
        opened.sink.deliver([final])
        (finding,) = map(json.loads, opened.texts())
        assert finding["ProductFields"]["trailsieve/count"] == "5"
        assert finding["UpdatedAt"] == window.end, "later than before, or Security Hub ignores it"
        assert "trailsieve/provisional" not in finding["ProductFields"]
        both = [replace(early, id="other"), replace(final, id="other")]
        opened.sink.deliver(both)
        assert opened.stored().count("other") == 1, "one request has no finding twice"
    finally:
        opened.close()


@pytest.mark.server("sink_moto")
def test_a_fifo_queue_does_not_take_a_final_alert_for_a_repeated_one() -> None:
    opened = wired.over_sqs(fifo=True)
    try:
        early = replace(alerts(1)[0], kind="alarm", state="ALARM", provisional=True)
        final = replace(early, provisional=False, confirms=True)
        for given in (early, early, final, final):
            opened.sink.deliver([given])
        assert opened.stored() == [early.id, final.id]
    finally:
        opened.close()


@pytest.mark.parametrize("sink", shared.parameters(ONE_A_KIND, NEEDS))
@pytest.mark.parametrize(
    "law",
    [
        contract.test_many_at_once,
        contract.test_nothing_to_deliver_is_nothing_delivered,
        contract.test_an_alert_may_be_delivered_again,
        contract.test_a_final_alert_is_accepted_after_the_provisional_one_with_its_id,
        contract.test_a_check_delivers_nothing,
        contract.test_closing_twice_is_closing_once_and_keeps_what_was_accepted,
    ],
    ids=lambda law: str(law.__name__)[5:],
)
def test_the_contract_of_all_sinks(sink: str, law: Callable[[Callable[[], contract.Opened]], None]) -> None:
    opened = WIRED[sink]()
    try:
        law(lambda: contract.Opened(opened.sink, lambda: _arrived(opened)))
    finally:
        opened.close()


def _arrived(opened: Wired) -> list[str]:
    """What the contract looks at: syslog's receivers need a moment, and findings have no order."""
    if isinstance(opened.sink, syslog.SyslogSink):
        marker = replace(contract.ALERTS[0], id="marker")
        opened.sink.deliver([marker])
        wired._seen(opened, {"marker"})
        return [identity for identity in opened.stored() if identity != "marker"]
    found = opened.stored()
    return sorted(found) if isinstance(opened.sink, security_hub.SecurityHubSink) else found


def test_tls_is_verified_by_default() -> None:
    sink = syslog.SyslogSink(syslog.Config(host="localhost"), RunContext())
    context = sink._connection._context
    assert context
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
