"""What the engine does with messages that a source leaves unread."""

from __future__ import annotations

from collections.abc import Iterable
from weakref import WeakKeyDictionary

from trailsieve.model import Message
from trailsieve.ports import Reader, Source

_readers: WeakKeyDictionary[Source, Reader] = WeakKeyDictionary()


def reader_of(source: Source) -> Reader:
    """The reader of a source, opened once."""
    if source not in _readers:
        assert source.open_reader
        _readers[source] = source.open_reader()
    return _readers[source]


def read(source: Source, messages: Iterable[Message]) -> list[Message]:
    """The messages with their payloads."""
    return [message if message.unread is None else reader_of(source).read(message) for message in messages]
