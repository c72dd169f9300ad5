"""Decoded values as JSON text that decodes to the same, down to the text of numbers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from trailsieve import jsontext


def event_text(value: Any) -> str:
    """JSON text as a person would write it, on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_string(key)}: {event_text(child)}" for key, child in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(event_text, value)) + "]"
    if isinstance(value, Decimal):
        return _number(value)
    return _string(value) if isinstance(value, str) else json.dumps(value)


def _string(text: str) -> str:
    lone = any("\ud800" <= character <= "\udfff" for character in text)
    return json.dumps(text, ensure_ascii=lone or not text.isprintable())


def _number(value: Decimal) -> str:
    """`-0` as a whole number would lose its sign, and other Decimals may be read as whole numbers."""
    text = str(value)
    return f"{text}e0" if text.lstrip("-").isdigit() and str(jsontext.decode(text)) != text else text
