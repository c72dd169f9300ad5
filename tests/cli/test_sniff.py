"""`trailsieve sniff`: what a person is shown of envelopes."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path

from tests.cli.console import denied, trailsieve

RECORD = json.dumps(denied(1))
EVENT = '{"detail-type": "AWS API Call via CloudTrail", "detail": ' + RECORD + "}"
NOTIFICATION = json.dumps({"Type": "Notification", "Message": EVENT})


def test_the_envelopes_of_a_message() -> None:
    result = trailsieve("sniff", "-", stdin=base64.b64encode(gzip.compress(NOTIFICATION.encode())))
    assert result.code == 0
    names = [line.partition("  (")[0] for line in result.lines]
    assert names[:5] == ["<stdin>", "  base64", "    gzip", "      SNS", "        EventBridge"]
    assert result.lines[6] == "  → 1 record"
    assert "read-only management events" in result.lines[7]
    assert len(result.lines) == 8


def test_the_same_as_json_a_line_for_each_input(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    first.write_text(NOTIFICATION)
    second.write_bytes(b"\n".join(base64.b64encode(text) for text in (RECORD.encode(), b'{"odd": 1}')))
    result = trailsieve("sniff", "--format", "json", first, second)
    assert result.code == 1
    one, two = result.objects
    assert one["file"] == str(first)
    assert [layer["name"] for layer in one["layers"]] == ["SNS", "EventBridge", "CloudTrail record"]
    assert (one["records"], one["problems"], len(one["advice"])) == (1, [], 1)
    assert (two["records"], len(two["problems"]), two["advice"]) == (1, 1, [])


def test_objects_control_messages_and_problems() -> None:
    place = {"bucket": {"name": "b"}, "object": {"key": "k%C3%A9", "size": 3}}
    created = {"eventSource": "aws:s3", "eventName": "ObjectCreated:Put", "s3": place}
    result = trailsieve("sniff", stdin=json.dumps({"Records": [created]}).encode())
    assert result.lines[-2:] == ["  → 1 S3 object", "    object s3://b/ké"]
    test_event = trailsieve("sniff", stdin=b'{"Service":"Amazon S3","Event":"s3:TestEvent"}')
    assert test_event.lines[-1] == "  → 1 control message"
    nothing = trailsieve("sniff", stdin=b"")
    assert nothing.code == 1
    assert nothing.lines[-1] == "    problem: empty: the payload has no bytes"


def test_no_control_character_reaches_a_terminal() -> None:
    place = {"bucket": {"name": "b\x1b[31m"}, "object": {"key": "k\x9b\u202e"}}
    event = {"detail-type": "Object Created", "detail": place}
    for payload in (json.dumps(event).encode(), b'{"\x1b[31m": 1}', b"\x1b]0;title\x07", b'{"\\u202e": 1}'):
        result = trailsieve("sniff", stdin=payload)
        assert all(line.isprintable() for line in result.lines), result.lines


def test_what_is_long_is_cut() -> None:
    lines = b"\n".join(b'{"k%d": 1}' % number for number in range(500))
    result = trailsieve("sniff", stdin=lines)
    assert len(result.lines) < 100
    assert "… 460 more problems" in result.lines[-1]


def test_no_such_file(tmp_path: Path) -> None:
    result = trailsieve("sniff", tmp_path / "no")
    assert result.code == 2
    assert "no such file" in result.err
