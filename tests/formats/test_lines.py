"""CEF and LEEF read back: no text of a record can forge a field, a header or a line."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given, settings

from tests.examples import examples
from tests.formats.alerts import ALARM, KINDS, MATCH, alerts
from trailsieve.formats import cef, leef
from trailsieve.model import Alert

_CEF_KEYS = {
    *(
        "externalId",
        "rt",
        "start",
        "end",
        "cat",
        "act",
        "cnt",
        "msg",
        "suid",
        "suser",
        "src",
        "shost",
        "c6a2",
    ),
    *("c6a2Label", "requestClientApplication", "sourceServiceName", "outcome", "reason"),
    *("duser", "flexString1", "flexString1Label", "flexString2", "flexString2Label"),
    *(f"cs{number}{label}" for number in range(1, 7) for label in ("", "Label")),
}
_LEEF_KEYS = {
    *("devTime", "sev", "cat", "src", "identHostName", "usrName", "accountName", "alertId", "kind", "state"),
    *("title", "msg", "principal", "eventName", "eventSource", "errorCode", "region", "userAgent", "count"),
    *("windowStart", "windowEnd", "dimensions", "tags", "reference", "provisional", "confirms", "replaces"),
    *("resource", "effect"),
}


def read_cef(line: str) -> tuple[list[str], dict[str, str]]:
    """Header and extension, by the words of ArcSight's standard: a key begins where ` key=` stands unescaped."""
    parts = re.split(r"(?<!\\)((?:\\\\)*)\|", line, maxsplit=7)
    header = [parts[i] + (parts[i + 1] if i + 1 < len(parts) else "") for i in range(0, 14, 2)]
    extension = parts[14]
    found = list(re.finditer(r"(?:^|(?<= ))(\w+)=", extension))
    fields: dict[str, str] = {}
    for number, key in enumerate(found):
        end = found[number + 1].start() - 1 if number + 1 < len(found) else len(extension)
        assert key[1] not in fields, f"{key[1]} stands there twice"
        fields[key[1]] = unescape(extension[key.end() : end])
    return [unescape(part) for part in header], fields


def unescape(text: str) -> str:
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "r": "\r"}.get(found[1], found[1]), text)


def read_leef(line: str) -> tuple[list[str], dict[str, str]]:
    *header, attributes = line.split("|", 6)
    assert header[5] == "x09"
    fields: dict[str, str] = {}
    for attribute in attributes.split("\t"):
        key, equals, text = attribute.partition("=")
        assert equals
        assert key not in fields
        fields[key] = text
    return header, fields


def harmless(line: str) -> None:
    """One line of text in reading order."""
    assert len(line.splitlines()) == 1
    assert not [c for c in line if unicodedata.category(c) in ("Cc", "Cf", "Zl", "Zp") and c != "\t"]


@settings(max_examples=examples(300))
@given(alerts)
def test_cef_holds_what_the_alert_holds_and_nothing_else(alert: Alert) -> None:
    line = cef.encode(alert).decode()
    harmless(line)
    assert "\t" not in line
    header, fields = read_cef(line)
    assert header[0] == "CEF:0"
    assert header[4:6] == [alert.rule, alert.title]
    assert fields.keys() <= _CEF_KEYS
    assert fields["externalId"] == alert.id
    agent = (alert.user_agent or "")[:1023]
    assert plain(fields.get("requestClientApplication", "")) == plain(agent)


@settings(max_examples=examples(300))
@given(alerts)
def test_leef_holds_what_the_alert_holds_and_nothing_else(alert: Alert) -> None:
    line = leef.encode(alert).decode()
    harmless(line)
    header, fields = read_leef(line)
    assert header[:2] == ["LEEF:2.0", "trailsieve"]
    assert header[4] == alert.rule
    assert fields.keys() <= _LEEF_KEYS
    assert fields["alertId"] == alert.id
    assert plain(fields.get("userAgent", "")) == plain((alert.user_agent or "")[:1024])


def plain(text: str) -> str:
    """The characters of a text that both formats keep as they are."""
    return "".join(c for c in text if c.isprintable() and c not in " �⏎␍")


@pytest.mark.parametrize("alert", KINDS.values(), ids=KINDS)
def test_greatest_lengths_of_the_cef_dictionary(alert: Alert) -> None:
    _, fields = read_cef(cef.encode(alert).decode())
    assert len(fields["externalId"]) <= 40
    assert all(len(text) <= 1023 for key, text in fields.items() if not key.startswith("cs"))


def test_the_header_too_is_escaped() -> None:
    from msgspec.structs import replace

    forged = replace(MATCH, title="a|b\\|c\nCEF:0|x", rule="r|s")
    header, fields = read_cef(cef.encode(forged).decode())
    assert header[4:6] == ["r|s", "a|b\\|c⏎CEF:0|x"]
    assert read_leef(leef.encode(forged).decode())[0][4] == "r¦s"
    assert fields["src"] == "198.51.100.31"


def test_an_alarm_tells_its_window_and_state() -> None:
    _, fields = read_cef(cef.encode(ALARM).decode())
    assert (fields["start"], fields["end"]) == ("1773454200000", "1773454500000")
    assert fields["outcome"] == "ALARM"
    assert fields["cnt"] == "41"
