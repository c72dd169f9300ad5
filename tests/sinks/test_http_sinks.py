"""What each HTTP sink does of its own: the lines of each vendor's protocol."""

from __future__ import annotations

import json
import urllib.error
import uuid
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from tests.examples import examples
from tests.formats.alerts import ALARM, KINDS, OVER, REPLACEMENT, TOUCHED
from tests.formats.alerts import alerts as any_alerts
from tests.servers import opensearch as server
from tests.servers import shared
from tests.servers.http_receivers import Splunk
from tests.servers.receiver import Receiver, Relay, Reply, Request, Status
from tests.sinks.faults import alerts, drive
from tests.sinks.opened import Pair, azure, dog, google, hook, search, splunk
from trailsieve.cli.main import run as command
from trailsieve.errors import DeliveryError, SinkError
from trailsieve.ports import RunContext
from trailsieve.sinks import opensearch, splunk_hec, webhook


@pytest.fixture
def opened() -> Iterator[list[Pair]]:
    """Pairs that are closed after the test."""
    pairs: list[Pair] = []
    yield pairs
    for pair in pairs:
        pair.close()


def keep(opened: list[Pair], pair: Pair) -> Pair:
    opened.append(pair)
    return pair


# Splunk


def test_splunk_events_carry_event_time_and_are_one_after_another(opened: list[Pair]) -> None:
    pair = keep(opened, splunk(index="security", host="trail-1"))
    pair.sink.deliver(
        [replace(alert, time=f"2026-03-14T02:12:0{n}.25Z") for n, alert in enumerate(alerts(3))]
    )
    (request,) = pair.receiver.requests
    assert not request.body.startswith(b"[")
    assert b"}\n{" in request.body
    first = pair.receiver.stored[0]
    assert first["time"] == 1773454320.25
    assert (first["host"], first["index"], first["sourcetype"]) == ("trail-1", "security", "trailsieve:alert")
    assert first["fields"]["alert_id"] == first["event"]["id"]


@pytest.mark.parametrize("keeps_before", [False, True])
def test_splunk_names_the_bad_event_and_the_others_go_again(opened: list[Pair], keeps_before: bool) -> None:
    """Also where it kept those before: then they are there twice, and none is lost."""
    pair = keep(opened, splunk())
    assert isinstance(pair.receiver, Splunk)
    pair.receiver.keeps_before = keeps_before
    given = alerts(10)
    pair.receiver.refuse = {given[3].id, given[7].id}
    row = drive(pair, given)
    assert (row.accepted, row.refused, row.lost) == (8, 2, 0)
    assert row.duplicates == (3 + 6 if keeps_before else 0)
    assert len(pair.receiver.requests) == 3


@pytest.mark.parametrize(
    ("settings", "told"),
    [({"index": "nowhere"}, "Incorrect index"), ({"wrong": True}, "Invalid token")],
)
def test_splunk_codes_that_a_person_must_mend_end_it(opened: list[Pair], settings: Any, told: str) -> None:
    pair = keep(opened, splunk(**settings))
    with pytest.raises(SinkError, match=told):
        pair.sink.deliver(alerts(2))


def test_splunk_busy_is_tried_again(opened: list[Pair]) -> None:
    pair = keep(opened, splunk())
    pair.receiver.faults.append(Status(503, body={"text": "Server is busy", "code": 9}))
    with pytest.raises(DeliveryError, match="Server is busy") as caught:
        pair.sink.deliver(alerts(2))
    assert caught.value.again == {alert.id for alert in alerts(2)}


def test_splunk_ack_is_asked_until_it_is_true_on_our_channel(opened: list[Pair]) -> None:
    pair = keep(opened, splunk(ack=True))
    pair.sink.deliver(alerts(2))
    event, *asked = pair.receiver.requests
    channel = event.headers["x-splunk-request-channel"]
    assert uuid.UUID(channel)
    assert [request.path for request in asked] == ["/services/collector/ack"] * 2
    assert all(request.query["channel"] == [channel] for request in asked)


