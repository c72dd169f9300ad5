"""An investigation as plain JSON values; docs/investigate.md describes the shape."""

from __future__ import annotations

from typing import Any

import msgspec

from trailsieve.formats import native
from trailsieve.investigation.model import Investigation
from trailsieve.model import Alert


def as_json(found: Investigation) -> dict[str, Any]:
    """Returns the fields of `Investigation` by name, alerts in the native format."""
    shape = {name: _plain(value) for name, value in msgspec.structs.asdict(found).items()}
    return shape | {
        "verdict": found.verdict.sentences,
        "appendix": [{"label": label, "text": text} for label, text in found.appendix],
    }


def _plain(value: Any) -> Any:
    if isinstance(value, Alert):
        return msgspec.json.decode(native.encode(value))
    if isinstance(value, msgspec.Struct):
        return {name: _plain(inner) for name, inner in msgspec.structs.asdict(value).items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
