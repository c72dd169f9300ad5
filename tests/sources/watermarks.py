"""What a source says of its shards, in the order of its messages."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from trailsieve.model import Message
from trailsieve.ports import Source

NOW = 1000.0  # what the clock shows unless a test says otherwise
Said = str | tuple[str, float | None] | tuple[str, str]


def said(messages: Iterable[Message]) -> list[Said]:
    """The payload or name of each message, and of each watermark its shard and time, "ended" or "elsewhere"."""
    return [_said(message) for message in messages if message.watermark or not message.marker]


def _said(message: Message) -> Said:
    mark = message.watermark
    if mark is None:
        return message.payload.decode()
    if mark.elsewhere:
        return mark.shard, "elsewhere"
    return (mark.shard, "ended") if mark.ended else (mark.shard, mark.time)


def polled_until(source: Source, condition: Callable[[list[Said]], bool], polls: int = 200) -> list[Said]:
    """All that a source says until the condition holds of it."""
    heard: list[Said] = []
    for _ in range(polls):
        heard += said(source.poll())
        if condition(heard):
            return heard
    raise AssertionError(f"not in {polls} polls: {heard[-5:]}")