def test_splunk_what_is_never_acknowledged_is_sent_again(opened: list[Pair]) -> None:
    pair = keep(opened, splunk(ack=True, ack_timeout=0.3))
    assert isinstance(pair.receiver, Splunk)
    pair.receiver.ack_after = 10**6
    with pytest.raises(DeliveryError, match=r"not acknowledged in 0\.3 seconds") as caught:
        pair.sink.deliver(alerts(2))
    assert len(caught.value.again) == 2


def test_splunk_a_token_without_acknowledgement_is_told(opened: list[Pair]) -> None:
    with Splunk() as receiver:
        config = splunk_hec.Config(url=receiver.url, token="b5a1f0aa-1111-2222-3333-444455556666", ack=True)
        with pytest.raises(SinkError, match="enable acknowledgement"):
            splunk_hec.open_sink(config, RunContext()).deliver(alerts(1))


def test_splunk_batches_are_no_larger_than_is_allowed(opened: list[Pair]) -> None:
    pair = keep(opened, splunk(max_bytes=20_000))
    pair.sink.deliver(alerts(100))
    assert all(len(request.body) <= 20_000 for request in pair.receiver.requests)
    assert pair.received() == [alert.id for alert in alerts(100)]


@pytest.mark.parametrize("form", ["ecs", "ocsf"])
def test_splunk_takes_other_formats(opened: list[Pair], form: str) -> None:
    pair = keep(opened, splunk(format=form))
    pair.sink.deliver(alerts(2))
    assert pair.received() == [alert.id for alert in alerts(2)]


# OpenSearch, a real one


@pytest.fixture(scope="module")
def stream() -> Iterator[tuple[opensearch.OpenSearchSink, str]]:
    """A sink on a data stream that the shipped template makes."""
    index = f"stream-{uuid.uuid4()}"
    config = opensearch.Config(url=shared.opensearch().url, index=index)
    sink = opensearch.open_sink(config, RunContext())
    assert sink.install_template()
    yield sink, index
    sink.close()


@pytest.mark.server("opensearch")
def test_opensearch_data_stream_from_the_shipped_template(stream: tuple[Any, str]) -> None:
    sink, index = stream
    node = shared.opensearch()
    sink.deliver(list(KINDS.values()))
    assert {found["_id"] for found in node.documents(index)} >= {alert.id for alert in KINDS.values()}
    (about,) = node.ask("GET", f"/_data_stream/{index}")["data_streams"]
    assert about["timestamp_field"] == {"name": "@timestamp"}
    by_ip = {"query": {"term": {"related.ip": "2001:db8::/32"}}}
    found = node.ask("POST", f"/{index}/_search", by_ip)["hits"]["hits"]
    assert {hit["_id"] for hit in found} == {ALARM.id, OVER.id, REPLACEMENT.id}
    for field, query in (
        ("term", {"trailsieve.target.name": "arn:aws:iam::aws:policy/AdministratorAccess"}),
        ("match", {"trailsieve.effect.text": "every resource"}),
        ("term", {"user.target.name": "bob"}),
    ):
        found = node.ask("POST", f"/{index}/_search", {"query": {field: query}})["hits"]["hits"]
        assert {hit["_id"] for hit in found} == {TOUCHED.id}
    by_time = {
        "query": {"range": {"event.start": {"gte": "2026-03-14T02:10:00Z", "lt": "2026-03-14T02:11:00Z"}}}
    }
    found = node.ask("POST", f"/{index}/_search", by_time)["hits"]["hits"]
    assert ALARM.id in {hit["_id"] for hit in found}


@pytest.mark.server("opensearch")
def test_opensearch_keeps_an_alert_once_however_often_it_comes(stream: tuple[Any, str]) -> None:
    sink, index = stream
    given = [replace(alert, id=f"again-{alert.id}") for alert in alerts(5)]
    for _ in range(3):
        sink.deliver(given)
    ids = [found["_id"] for found in shared.opensearch().documents(index)]
    assert [ids.count(alert.id) for alert in given] == [1] * 5


def early_and_final(name: str) -> tuple[Any, Any]:
    """A provisional alert, and the final one that confirms it."""
    early = replace(ALARM, id=name, count=3, provisional=True)
    return early, replace(early, count=5, provisional=False, confirms=True)


