"""The page as bytes: what it shows, what it escapes, how large it is."""

from __future__ import annotations

import base64
import hashlib
import random
import re
import zlib
from typing import Any

import msgspec
import orjson
import pytest

from tests.report import factory
from trailsieve.investigation.model import AlertCount, Investigation, Verdict
from trailsieve.report import page
from trailsieve.report.redact import KINDS

HOSTILE = "</script><script>alert(1)</script>\u202e\x1b[31m=cmd|' /C calc'!A0"


def unpacked(html: bytes, name: str) -> Any:
    found = re.search(rf'id="{name}">([^<]*)<'.encode(), html)
    assert found
    return orjson.loads(zlib.decompress(base64.b64decode(found[1])))


def records_of(html: bytes) -> list[dict[str, Any]]:
    chunks = len(re.findall(rb'id="records-\d+"', html))
    return [detail for chunk in range(chunks) for _, detail in unpacked(html, f"records-{chunk}")]


def everything(html: bytes) -> str:
    """All that the page says, unpacked."""
    return html.decode() + orjson.dumps([unpacked(html, "data"), records_of(html)]).decode()


@pytest.fixture(scope="module")
def html() -> bytes:
    return page.render(factory.investigated())


def test_the_policy_allows_the_page_s_own_style_and_script_only(html: bytes) -> None:
    [policy] = re.findall(r'Content-Security-Policy" content="([^"]+)"', html.decode())
    parts = dict(part.strip().split(" ", 1) for part in policy.replace("&#39;", "'").split(";"))
    for tag, name in (("style", "style-src"), ("script", "script-src")):
        [text] = re.findall(rf"<{tag}(?: type=\"module\")?>(.*?)</{tag}>", html.decode(), re.DOTALL)
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert parts[name] == f"'sha256-{digest}'"
    assert parts["default-src"] == parts["connect-src"] == "'none'"
    assert 'style="' not in html.decode().split("<body>")[1]


def test_it_tells_verdict_suspects_and_stories_without_its_script(html: bytes) -> None:
    body = html.decode().split("<body>")[1].split('id="data"')[0]
    found = factory.investigated()
    for text in [*found.verdict.sentences, *(suspect.headline for suspect in found.suspects)]:
        assert text.replace("'", "&#39;") in body
    assert body.index("StopLogging") < body.index('id="timeline"')


def test_every_alert_is_a_row_or_in_a_count(html: bytes) -> None:
    data, found = unpacked(html, "data"), factory.investigated()
    assert sum(data["alerts"]["weights"]) == found.alert_count == len(found.alerts) > 50
    assert {detail["id"] for detail in records_of(html)} == {alert.id for alert in found.alerts}


def test_records_are_exact(html: bytes) -> None:
    records = {record.decode() for alert in factory.investigated().alerts for record in alert.records}
    shown = {record for detail in records_of(html) for record in detail["records"]}
    assert shown <= records
    assert len(shown) > 50


def test_explanations_are_shared_and_say_what_is_true(html: bytes) -> None:
    explanations, details = unpacked(html, "data")["explanations"], records_of(html)
    explained = [detail for detail in details if detail["why"] >= 0]
    assert len(explanations) < len(explained) / 2
    for detail in explained:
        lines = explanations[detail["why"]]
        assert lines[0]["holds"]
        assert sum(line["valued"] for line in lines) == len(detail["values"])


def test_the_navigator_layer_scores_techniques_by_alerts(html: bytes) -> None:
    layer = unpacked(html, "data")["layer"]
    assert layer["versions"]["layer"] == "4.5"
    scores = {technique["techniqueID"]: technique["score"] for technique in layer["techniques"]}
    tagged = [rule for rule in factory.replayed().fired if "attack.t1580" in rule.tags]
    assert scores["T1580"] == sum(rule.alerts for rule in tagged) > 30


