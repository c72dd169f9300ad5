"""OpenSearch and Elasticsearch: ECS documents through `_bulk`, with the alert's id as the document id.

A duplicate alert is a 409 of the `create` action, which counts as success. This holds within one backing
index; after a rollover a duplicate becomes a second document with the same `event.id`.

The final alert of an alarm overwrites the provisional one with its id. A data stream takes only `create`, so
the document is written to its backing index, under its sequence number:
www.elastic.co/docs/manage-data/data-store/data-streams/use-data-stream
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from functools import partial
from importlib.resources import files
from typing import Any, Literal
from urllib.parse import quote

import orjson

from trailsieve.errors import DeliveryError, SinkError, shorten
from trailsieve.formats import ecs
from trailsieve.formats.size_limit import encode_within
from trailsieve.model import Alert
from trailsieve.ports import RunContext
from trailsieve.secret import Secret
from trailsieve.sinks.acknowledgement import NotAcknowledgedError, require_json, succeeded
from trailsieve.sinks.batching import Batch, Encoded, RefusedError, latest, probe, send_batches, send_request
from trailsieve.toml_file import AtLeastOne
from trailsieve.wire.aws import AwsConfig, in_region_of
from trailsieve.wire.http import Client, HttpConfig, HttpResponse, HttpUrl

_MAX_COUNT = 5000
_THERE_ALREADY = 409
_LATER = {_THERE_ALREADY, 429, 500, 502, 503, 504}
_LATER_TYPES = {
    "cluster_block_exception",
    "unavailable_shards_exception",
    "process_cluster_event_timeout_exception",
}
_STOP_TYPES = {"security_exception", "index_not_found_exception", "illegal_argument_exception"}
TEMPLATE_NAME = "trailsieve-alerts"


class SigningConfig(AwsConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings for requests signed with AWS credentials; `service` is es, or aoss for serverless."""

    service: Literal["es", "aoss"] = "es"


class Config(HttpConfig, kw_only=True, forbid_unknown_fields=True):
    """Settings.

    Attributes:
        url: such as https://search.example:9200.
        index: a data stream (see `trailsieve opensearch-template`) or an index.
        username, password: for basic authentication.
        api_key: as Elasticsearch gives it, encoded in base64.
        aws: signs requests for Amazon OpenSearch, for instance `{ region = "eu-west-1" }`.
        max_bytes: of a batch before compression; small AWS nodes take 10 MB.
    """

    url: HttpUrl
    index: str = TEMPLATE_NAME
    username: str | None = None
    password: Secret | None = None
    api_key: Secret | None = None
    aws: SigningConfig | None = None
    max_bytes: AtLeastOne = 5_000_000

    def __post_init__(self) -> None:
        given = [name for name in ("username", "api_key", "aws") if getattr(self, name)]
        if len(given) > 1:
            names = " and ".join(f"`{name}`" for name in given)
            raise ValueError(f"{names}: use only one of them")
        if bool(self.username) != bool(self.password):
            raise ValueError("`username` and `password` require each other")


