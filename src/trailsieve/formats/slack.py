"""A message for Slack's incoming webhooks (docs.slack.dev, "Formatting text for app surfaces").

`&`, `<` and `>` are escaped, so that no field can make a link or mention `@channel`; `verbatim` keeps Slack
from detecting links and names itself.
"""

from __future__ import annotations

from typing import Any

import orjson

from trailsieve.errors import shorten
from trailsieve.formats import alert_fields
from trailsieve.model import Alert

_ESCAPED = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;"})
_COLOR = {
    "informational": "#8d99ae",
    "low": "#2a9d8f",
    "medium": "#e9c46a",
    "high": "#f4a261",
    "critical": "#d62828",
}
_LONGEST = 500  # characters per field; Slack allows 2,000 in a field and 3,000 in a block


def document(alert: Alert) -> dict[str, Any]:
    """A summary, and the known fields below it."""
    lines = [{"type": "plain_text", "text": f"{name}: {text}"} for name, text in labelled_fields(alert)][:10]
    title = f"*{_text(alert.title)}* ({alert.severity})\n{_text(alert_fields.summary(alert))}"
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": title, "verbatim": True}}
    ]
    if lines:
        blocks.append({"type": "section", "fields": lines})
    text = _text(f"{alert.severity}: {alert_fields.summary(alert)}")
    return {"text": text, "attachments": [{"color": _COLOR[alert.severity], "blocks": blocks}]}


def encode(alert: Alert) -> bytes:
    """The message as JSON."""
    return orjson.dumps(document(alert))


def labelled_fields(alert: Alert) -> list[tuple[str, str]]:
    """Labels and texts of the fields to show to a person."""
    known = [
        ("Rule", alert.rule),
        ("State", f"{alert.state} (provisional)" if alert.provisional else alert.state),
        ("Time", alert.time),
        ("Account", alert.account),
        ("Region", alert.region),
        ("Principal", alert.principal),
        ("Source", alert.source_ip),
        ("Event", alert.event_name),
        ("Target", alert_fields.target_names(alert)),
        ("Effect", alert.effect),
        ("Error", alert.error_code),
        ("Alert", alert.id),
        ("User agent", alert.user_agent),
    ]
    return [(name, shorten(text, _LONGEST)) for name, text in known if text]


def _text(text: str) -> str:
    """Text that Slack shows unchanged: a zero-width space after `*` and the like disables formatting."""
    shown = shorten(text, _LONGEST).translate(_ESCAPED)
    return "".join(f"{c}\u200b" if c in "*_~`" else c for c in shown)
