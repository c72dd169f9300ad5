"""What a process knows of the records that it saw, so that equal ones cost little.

Groups and variants are found by hashes, which are the same in all processes of a run: they are forks of one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Raw
from msgspec.structs import replace

from trailsieve import jsontext
from trailsieve.errors import UnreadableError
from trailsieve.investigation.calls import failed_sign_in, is_folded_whole
from trailsieve.investigation.grants import gives
from trailsieve.investigation.model import Call
from trailsieve.investigation.touched import RAW, telling, touched

_encode = msgspec.msgpack.Encoder().encode
Texts = Sequence[Any]  # the fields of `RAW` as JSON text


class Variant:
    """A call with its rules, targets and effect.

    Attributes:
        number: the same for the same call.
        encoded: the call, without count and times.
        place: the account and region.
    """

    __slots__ = ("encoded", "number", "place")

    def __init__(self, call: Call) -> None:
        self.number = hash(identity_of(call))
        self.encoded = _encode(call)
        self.place = (call.account, call.region)


class Whole(list[Any]):
    """The times of equal calls that are folded whenever they were.

    Attributes:
        where: the object of the first record, and its number there.
    """

    __slots__ = ("variant", "where")

    def __init__(self, variant: Variant) -> None:
        self.variant = variant
        self.where = ("", 0)


class Group:
    """Records that differ in nothing but time, what they touched, and the rules that match them.

    Attributes:
        whole: the times of those that no rule matches, if they are folded whenever they were.
        gives: whether the call may give access to somebody.
        telling: which of `RAW` say what the call touched.
    """

    __slots__ = ("call", "gives", "number", "telling", "whole")

    def __init__(self, call: Call, number: int) -> None:
        self.call = call
        self.number = number
        self.whole = Whole(Variant(call)) if is_folded_whole(call) else None
        self.gives = gives(call)
        self.telling = telling(call.event_source, call.event_name, failed=bool(call.error_code))

    def variant(self, record: bytes, rules: tuple[str, ...]) -> Variant:
        """Returns the variant of a record with these rules."""
        return Variant(detailed(self.call, jsontext.decode_object(record) or {}, rules))


def detailed(call: Call, content: Mapping[str, Any], rules: tuple[str, ...]) -> Call:
    """Returns the call with what a decoded record of it says of targets, effect and outcome."""
    error = call.error_code or failed_sign_in(content)
    targets, effect = touched(content)
    return replace(call, rules=rules, targets=targets, effect=effect, error_code=error)


def decoded(texts: Texts) -> Mapping[str, Any]:
    """Returns the values of the fields of `RAW`."""
    return {name: _decode(text) for name, text in zip(RAW, texts, strict=True) if text.__class__ is Raw}


def _decode(text: Raw) -> Any:
    try:
        return jsontext.decode(bytes(text))
    except UnreadableError:
        return None


def identity_of(call: Call) -> tuple[Any, ...]:
    """What equal calls have in common, apart from the ten minutes."""
    return (
        call.actor,
        call.account,
        call.region,
        call.source_ip,
        call.user_agent,
        call.event_source,
        call.event_name,
        call.error_code,
        call.read_only,
        call.targets,
        call.effect,
        call.rules,
    )