class OpenSearchSink:
    """Sends batches and checks every item of the response: status 200 may include failed items."""

    overwrites = True

    def __init__(self, config: Config, info: Callable[[str], None] = lambda text: None) -> None:
        self._config = config
        self._info = info
        self._reads = True
        sign = _signer(in_region_of(config.aws, config.url)) if config.aws else None
        self._client = Client(config.url, config, _authorization(config), sign)
        self._name = f"opensearch {self._client.host}"
        self._index = quote(config.index, safe="")

    def deliver(self, alerts: Sequence[Alert]) -> None:
        final = {alert.id for alert in alerts if alert.kind == "alarm" and not alert.provisional}
        send = partial(self._send, final=final)
        send_batches(map(self._encoded, latest(alerts)), send, self._config.max_bytes, _MAX_COUNT)

    def check(self) -> str:
        about = probe(self._name, lambda: self._client.get("/")).json()
        version = about.get("version", {})
        product = version.get("distribution", "elasticsearch")
        return shorten(f"{product} {version.get('number', '')} at {self._client.host} accepts us", 200)

    def install_template(self) -> str:
        """Installs the index template for data streams and returns a message about it.

        Raises:
            SinkError: the server refused it.
        """
        body = orjson.dumps(template_for(self._config.index))
        path = f"/_index_template/{self._index}"
        probe(self._name, lambda: self._client.post(path, body, _JSON, method="PUT"))
        return f"index template {self._config.index} is installed at {self._client.host}"

    def close(self) -> None:
        self._client.close()

    def _encoded(self, alert: Alert) -> Encoded:
        return _bulk_item(
            {"create": {"_id": alert.id}},
            alert.id,
            encode_within(alert, ecs.encode, self._config.max_bytes // 2),
        )

    def _send(self, batch: Batch, final: Set[str]) -> None:
        """Creates documents; those of `final` overwrite what has their id."""
        there = []
        failed = _Failures(self._name)
        for alert, result in self._bulk(f"/{self._index}/_bulk", batch):
            if result["status"] != _THERE_ALREADY:
                failed.add(alert.id, result)
            elif alert.id in final:
                there.append((alert, result["_index"]))
        if failed.reason:  # what is to be overwritten comes again with the others
            failed.again.update(alert.id for alert, _ in there)
        elif there:
            for alert, result in self._bulk("/_bulk", self._overwriting(there)):
                failed.add(alert.id, result)
        failed.check()

    def _bulk(self, path: str, batch: Batch) -> Iterator[tuple[Encoded, dict[str, Any]]]:
        """What the server answered for each alert, if it did not accept all of them."""
        if not batch:
            return iter(())
        body = b"".join(alert.body for alert in batch)
        response = send_request(
            self._name,
            batch,
            lambda: self._client.post(path + _ANSWER, body, _NDJSON),
            partial(_require_results, "items", len(batch)),
        ).json()
        if response.get("errors") is False:
            return iter(())
        return zip(batch, (result for item in response["items"] for result in item.values()), strict=True)

    def _overwriting(self, there: Sequence[tuple[Encoded, str]]) -> Batch:
        """The alerts as requests to overwrite, by the index that has them; none if it cannot be read."""
        batch = [alert for alert, _ in there]
        body = orjson.dumps({"docs": [{"_index": index, "_id": alert.id} for alert, index in there]})
        try:
            response = send_request(
                self._name,
                batch,
                lambda: self._client.post("/_mget?_source=false", body, _JSON),
                partial(_require_results, "docs", len(batch)),
            )
        except (RefusedError, SinkError) as error:
            if self._reads:
                self._info(f"{error}. Final alerts do not overwrite provisional ones without reading them")
            self._reads = False
            return ()
        return [
            _bulk_item({"index": _place(document)}, alert.id, alert.body.partition(b"\n")[2].rstrip(b"\n"))
            for alert, document in zip(batch, response.json()["docs"], strict=True)
        ]


def _require_results(name: str, count: int, response: HttpResponse) -> None:
    """Raises NotAcknowledgedError unless a successful response has a result for each alert."""
    require_json(response)
    content = response.json()
    if not succeeded(response) or (name == "items" and content.get("errors") is False):
        return
    results = content.get(name)
    if not isinstance(results, list) or len(results) != count or not all(map(_is_result, results)):
        raise NotAcknowledgedError(
            f"an acknowledgement has `{name}` with a result for each of {count} alerts"
        )


def _is_result(item: object) -> bool:
    """Whether it is a document of `_mget`, or names one action of `_bulk` and its result."""
    if not isinstance(item, dict):
        return False
    actions = list(item.values())
    return "_index" in item or (len(actions) == 1 and isinstance(actions[0], dict) and "status" in actions[0])


class _Failures:
    """What the items of a `_bulk` response mean for their alerts."""

    def __init__(self, name: str) -> None:
        self.again: set[str] = set()
        self.reason = ""
        self._refused: dict[str, str] = {}
        self._name = name

    def add(self, identity: str, result: dict[str, Any]) -> None:
        """Adds what the server answered for one alert.

        Raises:
            SinkError: somebody has to fix the cause.
        """
        status, error = result.get("status", 0), result.get("error") or {}
        if 200 <= status < 300:
            return
        kind = error.get("type", "")
        reason = f"{self._name} answered {status}: {kind}: {shorten(str(error.get('reason', '')), 300)}"
        self.reason = reason
        if status in _LATER or kind in _LATER_TYPES:
            self.again.add(identity)
        elif status in (401, 403, 404) or kind in _STOP_TYPES:
            raise SinkError(f"{reason}; check the permissions, and `trailsieve opensearch-template`")
        else:
            self._refused[identity] = reason

    def check(self) -> None:
        """Raises DeliveryError if an alert was not accepted."""
        if self.reason:
            raise DeliveryError(self.reason, frozenset(self.again), self._refused)


def _bulk_item(action: dict[str, Any], identity: str, document: bytes) -> Encoded:
    return Encoded(identity, b"%s\n%s\n" % (orjson.dumps(action), document))


def _place(document: dict[str, Any]) -> dict[str, Any]:
    """Where a document is, for an action that fails if it was written or deleted in between."""
    place = {name: document[name] for name in ("_index", "_id")}
    return {
        **place,
        "if_seq_no": document.get("_seq_no", 0),
        "if_primary_term": document.get("_primary_term", 1),
    }


_ANSWER = "?filter_path=errors,items.*._index,items.*.status,items.*.error.type,items.*.error.reason"
_JSON = {"Content-Type": "application/json"}
_NDJSON = {"Content-Type": "application/x-ndjson"}


def template_for(index: str) -> dict[str, Any]:
    """The built-in index template, for data streams whose names begin with `index`."""
    text = files("trailsieve.formats").joinpath("ecs-index-template.json").read_bytes()
    template: dict[str, Any] = orjson.loads(text)
    return {"index_patterns": [f"{index}*"], **template}


def _authorization(config: Config) -> dict[str, str]:
    if config.api_key:
        return {"Authorization": f"ApiKey {config.api_key}"}
    if config.username:
        import base64

        pair = f"{config.username}:{config.password}".encode()
        return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}
    return {}


def _signer(config: SigningConfig) -> Callable[[str, str, bytes, Mapping[str, str]], Mapping[str, str]]:
    """A function that signs requests with Signature Version 4."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    from trailsieve.wire import aws

    session = aws.session(config)
    credentials = session.get_credentials()
    if credentials is None or not session.region_name:
        raise SinkError("opensearch: `aws` needs credentials (boto3's usual chain) and a `region`")

    def sign(method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Mapping[str, str]:
        import hashlib

        signed = {**headers, "X-Amz-Content-SHA256": hashlib.sha256(body).hexdigest()}
        request = AWSRequest(method, url, headers=signed, data=body)
        SigV4Auth(credentials.get_frozen_credentials(), config.service, session.region_name).add_auth(request)
        return dict(request.headers.items())

    return sign


def open_sink(config: Config, context: RunContext) -> OpenSearchSink:
    """OpenSearch or Elasticsearch as a sink."""
    return OpenSearchSink(config, context.info)