@pytest.mark.server("opensearch")
@pytest.mark.parametrize("of_index", [False, True], ids=["stream", "index"])
def test_opensearch_a_confirmation_overwrites_and_a_provisional_alert_does_not(
    stream: tuple[Any, str], opened: list[Pair], of_index: bool
) -> None:
    sink, index = stream
    if of_index:
        pair = keep(opened, search())
        sink, index = pair.sink, opensearch_index(pair)
    node = shared.opensearch()
    early, final = early_and_final(uuid.uuid4().hex)
    sink.deliver([early])
    sink.deliver([final])
    sink.deliver([early])
    sink.deliver([early, final])
    found = [hit["_source"]["trailsieve"] for hit in node.documents(index) if hit["_id"] == final.id]
    assert [(one["count"], one.get("provisional")) for one in found] == [(5, None)]


@pytest.mark.server("opensearch")
def test_opensearch_a_final_alert_overwrites_what_a_crash_left_unconfirmed(stream: tuple[Any, str]) -> None:
    sink, index = stream
    early, final = early_and_final(uuid.uuid4().hex)
    sink.deliver([early])
    sink.deliver([replace(final, confirms=False)])
    found = [hit["_source"]["trailsieve"] for hit in shared.opensearch().documents(index)]
    assert [one["count"] for one in found if one["alert_id"] == final.id] == [5]


def test_opensearch_without_permission_to_read_keeps_what_is_there() -> None:
    lines: list[str] = []

    class WriteOnly(Receiver):
        def answer(self, request: Request) -> Reply:
            if "_mget" in request.path:
                return Reply(403, {"error": {"type": "security_exception"}})
            item = {"create": {"_index": "i", "status": 409, "error": {}}}
            return Reply(200, {"errors": True, "items": [item]})

    with WriteOnly() as receiver:
        config = opensearch.Config(url=receiver.url)
        sink = opensearch.open_sink(config, RunContext(info=lines.append))
        for _ in range(2):
            sink.deliver([early_and_final("a")[1]])
        assert [line.partition(". ")[2] for line in lines] == [
            "Final alerts do not overwrite provisional ones without reading them"
        ]


@pytest.mark.server("opensearch")
@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(alert=any_alerts)
def test_opensearch_takes_whatever_a_record_holds(stream: tuple[Any, str], alert: Any) -> None:
    """No text of a record clashes with the mapping: then an attacker could keep an alert out."""
    sink, _ = stream
    sink.deliver([replace(alert, id=uuid.uuid4().hex)])


@pytest.mark.server("opensearch")
def test_opensearch_mapping_does_not_grow_with_records(stream: tuple[Any, str]) -> None:
    sink, index = stream
    node = shared.opensearch()

    def fields() -> int:
        (mapping,) = node.ask("GET", f"/{index}/_mapping").values()
        return json.dumps(mapping).count('"type"')

    sink.deliver([replace(ALARM, id="first"), replace(KINDS["match"], id="second")])
    before = fields()
    records = tuple(json.dumps({f"key-{n}": n}).encode() for n in range(10))
    dimensions = {f"d-{n}": "x" for n in range(100)}
    sink.deliver([replace(ALARM, id="third", records=records, dimensions=dimensions)])
    assert fields() == before


@pytest.mark.server("opensearch")
def test_opensearch_an_index_that_may_not_be_made_ends_it(opened: list[Pair]) -> None:
    node = shared.opensearch()
    node.ask("PUT", "/_cluster/settings", {"transient": {"action.auto_create_index": "false"}})
    try:
        sink = opensearch.open_sink(opensearch.Config(url=node.url, index="nowhere"), RunContext())
        with pytest.raises(SinkError, match="index_not_found_exception"):
            sink.deliver(alerts(2))
    finally:
        node.ask("PUT", "/_cluster/settings", {"transient": {"action.auto_create_index": None}})


