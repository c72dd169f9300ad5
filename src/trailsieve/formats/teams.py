"""An Adaptive Card for a Teams workflow's webhook (adaptivecards.io, version 1.4).

Texts are TextRuns, which ignore Markdown, so that no field can make a link.
"""

from __future__ import annotations

from typing import Any

import orjson

from trailsieve.errors import shorten
from trailsieve.formats import alert_fields, slack
from trailsieve.model import Alert

_COLOR = {
    "informational": "default",
    "low": "good",
    "medium": "warning",
    "high": "attention",
    "critical": "attention",
}


def document(alert: Alert) -> dict[str, Any]:
    """A title, a summary, and one line per known field."""
    title = {"size": "large", "weight": "bolder", "color": _COLOR[alert.severity]}
    body = [_line(_run(f"{alert.severity}: {shorten(alert.title, 300)}", **title))]
    body.append(_line(_run(shorten(alert_fields.summary(alert), 500))))
    body += [
        _line(_run(f"{name}: ", weight="bolder"), _run(text)) for name, text in slack.labelled_fields(alert)
    ]
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": body,
    }
    attachment = {
        "contentType": "application/vnd.microsoft.card.adaptive",
        "contentUrl": None,
        "content": card,
    }
    return {"type": "message", "attachments": [attachment]}


def encode(alert: Alert) -> bytes:
    """The message as JSON."""
    return orjson.dumps(document(alert))


def _line(*runs: dict[str, Any]) -> dict[str, Any]:
    return {"type": "RichTextBlock", "inlines": list(runs)}


def _run(text: str, **style: str) -> dict[str, Any]:
    return {"type": "TextRun", "text": text, **style}
