"""Messages in every envelope, damaged in many ways, with clean ones between them."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random

from tests.cli.console import denied
from tests.trail.aggregate import aggregated
from tests.trail.test_envelopes import EVERY, OF_RECORD, b64, subscription, wrapped

_CLEAN_EVERY = 5
_LONGEST_TEXT = 100_000  # characters of a queue's message; it takes 256 KiB
_QUIET = b'{"eventVersion":"1.08","eventName":"ListUsers","eventID":"q","odd":"\xc3\xa9 \\u00e9 \\" }"}'
_TOKENS = [
    *(b'{"Records":[', b"]}", b"},{", b'"', b"\\", b"\\ud800", b"{", b"}", b"[", b"]", b",", b"\n", b"\0"),
    *(
        b"null",
        b"1e999",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\x1f\x8b\x08",
        b"\xf3\x89\x9a\xc2",
        b'"s3":',
        b'"Body":',
    ),
    *(b"[" * 3000, b'{"a":1}' * 2000, b"1," * 20_000, b" " * 10_000, gzip.compress(b'{"a":1}' * 200_000)),
]


def clean_record(number: int) -> bytes:
    """A record that one rule of cis-aws matches, different from all others."""
    return json.dumps(denied(number, eventTime="2026-03-14T02:00:00Z", eventVersion="1.08")).encode()


def many(records: Sequence[bytes], random: Random) -> bytes:
    """One payload with all these records."""
    forms: list[Callable[[], bytes]] = [
        lambda: b'{"Records":[' + b",".join(records) + b"]}",
        lambda: b"\n".join(records),
        lambda: b"".join(records),
        lambda: b"[" + b",".join(records) + b"]",
        lambda: aggregated(records),
        lambda: subscription(*[record.decode() for record in records]),
    ]
    return random.choice(forms)()


def enveloped(records: Sequence[bytes], random: Random) -> bytes:
    """These records in up to three envelopes."""
    inner = (
        OF_RECORD[random.choice(sorted(OF_RECORD))](records[0])
        if len(records) == 1
        else many(records, random)
    )
    return wrapped(inner, random.choices(sorted(EVERY), k=random.randrange(4)))


def damaged(payload: bytes, random: Random) -> bytes:
    """The payload after one to four random edits."""
    data = bytearray(payload)
    for _ in range(random.randint(1, 4)):
        place = random.randrange(len(data) + 1)
        end = min(len(data), place + random.choice([1, 1, 4, 40, 400]))
        match random.randrange(6):
            case 0:
                data[place:end] = random.randbytes(end - place)
            case 1:
                del data[place:end]
            case 2:
                del data[place:]
            case 3:
                data[place:place] = random.choice(_TOKENS)
            case 4:
                data[place:place] = data[place:end] * random.choice([1, 2, 50])
            case 5 if place < len(data):
                data[place] ^= 1 << random.randrange(8)
    return bytes(data)


def mutated(random: Random) -> bytes:
    """A message that matches no rule, damaged inside of its envelopes, outside of them, or both."""
    records = [_QUIET] * random.choice([1, 1, 2, 5])
    if random.random() < 0.5:
        records[0] = damaged(records[0], random)
    try:
        payload = enveloped(records, random)
    except UnicodeDecodeError:  # a string holds no bytes
        payload = gzip.compress(many([_QUIET, b64(records[0]).encode()], random))
    return damaged(payload, random) if random.random() < 0.8 else payload


@dataclass(frozen=True)
class Sent:
    """A message, and the record in it that must raise an alert; b"" if it is mutated."""

    payload: bytes
    record: bytes = b""

    def as_object(self, random: Random) -> bytes:
        """The same as an object of a trail, which is in no envelope but gzip."""
        if self.record:
            return gzip.compress(OF_RECORD["file"](self.record))
        log = OF_RECORD["file"](b",".join([_QUIET] * 3))
        return random.choice(
            [self.payload, damaged(gzip.compress(log), random), gzip.compress(damaged(log, random))]
        )

    def as_text(self) -> str:
        """The same as a queue can carry it: it takes text without control characters."""
        try:
            text = self.payload.decode()
        except UnicodeDecodeError:
            return b64(self.payload)
        allowed = "".join(c for c in text if c in "\t\n\r" or " " <= c < "\ud800" or "\ue000" <= c < "\ufffe")
        return allowed[:_LONGEST_TEXT] or " "


def mixture(count: int, first: int, random: Random) -> list[Sent]:
    """Messages, every fifth of them clean."""
    sent = []
    for number in range(first, first + count):
        if number % _CLEAN_EVERY:
            sent.append(Sent(mutated(random)))
        else:
            record = clean_record(number)
            sent.append(Sent(enveloped([record], random), record))
    return sent
