"""The queries for OpenSearch find the documents that the rules match: a real node runs them."""

from __future__ import annotations

import json
import random
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

from tests.interchange.pairs import (
    RULE_40,
    Excuse,
    Path,
    Question,
    Term,
    compare,
    events,
    is_fraction,
    is_long,
    is_number,
    is_type,
    number_of,
    patterns,
    questions,
)
from tests.servers.opensearch import OpenSearch
from tests.servers.patience import stretched
from trailsieve.interchange.exporters import opensearch as exporter
from trailsieve.interchange.exporters.model import ExportTarget
from trailsieve.pattern import nodes, runtime

_TEXTS: list[Path] = [
    *(("eventName",), ("errorCode",), ("errorCode",), ("readOnly",), ("recipientAccountId",), ("two words",)),
    *(("userIdentity", "arn"), ("userIdentity", "sessionContext", "attributes", "mfaAuthenticated")),
    *(("requestParameters", "a"), ("requestParameters", "a"), ("additionalEventData", "MFAUsed")),
]
_NUMBERS: list[Path] = [("number",), ("requestParameters", "size")]
_ARRAYS = ["[]", "[null]", "[[null]]", '["A"]', '["a","b"]', "[5]", '[1,null,"x"]', "[true]"]
_PARENTS = ["null", "[]", "{}", '[{"arn":"A"},{"a":"A"}]']  # a field holds objects or not, never both


def _is_ordered(term: Term) -> bool:
    return isinstance(term.target, nodes.Selector) and term.target.steps in _NUMBERS


def _written_finds(term: Term, value: Any) -> bool:
    match term:
        case nodes.NotExists():
            return value is None
        case nodes.IsType(type="NULL"):
            return value is runtime.ABSENT
        case nodes.IsType(type=name):
            return bool(value == name.lower())
    if number_of(term):
        return isinstance(value, bool | str) or (is_number(value) and (term.is_negative or is_long(value)))
    return isinstance(value, bool) or is_fraction(value)


def _written_misses(term: Term, value: Any) -> bool:
    return isinstance(term, nodes.Comparison) and is_fraction(value)


def _double_finds(term: Term, value: Any) -> bool:
    if not _is_ordered(term):
        return False
    if isinstance(term, nodes.Comparison):
        return isinstance(value, str) or (is_number(value) and (is_long(value) or is_long(number_of(term))))
    return not is_type(term, "NULL")


def _double_misses(term: Term, value: Any) -> bool:
    return _is_ordered(term) and (
        is_long(value) or (isinstance(value, str) and getattr(term, "is_negative", False))
    )


EXCUSES = [
    Excuse("compared as they are written", _written_finds, _written_misses),
    Excuse("elements of arrays", lambda _term, _value: False, arrays=True),
    Excuse("mapped as double", _double_finds, _double_misses),
    RULE_40,
]


def _ordered(question: Question) -> list[str]:
    """The fields that a question compares with < or >, which are mapped as double."""
    terms = nodes.terms_of(question.expression)
    paths = [term.target.steps for term in terms if getattr(term, "is_ordering", False)]  # type: ignore[union-attr]
    return sorted({".".join(map(str, path)) for path in paths})


def _filled(server: OpenSearch, index: str, doubles: Sequence[str], texts: Sequence[str]) -> None:
    """An index with the events as documents, mapped as the export asks for."""
    properties: dict[str, Any] = {}
    for name in doubles:
        inner = properties
        *parents, last = name.split(".")
        for parent in parents:
            inner = inner.setdefault(parent, {"properties": {}})["properties"]
        inner[last] = {"type": "double", "ignore_malformed": True}
    template = {"keywords": {"match": "*", "match_mapping_type": "*", "mapping": {"type": "keyword"}}}
    objects = {"objects": {"match": "*", "match_mapping_type": "object", "mapping": {"type": "object"}}}
    mappings = {"dynamic_templates": [objects, template], "properties": properties}
    server.ask(
        "PUT",
        f"/{index}",
        {"settings": {"number_of_shards": 1, "number_of_replicas": 0}, "mappings": mappings},
    )
    lines = [
        line
        for number, text in enumerate(texts)
        for line in (json.dumps({"index": {"_id": str(number)}}), text)
    ]
    answer = _posted(server, f"/{index}/_bulk?refresh=true", lines)
    assert [item["index"]["error"] for item in answer["items"] if "error" in item["index"]] == []


def _posted(server: OpenSearch, path: str, lines: Sequence[str]) -> Any:
    body = "".join(f"{line}\n" for line in lines).encode()
    request = urllib.request.Request(server.url + path, body, {"Content-Type": "application/x-ndjson"})
    with urllib.request.urlopen(request, timeout=stretched(120)) as answer:
        return json.loads(answer.read())


def _found(server: OpenSearch, index: str, asked: Sequence[Question]) -> list[set[int]]:
    lines = []
    for one in asked:
        search = json.loads(one.export.text)[one.rule.id] | {"size": 10_000, "_source": False}
        lines += ["{}", json.dumps(search)]
    answers = _posted(server, f"/{index}/_msearch", lines)["responses"]
    assert [answer["error"] for answer in answers if "error" in answer] == []
    return [{int(hit["_id"]) for hit in answer["hits"]["hits"]} for answer in answers]


def test_the_documents_found_are_the_events_matched(
    opensearch: OpenSearch, record_property: Callable[[str, object], None]
) -> None:
    draw = random.Random(1)
    texts = list(islice(events(draw, dict.fromkeys([*_TEXTS, *_NUMBERS]), _ARRAYS, _PARENTS), 250))
    by_mapping: dict[str, list[Question]] = defaultdict(list)
    for one in questions(400, patterns(draw, _TEXTS, _NUMBERS), exporter.export, ExportTarget()):
        by_mapping[" ".join(_ordered(one))].append(one)
    pairs = 0
    for number, (doubles, asked) in enumerate(by_mapping.items()):
        index = f"exported-{number}"
        _filled(opensearch, index, doubles.split(), texts)
        pairs += compare(asked, texts, _found(opensearch, index, asked), EXCUSES)
    record_property("pairs", pairs)
