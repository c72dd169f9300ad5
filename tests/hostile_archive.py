"""An archive whose every text is an attack, and its twin of plain texts, which must be shown alike.

An intrusion is told twice: as it was, and once for each field of each of its records, with a hostile text in that
field. In the twin the texts are harmless, and of the same length.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.investigation.night import Record, assumes, call, denied, makes_key, session, user

MARKUP = "</script><script>alert(1)</script><img src=x onerror=alert(2)>&\"'`{{7*7}}${7*7}{%x%}<!--]]>"
LINK = "[a](javascript:alert(1))![b](http://192.0.2.1/c)|`~*_#\\<http://192.0.2.1>@all"
ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b]8;;http://192.0.2.1\x1b\\x\x9b31m\x9d0;y\x9c\r\b\x7f\0\n\t\x85"
FORMULA = "=cmd|' /C calc'!A0;+1,\"-1\"@SUM(1)"
DIRECTION = "\u202egnp\u2066\u200f\u200b\u2028\u2029\ufeff\u061c\U000e0041"
MARKS = "a" + "\u0301\u0489" * 40
SURROGATES = "\ud800x\udfff"
LONG = "W" * 2**20

PAYLOADS = {
    "markup": MARKUP, "link": LINK, "escapes": ESCAPES, "formula": FORMULA, "direction": DIRECTION,
    "marks": MARKS, "surrogates": SURROGATES,
}


def plain(text: str) -> str:
    """A harmless text of the same length."""
    return "".join(" " if each.isspace() else each if each in "/:.," or (each.isascii() and each.isalnum()) else "x" for each in text)


def story() -> list[Record]:
    """An intrusion by a stolen key, in which every kind of name stands somewhere."""
    mia = user("mia", "AKIAMIA0000000000001", "203.0.113.9")
    admin = session("admin", "mia", "203.0.113.9", "ASIAADMIN00000000001")
    policy = '{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*", "Principal": "*"}]}'
    bucket = {"bucketName": "ledger", "key": "2026/a.csv"}
    refused = "User: arn:aws:iam::444455556666:user/mia is not authorized to perform: iam:PutUserPolicy on resource: user mia"
    opened = {"groupId": "sg-1", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}}
    return [
        *(denied(mia, n, "s3:GetBucketPolicy", {"bucketName": f"b{n}"}) for n in range(3)),
        call(mia, 4, "iam:PutUserPolicy", {"userName": "mia", "policyName": "all"}, errorCode="AccessDenied", errorMessage=refused),
        assumes(mia, 5, admin),
        call(admin, 6, "iam:PutUserPolicy", {"userName": "mia", "policyName": "all", "policyDocument": policy}),
        makes_key(admin, 7, "joe", "AKIAJOE0000000000001"),
        call(user("joe", "AKIAJOE0000000000001", "203.0.113.9"), 8, "s3:GetObject", bucket, resources=[{"ARN": "arn:aws:s3:::ledger", "type": "AWS::S3::Bucket", "accountId": "444455556666"}]),
        call(admin, 9, "ec2:AuthorizeSecurityGroupIngress", opened),
        call(admin, 10, "cloudtrail:StopLogging", {"name": "arn:aws:cloudtrail:eu-west-1:444455556666:trail/all"}),
    ]


def records(payload: str) -> Iterator[Record]:
    """The story, and one record for each place of each of its records that holds the payload there."""
    plainly = story()
    yield from plainly
    for number, record in enumerate(plainly):
        if number in (1, 2):
            continue
        for place, path in enumerate(leaves(record)):
            for how, text in enumerate(("{0}{1}", "{1}{0}")):
                spoilt = copy.deepcopy(record)
                put(spoilt, path, text.format(payload, value_at(spoilt, path)))
                if path != ("eventID",):
                    spoilt["eventID"] = f"{number}-{place}-{how}"
                yield spoilt
        for place, path in enumerate(keys(record)):
            spoilt = copy.deepcopy(record)
            parent = value_at(spoilt, path[:-1])
            parent[payload + path[-1]] = parent.pop(path[-1])
            spoilt["eventID"] = f"{number}-key-{place}"
            yield spoilt


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all texts."""
    if isinstance(value, str):
        yield path
    for name, each in _items(value):
        yield from leaves(each, (*path, name))


def keys(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all members of objects."""
    for name, each in _items(value):
        if isinstance(value, dict):
            yield (*path, name)
        yield from keys(each, (*path, name))


def _items(value: Any) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        return list(value.items())
    return list(enumerate(value)) if isinstance(value, list) else []


def value_at(record: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        record = record[step]
    return record


def put(record: Any, path: tuple[Any, ...], value: Any) -> None:
    value_at(record, path[:-1])[path[-1]] = value


def write(folder: Path, payload: str, made: list[Record] | None = None) -> Path:
    """The archive in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps({"Records": made if made is not None else list(records(payload))}, separators=(",", ":"))
    (folder / "trail.json").write_text(text, encoding="utf-8")
    return folder