@pytest.mark.server("opensearch")
def test_opensearch_a_blocked_index_is_tried_again(opened: list[Pair]) -> None:
    """As when the disk is full: the cluster takes it back by itself, or a person does."""
    pair = keep(opened, search())
    index = opensearch_index(pair)
    shared.opensearch().ask("PUT", f"/{index}/_settings", {"index.blocks.write": True})
    with pytest.raises(DeliveryError, match="cluster_block_exception") as caught:
        pair.sink.deliver(alerts(3))
    assert len(caught.value.again) == 3
    shared.opensearch().ask("PUT", f"/{index}/_settings", {"index.blocks.write": False})
    pair.sink.deliver(alerts(3))
    assert pair.stored() == [alert.id for alert in alerts(3)]


def opensearch_index(pair: Pair) -> str:
    assert isinstance(pair.sink, opensearch.OpenSearchSink)
    return pair.sink._config.index


@pytest.mark.server("opensearch")
def test_opensearch_that_takes_little_is_sent_little() -> None:
    with server.opensearch(http__max_content_length="100kb") as node:
        for gzip in (True, False):
            config = opensearch.Config(url=node.url, index=f"little-{gzip}".lower(), gzip=gzip)
            opensearch.open_sink(config, RunContext()).deliver(alerts(1000))
            assert len(node.documents(config.index)) == 1000


def test_opensearch_only_items_that_may_come_again_come_again() -> None:
    """429 of single items, which a node of ours cannot be made to say."""

    class Bulk(Receiver):
        def answer(self, request: Request) -> Reply:
            statuses = [201, 429, 409, 400, 503]
            error = {"type": "some_exception", "reason": "because"}
            items = [{"create": {"status": s, **({"error": error} if s > 201 else {})}} for s in statuses]
            return Reply(200, {"errors": True, "items": items})

    with Bulk() as receiver:
        sink = opensearch.open_sink(opensearch.Config(url=receiver.url), RunContext())
        with pytest.raises(DeliveryError) as caught:
            sink.deliver(given := alerts(5))
    assert caught.value.again == {given[1].id, given[4].id}
    assert caught.value.refused.keys() == {given[3].id}
    assert "because" in caught.value.refused[given[3].id]


@pytest.mark.server("opensearch")
@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ({"username": "mia", "password": "pass:wörd"}, "Basic bWlhOnBhc3M6d8O2cmQ="),
        ({"api_key": "aWQ6a2V5"}, "ApiKey aWQ6a2V5"),
    ],
)
def test_opensearch_authorization(given: dict[str, str], wanted: str) -> None:
    with Relay("127.0.0.1", shared.opensearch().port) as receiver:
        sink = opensearch.open_sink(opensearch.Config(url=receiver.url, **given), RunContext())  # type: ignore[arg-type]
        assert "opensearch 2." in sink.check()
        assert receiver.requests[0].headers["authorization"] == wanted


@pytest.mark.server("opensearch")
def test_opensearch_requests_are_signed_for_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """The signature is that of the bytes on the wire, which are compressed."""
    import hashlib

    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret-example-key")
    aws = opensearch.SigningConfig(region="eu-west-1")
    with Relay("127.0.0.1", shared.opensearch().port) as receiver:
        index = f"signed-{uuid.uuid4()}"
        opensearch.open_sink(opensearch.Config(url=receiver.url, index=index, aws=aws), RunContext()).deliver(
            alerts(9)
        )
    (request,) = receiver.requests
    headers = request.headers
    assert headers["content-encoding"] == "gzip"
    assert headers["x-amz-content-sha256"] == hashlib.sha256(request.sent).hexdigest()
    signed = headers["authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
    assert {"host", "x-amz-date", "x-amz-content-sha256"} <= set(signed)
    again = AWSRequest(
        "POST", f"{receiver.url}{request.target}", {n: headers[n] for n in signed}, request.sent
    )
    signer = SigV4Auth(Credentials("AKIAEXAMPLE", "secret-example-key"), "es", "eu-west-1")
    again.context["timestamp"] = headers["x-amz-date"]
    canonical = signer.canonical_request(again)
    assert headers["authorization"].endswith(signer.signature(signer.string_to_sign(again, canonical), again))


def test_opensearch_one_way_to_authenticate_at_a_time() -> None:
    with pytest.raises(ValueError, match="`username` and `api_key`"):
        opensearch.open_sink(opensearch.Config(url="http://a", username="a", api_key="b"), RunContext())


@pytest.mark.server("opensearch")
def test_the_template_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["opensearch-template", "--index", "soc-alerts"]) == 0
    template = json.loads(capsys.readouterr().out)
    assert template["index_patterns"] == ["soc-alerts*"]
    node = shared.opensearch()
    index = f"installed-{uuid.uuid4()}"
    config = tmp_path / "trailsieve.toml"
    config.write_text(
        f'[source]\nkind = "files"\npaths = ["{tmp_path}"]\n[[rules]]\npack = "cis-aws"\n'
        f'[[sink]]\nkind = "opensearch"\nurl = "{node.url}"\nindex = "{index}"\n'
    )
    code = command(["opensearch-template", "--install", str(config)])
    assert (code, capsys.readouterr().out) == (
        0,
        f"ok    index template {index} is installed at 127.0.0.1:{node.port}\n",
    )
    assert node.ask("GET", f"/_index_template/{index}")["index_templates"]


