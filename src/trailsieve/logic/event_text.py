"""Decoded values as JSON text that decodes to the same, down to the text of numbers."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

from trailsieve.pattern.runtime import text_of


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
    """A Decimal that is not a whole number's digits keeps a fraction, which its text has too (rule 35)."""
    text = str(value)
    return f"{text}.0" if text.lstrip("-").isdigit() and text_of(value) != text else text