def hostile() -> Investigation:
    """The same with hostile text wherever text comes from logs."""
    from trailsieve.report.mapped import mapped

    found = factory.investigated()

    def spoil(text: str) -> str:
        return HOSTILE + text if " " in text or ":" in text else text

    alerts = [
        msgspec.structs.replace(alert, principal=HOSTILE, user_agent="n" * 2**20) for alert in found.alerts
    ]
    spoilt = mapped(msgspec.structs.replace(found, fired=[], alerts=[]), spoil)
    return msgspec.structs.replace(spoilt, fired=found.fired, alerts=alerts)


def test_hostile_text_stays_text() -> None:
    html = page.render(hostile())
    text = html.decode()
    assert "&lt;/script&gt;&lt;script&gt;alert(1)&lt;/script&gt;�" in text
    assert "<script>alert" not in text
    assert len(re.findall("<script", text)) == len(re.findall("</script>", text))
    assert not re.search("[\u202e\x1b]", everything(html).split("const PAGE")[0])
    assert len(html) < 2_000_000


def test_redaction_leaves_no_original_value() -> None:
    found = factory.investigated()
    names = {"build-bot", "j.marlow", "inventory-scanner", "observability-poller"}
    keys = {key for suspect in found.suspects for one in suspect.identities for key in one.access_keys}
    addresses = {factory.INTRUDER, *(alert.source_ip for alert in found.alerts if alert.source_ip)}
    addresses = {address for address in addresses if not address.endswith(".com")}
    plain, text = everything(page.render(found)), everything(page.render(found, KINDS))
    for value in names | keys | addresses:
        assert value in plain
        assert value not in text
    assert "principal-1" in text
    assert "key-1" in text
    assert "ip-1" in text


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_is_redacted_alone(kind: str) -> None:
    text = everything(page.render(factory.investigated(), [kind]))  # type: ignore[list-item]
    present = {"keys": "AKIA", "ips": factory.INTRUDER, "principals": "j.marlow"}
    assert {name: value in text for name, value in present.items()} == {
        name: name != kind for name in present
    }


def test_a_hundred_thousand_alerts_take_two_megabytes() -> None:
    html = page.render(many(100_000))
    assert sum(unpacked(html, "data")["alerts"]["weights"]) == 100_000
    assert len(html) <= 2_000_000
    assert 500 < len(records_of(html)) < 3000
    assert "are listed without records" in html.decode()
    assert "97,000 alerts of 100,000 are counted by minute only" in html.decode()


def noise(number: int) -> bytes:
    """A record that cannot be compressed to less than half its size."""
    return b'{"eventID": "%s"}' % random.Random(number).randbytes(700).hex().encode()


def many(count: int) -> Investigation:
    """As many alerts: some thousand with records, the others counted by minute, principal and call."""
    found = factory.replayed()
    kept = [
        msgspec.structs.replace(
            found.alerts[number % len(found.alerts)], id=f"{number:032x}", records=(noise(number),)
        )
        for number in range(3000)
    ]
    counts: dict[tuple[str, str, str, str], int] = {}
    for number in range(count):
        day, minute = divmod(number // 9, 1440)
        key = (
            f"2026-04-{1 + day:02}T{minute // 60:02}:{minute % 60:02}",
            found.fired[number % len(found.fired)].rule,
            f"arn:aws:sts::111122223333:assumed-role/role-{number * 7919 % 400}/session-{number * 31 % 5000}",
            f"Event{number * 101 % 300}",
        )
        counts[key] = counts.get(key, 0) + 1
    listed = [AlertCount(*key, each) for key, each in counts.items()]
    rest = sum(each.count for each in listed) - (count - len(kept))
    while rest:  # as many as are kept
        taken = min(rest, listed[-1].count)
        listed[-1].count -= taken
        rest -= taken
        if not listed[-1].count:
            listed.pop()
    return msgspec.structs.replace(
        found, alerts=kept, counts=listed, alert_count=count, last="2026-04-30T00:00:00Z"
    )


def test_an_investigation_without_anything_is_a_page() -> None:
    empty = Investigation(Verdict(["Nothing."]), [], [], [], [], [], 0, 0, "", "", [])
    text = page.render(empty).decode()
    assert "Nothing." in text
    assert "no times known" in text