# Webhook


def test_webhook_signatures_while_a_secret_is_replaced(opened: list[Pair]) -> None:
    pair = keep(opened, hook())
    config = webhook.Config(
        url=f"{pair.receiver.url}/hook", secrets=("whsec_YSBzZWNyZXQgb2Ygc2l4dGVlbg==", "the next secret")
    )
    sink = webhook.open_sink(config, RunContext())
    for known in (b"a secret of sixteen", b"the next secret"):
        pair.receiver.secrets = [known]  # type: ignore[attr-defined]
        sink.deliver([replace(alerts(1)[0], id=known.hex())])
    assert len(pair.receiver.requests[0].headers["webhook-signature"].split()) == 2
    assert len(pair.stored()) == 2


def test_webhook_id_is_the_alerts_and_the_same_again(opened: list[Pair]) -> None:
    pair = keep(opened, hook())
    pair.sink.deliver(alerts(3))
    pair.sink.deliver(alerts(3))
    assert pair.received() == [alert.id for alert in alerts(3)] * 2
    assert pair.stored() == [alert.id for alert in alerts(3)]


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_webhook_statuses_that_end_it(opened: list[Pair], status: int) -> None:
    pair = keep(opened, hook())
    pair.receiver.faults.append(Status(status))
    with pytest.raises(SinkError, match=str(status)):
        pair.sink.deliver(alerts(2))


def test_webhook_skewed_clock_refuses_and_says_so(opened: list[Pair]) -> None:
    pair = keep(opened, hook())
    pair.receiver.now = lambda: 0.0  # type: ignore[attr-defined]
    with pytest.raises(DeliveryError, match="time is too far off") as caught:
        pair.sink.deliver(alerts(2))
    assert caught.value.refused.keys() == {alert.id for alert in alerts(2)}


def test_webhook_pagerduty_needs_its_key(opened: list[Pair]) -> None:
    with pytest.raises(ValueError, match="routing_key"):
        hook(format="pagerduty")
    pair = keep(opened, hook(format="pagerduty", routing_key="R0UTINGKEY"))
    pair.receiver.acknowledgement = Reply(202, {"status": "success"})  # type: ignore[attr-defined]
    pair.sink.deliver(alerts(1))
    assert pair.receiver.stored[0]["routing_key"] == "R0UTINGKEY"
    with pytest.raises(ValueError, match="base64"):
        webhook.Config(url="http://a.example", secrets=("whsec_%%",))


# Sentinel, SecOps, Datadog


PAGE = b"\xef\xbb\xbf\n<!DOCTYPE html><html><body>Please log in</body></html>"


PAGES = [
    Status(200, {"Content-Type": "text/html"}, b"Please log in"),
    Status(200, {}, PAGE),
    Status(203, {}, b"<HTML>"),
]
OTHERS = [Status(200, {}, b"OK"), Status(200), Status(200, {}, [])]


