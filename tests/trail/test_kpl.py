"""Records packed by the Kinesis Producer Library: taken apart as its format says, damaged ones named."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.examples import examples
from tests.trail.aggregate import MAGIC, aggregated, field, message, sealed, varint
from trailsieve.errors import UnreadableError
from trailsieve.trail.kpl import deaggregate, is_aggregated

# Packed by aws_kinesis_agg 1.2.3, AWS's own library for Python: "one", "two" and 300 bytes of "é".
FROM_AWS = base64.b64decode(
    "84mawgoEa2V5MAoEa2V5MQoEa2V5MhoHCAAaA29uZRoHCAEaA3R3bxqxAggCGqwCw6nDqcOpw6nDqcOp"
    "w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOp"
    "w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOp"
    "w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOp"
    "w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOp"
    "w6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpw6nDqcOpg3M18xR6JBigkwnC"
    "2Nc3Ag=="
)


def test_what_the_library_of_aws_packed() -> None:
    assert is_aggregated(FROM_AWS)
    assert deaggregate(FROM_AWS) == [b"one", b"two", "é".encode() * 150]


@given(st.lists(st.binary(max_size=300), max_size=5), st.integers(1, 300), st.booleans())
@settings(max_examples=examples(100))
def test_what_was_packed_comes_out(records: list[bytes], keys: int, tags: bool) -> None:
    assert deaggregate(aggregated(records, keys=keys, tags=tags)) == records


def test_unknown_fields_of_every_wire_type_are_skipped() -> None:
    known = message([b"one"])
    odd = varint(9 << 3) + b"\x96\x01" + varint(9 << 3 | 1) + b"8 bytes " + varint(9 << 3 | 5) + b"four"
    assert deaggregate(sealed(odd + known + odd)) == [b"one"]


DAMAGED = {
    "checksum": (aggregated([b"one"])[:-1] + b"\0", "checksum"),
    "nothing but magic": (MAGIC, "checksum"),
    "too short": (MAGIC + b"\0" * 15, "checksum"),
    "cut": (aggregated([b"one"])[:20], "checksum"),
    "field too long": (sealed(varint(3 << 3 | 2) + varint(10) + b"x"), "longer than the message"),
    "number cut": (sealed(b"\xff"), "truncated number"),
    "number too long": (sealed(b"\xff" * 20), "truncated number"),
    "group": (sealed(varint(3 << 3 | 3)), "unknown wire type 3"),
    "inner": (sealed(field(3, varint(3 << 3 | 2) + varint(9) + b"x")), "longer than the message"),
}


@pytest.mark.parametrize(("payload", "reason"), DAMAGED.values(), ids=DAMAGED)
def test_damage_is_named(payload: bytes, reason: str) -> None:
    assert is_aggregated(payload)
    with pytest.raises(UnreadableError, match=reason):
        deaggregate(payload)


@given(st.binary(max_size=100))
@settings(max_examples=examples(300))
def test_no_sealed_bytes_raise_anything_else(content: bytes) -> None:
    try:
        records = deaggregate(sealed(content))
    except UnreadableError:
        return
    assert sum(map(len, records)) <= len(content)
