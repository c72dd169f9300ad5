"""An archive with an attack in every text, and its twin with plain texts, which must be shown alike.

An intrusion is told as it was, and once more for each text and each name of a member in its records, with a
hostile text there, of one kind after the other.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from itertools import cycle
from typing import Any

from tests.investigation.night import Record, assumes, call, denied, makes_key, session, user

PAYLOADS = (
    "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\"'`{{7*7}}${7*7}{%x%}<!--]]>",
    "[a](javascript:alert(1))![b](http://192.0.2.1/c)|`~*_#\\<http://192.0.2.1>@all",
    "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://192.0.2.1\x1b\\x\x9b31m\x9d0;y\x9c\r\b\x7f\0\n\t\x85",
    "=cmd|' /C calc'!A0",
    '+1,"-1";@SUM(1)',
    "\t@SUM(1)\r\n-2",
    "\uff1d1\u202egnp\u2066\u200f\u200b\u2028\u2029\ufeff\u061c\U000e0041",
    "a" + "\u0301\u0489" * 40,
    "\ud800x\udfff",
)
_UNTOUCHED = ("eventTime",)  # without it there is no order, in either archive
_ALIKE = "/:., "  # what separates the parts of names


def plain(text: str) -> str:
    """A harmless text of the same length and with the same parts."""
    kept = (" " if each.isspace() else each for each in text)
    return "".join(each if each in _ALIKE or (each.isascii() and each.isalnum()) else "x" for each in kept)


def records(*, hostile: bool) -> list[Record]:
    """The records of the archive, or those of its twin."""
    payloads = cycle(PAYLOADS if hostile else map(plain, PAYLOADS))
    found = [*_story()]
    for number, path in enumerate(_places()):
        for text in ("{0}{1}", "{1}{0}"):
            payload = next(payloads)
            record = copy.deepcopy(path.record)
            path.put(record, lambda old, text=text, payload=payload: text.format(payload, old))
            if path.steps != ("eventID",):
                record["eventID"] = f"{number}{text[1]}"
            found.append(record)
    return found


class _Place:
    """A text, or the name of a member, in a record."""

    def __init__(self, record: Record, steps: tuple[Any, ...], *, is_name: bool) -> None:
        self.record, self.steps, self._is_name = record, steps, is_name

    def put(self, record: Record, change: Any) -> None:
        """Changes the text in a copy of the record."""
        parent: Any = record
        for step in self.steps[:-1]:
            parent = parent[step]
        last = self.steps[-1]
        if self._is_name:
            parent[change(last)] = parent.pop(last)
        else:
            parent[last] = change(parent[last])


def _places() -> Iterator[_Place]:
    """Each place once for each kind of call and caller."""
    seen = set()
    for record in _story():
        for steps, is_name in _steps(record):
            mark = steps, is_name, len(steps) == 1 or (record["eventName"], record["userIdentity"]["type"])
            if steps[0] not in _UNTOUCHED and mark not in seen:
                seen.add(mark)
                yield _Place(record, steps, is_name=is_name)


def _steps(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], bool]]:
    if isinstance(value, str):
        yield path, False
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, each in items:
        if isinstance(name, str):
            yield (*path, name), True
        yield from _steps(each, (*path, name))


def _story() -> list[Record]:
    """An intrusion with a stolen key, in which every kind of name stands somewhere."""
    mia = user("mia", "AKIAMIA0000000000001", "203.0.113.9")
    joe = user("joe", "AKIAJOE0000000000001", "203.0.113.9")
    admin = session("admin", "mia", "203.0.113.9", "ASIAADMIN00000000001")
    document = json.dumps({"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})
    policy = {"userName": "mia", "policyName": "all", "policyDocument": document}
    bucket = {"ARN": "arn:aws:s3:::ledger", "type": "AWS::S3::Bucket", "accountId": "444455556666"}
    refused = f"User: {mia.arn} is not authorized to perform: iam:PutUserPolicy on resource: user mia"
    rule = {
        "ipProtocol": "tcp",
        "fromPort": 22,
        "toPort": 22,
        "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]},
    }
    return [
        *(denied(mia, n, "s3:GetBucketPolicy", {"bucketName": f"b{n}"}) for n in range(3)),
        call(mia, 4, "iam:PutUserPolicy", policy, errorCode="AccessDenied", errorMessage=refused),
        assumes(mia, 5, admin),
        call(admin, 6, "iam:PutUserPolicy", policy),
        makes_key(admin, 7, "joe", "AKIAJOE0000000000001"),
        call(joe, 8, "s3:GetObject", {"bucketName": "ledger", "key": "a.csv"}, resources=[bucket]),
        call(
            admin,
            9,
            "ec2:AuthorizeSecurityGroupIngress",
            {"groupId": "sg-1", "ipPermissions": {"items": [rule]}},
        ),
        call(
            admin,
            10,
            "cloudtrail:StopLogging",
            {"name": "arn:aws:cloudtrail:eu-west-1:444455556666:trail/all"},
        ),
    ]