@pytest.mark.parametrize(
    ("open_pair", "reply"),
    [
        *((pair, page) for pair in (splunk, azure, google, dog, hook) for page in PAGES),
        *((pair, other) for pair in (splunk, azure, google, dog) for other in OTHERS),
        (splunk, Status(200, {}, {"text": "hello"})),
    ],
)
def test_only_what_the_protocol_documents_is_an_acknowledgement(
    opened: list[Pair], open_pair: Any, reply: Status
) -> None:
    """A portal or proxy may answer everything with 200: nothing was taken, and it is tried again."""
    pair = keep(opened, open_pair())
    pair.receiver.faults.append(reply)
    with pytest.raises(DeliveryError, match=r"acknowledgement|Event Collector") as caught:
        pair.sink.deliver(alerts(3))
    assert caught.value.again == {alert.id for alert in alerts(3)}
    pair.sink.deliver(alerts(3))
    assert pair.received() == [alert.id for alert in alerts(3)]


@pytest.mark.parametrize(
    "reply",
    [
        Reply(200, PAGE),
        Reply(200, b"OK"),
        Reply(200, {"status": "ok"}),
        Reply(200, {"errors": True, "items": []}),
        Reply(200, {"errors": True, "items": [[], "a", {}]}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("path", ["_bulk", "_mget"])
def test_opensearch_an_answer_of_something_else_is_tried_again(path: str, reply: Reply) -> None:
    class Portal(Receiver):
        def answer(self, request: Request) -> Reply:
            there = {"create": {"_index": "i", "status": 409, "error": {}}}
            return reply if path in request.path else Reply(200, {"errors": True, "items": [there] * 3})

    with Portal() as receiver:
        sink = opensearch.open_sink(opensearch.Config(url=receiver.url), RunContext())
        given = [replace(alert, kind="alarm") for alert in alerts(3)]
        with pytest.raises(DeliveryError, match="acknowledgement") as caught:
            sink.deliver(given)
    assert caught.value.again == {alert.id for alert in given}


@pytest.mark.parametrize(
    ("settings", "reply", "missing"),
    [
        ({"accept": "202"}, Reply(200), "status 202"),
        ({"accept": "201, 202"}, Reply(202), ""),
        ({"accept_body": "^done"}, Reply(200, b"not done"), r"contains \^done"),
        ({"accept_body": "^done"}, Reply(204, b""), "contains"),
        ({"accept_body": "(?i)thank you"}, Reply(200, b"<html>Thank you!</html>"), ""),
        ({"format": "slack"}, Reply(200, b"ok"), ""),
        ({"format": "slack"}, Reply(200, b"maintenance"), "contains"),
        ({"format": "slack", "accept_body": "true"}, Reply(200, {"success": True}), ""),
        ({"format": "pagerduty"}, Reply(202, {"status": "success"}), ""),
        ({"format": "pagerduty"}, Reply(200, {"status": "success"}), "status 202"),
        ({"format": "pagerduty"}, Reply(202, {"status": "queued"}), "contains"),
    ],
    ids=repr,
)
def test_webhook_settings_say_what_an_acknowledgement_is(
    opened: list[Pair], settings: dict[str, Any], reply: Reply, missing: str
) -> None:
    pair = keep(opened, hook(routing_key="R0UTINGKEY", **settings))
    pair.receiver.acknowledgement = reply  # type: ignore[attr-defined]
    wanted = pytest.raises(DeliveryError, match=missing) if missing else nullcontext()
    with wanted:
        pair.sink.deliver(alerts(2))


@pytest.mark.parametrize("settings", [{"accept": "404"}, {"accept": "ok"}, {"accept_body": "(?=a)"}])
def test_webhook_settings_that_cannot_be_kept_are_refused(settings: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=f"`{next(iter(settings))}`"):
        webhook.Config(url="http://a.example", **settings)  # type: ignore[arg-type]


def test_a_wrong_accept_body_is_shown_as_text() -> None:
    with pytest.raises(ValueError, match=r"RE2: missing \): \(é$"):
        webhook.Config(url="http://a.example", accept_body="(é")


def test_sentinel_a_page_for_a_token_is_tried_again(opened: list[Pair]) -> None:
    class Portal(Receiver):
        def answer(self, request: Request) -> Reply:
            return Reply(200, PAGE)

    with Portal() as portal:
        pair = keep(opened, azure(authority=portal.url))
        with pytest.raises(DeliveryError, match="a token is in a JSON object"):
            pair.sink.deliver(alerts(2))


def test_sentinel_rows_have_event_time_and_one_token_serves(opened: list[Pair]) -> None:
    pair = keep(opened, azure())
    for number in range(3):
        pair.sink.deliver([replace(alerts(1)[0], id=str(number))])
    assert [row["TimeGenerated"] for row in pair.receiver.stored] == ["2026-03-14T02:00:00.000Z"] * 3
    assert len(pair.receiver.tokens) == 1  # type: ignore[attr-defined]


def test_sentinel_a_revoked_token_is_renewed_once(opened: list[Pair]) -> None:
    pair = keep(opened, azure())
    pair.sink.deliver(alerts(1))
    pair.receiver.tokens.append("another")  # type: ignore[attr-defined]
    pair.sink.deliver(alerts(2))
    assert pair.received() == [alert.id for alert in (*alerts(1), *alerts(2))]
    pair.receiver.faults.extend([Status(401), Status(401)])
    with pytest.raises(SinkError, match="401"):
        pair.sink.deliver(alerts(1))


def test_sentinel_a_token_is_renewed_before_it_ends(opened: list[Pair]) -> None:
    pair = keep(opened, azure())
    pair.receiver.lifetime = 0  # type: ignore[attr-defined]
    pair.sink.deliver(alerts(1))
    pair.sink.deliver(alerts(2))
    assert len(pair.receiver.tokens) == 2  # type: ignore[attr-defined]


def test_sentinel_calls_stay_below_a_megabyte(opened: list[Pair]) -> None:
    pair = keep(opened, azure())
    pair.sink.deliver(alerts(2000))
    assert len(pair.receiver.requests) > 2
    assert pair.received() == [alert.id for alert in alerts(2000)]


def test_secops_a_revoked_token_is_renewed(opened: list[Pair]) -> None:
    pair = keep(opened, google())
    pair.sink.deliver(alerts(1))
    pair.receiver.tokens.append("another")  # type: ignore[attr-defined]
    pair.sink.deliver(alerts(2))
    assert pair.received() == [alert.id for alert in (*alerts(1), *alerts(2))]


def test_secops_calls_stay_below_a_megabyte(opened: list[Pair]) -> None:
    pair = keep(opened, google())
    pair.sink.deliver(alerts(2000))
    assert pair.received() == [alert.id for alert in alerts(2000)]
    assert all(len(request.body) <= 1_000_000 for request in pair.receiver.requests)


def test_datadog_says_once_that_alerts_are_old(opened: list[Pair]) -> None:
    said: list[str] = []
    pair = keep(opened, dog(say=said.append))
    pair.sink.deliver(alerts(3))
    pair.sink.deliver(alerts(3))
    (told,) = said
    assert "18 hours" in told


def test_datadog_of_now_says_nothing(opened: list[Pair]) -> None:
    said: list[str] = []
    pair = keep(opened, dog(say=said.append))
    pair.sink.deliver([replace(alert, time=None) for alert in alerts(3)])
    assert said == []


def test_datadog_limits_are_kept_and_nothing_is_cut(opened: list[Pair]) -> None:
    pair = keep(opened, dog())
    big = replace(alerts(1)[0], id="big", user_agent="A" * 2_000_000)
    pair.sink.deliver([*alerts(2500), big])
    assert [len(json.loads(request.body)) for request in pair.receiver.requests] == [1000, 1000, 501]
    assert pair.receiver.cut == []  # type: ignore[attr-defined]
    assert pair.received()[-1] == "big"


@pytest.mark.server("opensearch")
def test_a_failing_status_of_opensearch_is_an_error_of_the_test_helper() -> None:
    with pytest.raises(urllib.error.HTTPError):
        shared.opensearch().ask("GET", "/nowhere/_search")
