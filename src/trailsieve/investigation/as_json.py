"""An investigation as plain JSON values; docs/investigate.md describes the shape."""

from __future__ import annotations

import re
from typing import Any

import msgspec

from trailsieve import jsontext
from trailsieve.formats import native
from trailsieve.investigation.model import Investigation
from trailsieve.model import Alert

_DEEPEST = 200  # levels that JSON libraries can write
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]', re.DOTALL)


def as_json(found: Investigation) -> dict[str, Any]:
    """Returns the fields of `Investigation` by name, alerts in the native format."""
    shape = {name: _plain(value) for name, value in msgspec.structs.asdict(found).items()}
    return shape | {
        "verdict": found.verdict.sentences,
        "appendix": [{"label": label, "text": text} for label, text in found.appendix],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Alert):
        return _alert(value)
    if isinstance(value, msgspec.Struct):
        return {name: _plain(inner) for name, inner in msgspec.structs.asdict(value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value


def _alert(alert: Alert) -> dict[str, Any]:
    fields = msgspec.json.decode(
        native.encode(msgspec.structs.replace(alert, records=())), type=dict[str, Any]
    )
    records = [_record(text) for text in alert.records[: native.MAX_RECORDS]]
    return fields | {"records": records, "records_omitted": max(0, alert.count - len(records))}


def _record(text: bytes) -> Any:
    """The record's value; its text if it is nested too deep for JSON libraries."""
    if text.count(b"{") + text.count(b"[") > _DEEPEST and _depth(text) > _DEEPEST:
        return text.decode("utf-8", "replace")
    try:
        return msgspec.json.decode(text)
    except jsontext.REFUSALS:
        return jsontext.decode(text)


def _depth(text: bytes) -> int:
    depth = deepest = 0
    for mark in _MARKS.finditer(text):
        depth += (mark[0] in b"[{") - (mark[0] in b"]}")
        deepest = max(deepest, depth)
    return deepest
