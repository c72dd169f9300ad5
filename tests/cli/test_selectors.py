"""Options that select events: the same answer as a filter over the records, alone and mixed, in every command."""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.cli.console import Record, denied, log_file, trailsieve
from tests.examples import examples
from trailsieve.times import iso_time

ARCHIVE = Path(__file__).parents[2] / "samples" / "archive"
BOT = "arn:aws:iam::111122223333:user/build-bot"
Holds = Callable[[Record], bool]


@cache
def records() -> list[Record]:
    """The records of the archive, with no selection."""
    return trailsieve("match", "", ARCHIVE).objects


def identity(record: Record) -> dict[str, Any]:
    return record.get("userIdentity") or {}


def issuer(record: Record) -> dict[str, Any]:
    return (identity(record).get("sessionContext") or {}).get("sessionIssuer") or {}


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | dict):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from texts(inner)


def named(record: Record) -> set[str]:
    return {
        text
        for field in ("resources", "requestParameters", "responseElements")
        for text in texts(record.get(field))
    }


def within(text: str) -> Holds:
    def holds(record: Record) -> bool:
        try:
            return ipaddress.ip_address(record["sourceIPAddress"]) in ipaddress.ip_network(text)
        except ValueError:
            return False

    return holds


def time(text: str) -> Any:
    found = iso_time(text)
    assert found is not None
    return found


ROWS: list[tuple[str, str, Holds]] = [
    ("--principal", BOT, lambda r: identity(r).get("arn") == BOT),
    ("--principal", "build-bot", lambda r: identity(r).get("userName") == "build-bot"),
    ("--principal", "user/build-bot", lambda r: identity(r).get("userName") == "build-bot"),
    ("--principal", "111122223333:user/build-bot", lambda r: identity(r).get("userName") == "build-bot"),
    ("--principal", "BUILD-BOT", lambda r: False),
    ("--principal", "uild-bot", lambda r: False),
    ("--principal", "build-*", lambda r: str(identity(r).get("userName")).startswith("build-")),
    ("--principal", "root", lambda r: identity(r).get("type") == "Root"),
    ("--principal", "inventory-scanner", lambda r: issuer(r).get("userName") == "inventory-scanner"),
    ("--principal", "orders-worker", lambda r: "orders-worker" in str(identity(r).get("arn"))),
    ("--principal", "nightly", lambda r: str(identity(r).get("arn")).endswith("/nightly")),
    (
        "--principal",
        "arn:aws:sts::*:assumed-role/inventory-scanner/*",
        lambda r: ":assumed-role/inventory-scanner/" in str(identity(r).get("arn")),
    ),
    (
        "--principal",
        "arn:aws:iam::777788889999:role/inventory-scanner",
        lambda r: issuer(r).get("arn") == "arn:aws:iam::777788889999:role/inventory-scanner",
    ),
    (
        "--access-key",
        "AKIAQ7W5TBN2KEXAMPLE",
        lambda r: identity(r).get("accessKeyId") == "AKIAQ7W5TBN2KEXAMPLE",
    ),
    ("--access-key", "ASIA*", lambda r: str(identity(r).get("accessKeyId")).startswith("ASIA")),
    ("--ip", "203.0.113.77", lambda r: r["sourceIPAddress"] == "203.0.113.77"),
    ("--ip", "203.0.113.0/24", within("203.0.113.0/24")),
    ("--ip", "203.0.113.64/27", within("203.0.113.64/27")),
    ("--ip", "192.0.0.0/3", within("192.0.0.0/3")),
    ("--ip", "0.0.0.0/0", within("0.0.0.0/0")),
    ("--ip", "203.0.113.*", within("203.0.113.0/24")),
    ("--ip", "config.amazonaws.com", lambda r: r["sourceIPAddress"] == "config.amazonaws.com"),
    ("--ip", "*.amazonaws.com", lambda r: r["sourceIPAddress"].endswith(".amazonaws.com")),
    ("--event", "ConsoleLogin", lambda r: r["eventName"] == "ConsoleLogin"),
    ("--event", "Describe*", lambda r: r["eventName"].startswith("Describe")),
    ("--event", "*e*y*", lambda r: "e" in r["eventName"] and "y" in r["eventName"].partition("e")[2]),
    (
        "--resource",
        "orders-worker",
        lambda r: (
            any(t.startswith("arn:") and t.endswith("/orders-worker") for t in named(r))
            or "orders-worker" in named(r)
        ),
    ),
    ("--resource", "exampleorg-billing-exports", lambda r: "exampleorg-billing-exports" in named(r)),
    (
        "--resource",
        "arn:aws:iam::*",
        lambda r: any(t.startswith("arn:aws:iam::") for t in named(r)),
    ),
    ("--resource", "*policy*", lambda r: any("policy" in t for t in named(r))),
    ("--pattern", '{ $.errorCode = "*" }', lambda r: isinstance(r.get("errorCode"), str)),
    ("--pattern", '{ $.eventSource = "iam*" }', lambda r: r["eventSource"].startswith("iam")),
    ("--pattern", "Firefox", lambda r: "Firefox" in json.dumps(r)),
    ("--account", "111122223333", lambda r: r["recipientAccountId"] == "111122223333"),
    ("--region", "us-east-1", lambda r: r["awsRegion"] == "us-east-1"),
    ("--region", "eu-central-1", lambda r: r["awsRegion"] == "eu-central-1"),
    ("--since", "2026-03-14T02:48:05Z", lambda r: time(r["eventTime"]) >= time("2026-03-14T02:48:05Z")),
    ("--until", "2026-03-14T02:48:05Z", lambda r: time(r["eventTime"]) < time("2026-03-14T02:48:05Z")),
]
RULES = ("--rules", "cis-aws")


def ids(answer: list[Any]) -> list[str]:
    return [record["eventID"] for record in answer]


def in_time(answer: list[Any]) -> list[str]:
    """The ids in the order of time, those of events that were delivered twice once."""
    return list(dict.fromkeys(ids(sorted(answer, key=lambda record: time(record["eventTime"])))))


@cache
def all_alerts() -> list[Any]:
    return trailsieve("replay", ARCHIVE, *RULES, "--workers", "1").objects


@pytest.mark.parametrize(("option", "value", "holds"), ROWS, ids=[f"{o} {v}" for o, v, _ in ROWS])
def test_a_selector_selects_what_its_record_says(option: str, value: str, holds: Holds) -> None:
    expected = ids(list(filter(holds, records())))
    assert ids(trailsieve("match", option, value, ARCHIVE).objects) == expected
    assert trailsieve("match", "--count", option, value, ARCHIVE).out == b"%d\n" % len(expected)
    listed = trailsieve("investigate", option, value, ARCHIVE, "--format", "jsonl", "--workers", "1").objects
    assert ids(listed) == in_time(list(filter(holds, records())))
    if option != "--pattern":  # a rule of its own in `replay`
        alerts = trailsieve("replay", option, value, ARCHIVE, *RULES, "--workers", "1").objects
        assert alerts == [alert for alert in all_alerts() if holds(alert["records"][0])]


def test_the_rows_tell_right_from_wrong() -> None:
    """Most rows select some records of the archive and not all."""
    counts = [sum(map(holds, records())) for _, _, holds in ROWS]
    assert sum(0 < count < len(records()) for count in counts) >= len(ROWS) - 2


def together(rows: list[tuple[str, str, Holds]]) -> Holds:
    """Values of one option are alternatives, different options must all hold."""
    by_option: dict[str, list[Holds]] = {}
    for option, _, holds in rows:
        by_option.setdefault(option, []).append(holds)
    return lambda record: all(any(holds(record) for holds in each) for each in by_option.values())


MIXES = st.lists(
    st.sampled_from([row for row in ROWS if row[0] not in ("--since", "--until")]), min_size=2, max_size=5
)


@given(MIXES)
@settings(max_examples=examples(60), deadline=None)
def test_a_mix_of_selectors_selects_what_their_records_say(rows: list[tuple[str, str, Holds]]) -> None:
    options = [text for option, value, _ in rows for text in (option, value)]
    holds = together(rows)
    expected = list(filter(holds, records()))
    assert ids(trailsieve("match", *options, ARCHIVE).objects) == ids(expected)
    listed = trailsieve("investigate", *options, ARCHIVE, "--format", "jsonl", "--workers", "1").objects
    assert ids(listed) == in_time(expected)


@given(MIXES)
@settings(max_examples=examples(30), deadline=None)
def test_a_mix_of_selectors_leaves_the_alerts_whose_records_it_selects(
    rows: list[tuple[str, str, Holds]],
) -> None:
    rows = [row for row in rows if row[0] != "--pattern"]
    options = [text for option, value, _ in rows for text in (option, value)]
    holds = together(rows)
    alerts = trailsieve("replay", *options, ARCHIVE, *RULES, "--workers", "1").objects
    assert alerts == [alert for alert in all_alerts() if holds(alert["records"][0])]


@pytest.mark.parametrize(
    "pattern",
    ['{ $.eventName = "Create*" }', "{ $.errorCode NOT EXISTS }", "AccessDenied", "%^.{2000}%", ""],
)
def test_a_pattern_in_replay_is_a_rule_of_its_own(pattern: str) -> None:
    matched = trailsieve("match", pattern, ARCHIVE).objects
    alerts = trailsieve("replay", "--pattern", pattern, ARCHIVE).objects
    assert {(alert["rule"], alert["title"]) for alert in alerts} <= {("pattern", pattern)}
    first_delivery = {record["eventID"]: record for record in reversed(matched)}
    assert sorted(ids([alert["records"][0] for alert in alerts])) == sorted(first_delivery)


def test_patterns_in_replay_join_the_rules_that_are_asked_for() -> None:
    patterns = (
        "--pattern",
        '{ $.eventName = "CreateUser" }',
        "--pattern",
        '{ $.eventName = "ConsoleLogin" }',
    )
    alone = {alert["rule"] for alert in trailsieve("replay", *patterns, ARCHIVE).objects}
    joined = {alert["rule"] for alert in trailsieve("replay", *patterns, *RULES, ARCHIVE).objects}
    assert alone <= {"pattern", "pattern-2"}
    assert joined == alone | {alert["rule"] for alert in all_alerts()}


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        (("--rule", "cis-aws-4.1"), {"cis-aws-4.1"}),
        (("--rule", "cis-aws-4.1", "--rule", "cis-aws-4.12"), {"cis-aws-4.1", "cis-aws-4.12"}),
        (("--rule", "cis-aws-4.1*"), {"cis-aws-4.1", "cis-aws-4.10", "cis-aws-4.12", "cis-aws-4.13"}),
        (("--min-severity", "critical"), {"critical"}),
        (("--min-severity", "high"), {"high", "critical"}),
        (("--rule", "cis-aws-4.1", "--min-severity", "high"), set()),
    ],
)
def test_rules_are_chosen_by_id_and_severity(options: tuple[str, ...], chosen: set[str]) -> None:
    expected = [
        alert
        for alert in all_alerts()
        if (alert["rule"] if "cis" in "".join(chosen) else alert["severity"]) in chosen
    ]
    assert trailsieve("replay", *options, ARCHIVE).objects == expected
    lines = trailsieve("match", *options, ARCHIVE).objects
    assert {line["rule"] for line in lines} == {alert["rule"] for alert in expected}


RULE_FILE = """
[[rule]]
id = "team-a"
pattern = '{ $.eventName = "ListUsers" }'
enabled = false

[[rule]]
id = "team-b"
pattern = '{ $.errorCode = "*" }'
severity = "low"

[[rule]]
id = "team-both"
severity = "high"
alarm = { sequence = ["team-a", "team-b"], within = "1h", by = ["$.userIdentity.arn"] }
"""


@pytest.mark.parametrize(
    ("options", "chosen"),
    [
        ((), {"team-b", "team-both"}),
        (("--rule", "team-a"), {"team-a"}),
        (("--rule", "team-*"), {"team-b", "team-both"}),
        (("--rule", "team-both"), {"team-both"}),
        (("--min-severity", "medium"), {"team-both"}),
    ],
)
def test_a_sequence_that_is_chosen_keeps_the_rules_it_waits_for(
    options: tuple[str, ...], chosen: set[str], tmp_path: Path
) -> None:
    (tmp_path / "team.toml").write_text(RULE_FILE)
    log = log_file(tmp_path / "trail.json", [denied(1), denied(2)])
    alerts = trailsieve("replay", log, "--rules", tmp_path / "team.toml", *options).objects
    assert {alert["rule"] for alert in alerts} == chosen


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--ip", "10.0.0.0/33"), "--ip 10.0.0.0/33: not an address; write one such as 198.51.100.7"),
        (("--ip", "10.0.0.256"), "--ip 10.0.0.256: not an address"),
        (("--ip", "10.0.0"), "--ip 10.0.0: not an address"),
        (("--ip", "2001:db8::/129"), "--ip 2001:db8::/129: not an address"),
        (("--ip", "2001:db8:::1"), "--ip 2001:db8:::1: not an address"),
        (("--pattern", '{ $.eventName == "x" }'), "\n                  ^"),
        (("--since", "yesterday"), "--since"),
        (
            ("--rule", "cis-aws-4.l"),
            "--rule cis-aws-4.l: no such rule in the packs in use; did you mean `cis-aws-4",
        ),
        (("--rule", "cis-4.*"), "--rule cis-4.*: no such rule"),
    ],
)
@pytest.mark.parametrize("command", ["match", "replay"])
def test_a_mistake_in_a_selector_is_explained(command: str, options: tuple[str, ...], message: str) -> None:
    result = trailsieve(command, *options, ARCHIVE)
    assert (result.code, result.out) == (2, b"")
    assert message in result.err


ADDRESSES = {
    1: "2001:db8::1",
    2: "2001:0DB8:0:0:0:0:0:1",
    3: "2001:db9::1",
    4: "AWS Internal",
    5: "10.1.2.3",
    6: "10.12.3.4.example.com",
    7: None,
    8: 42,
}


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["2001:db8::1"], [1, 2]),
        (["2001:DB8::1"], [1, 2]),
        (["2001:db8::/32"], [1, 2]),
        (["::/0"], [1, 2, 3]),
        (["2001:db8::1/64"], [1, 2]),
        (["AWS Internal"], [4]),
        (["AWS*"], [4]),
        (["10.0.0.0/8"], [5]),
        (["10.1.2.3/32"], [5]),
        (["10.1.*"], [5]),
        (["10.0.0.0/8", "AWS Internal", "2001:db9::1"], [3, 4, 5]),
    ],
)
def test_addresses_of_both_kinds_and_services(values: list[str], expected: list[int], tmp_path: Path) -> None:
    log = log_file(
        tmp_path / "trail.json", [denied(n, sourceIPAddress=address) for n, address in ADDRESSES.items()]
    )
    options = [text for value in values for text in ("--ip", value)]
    assert [int(r["eventID"][-2:]) for r in trailsieve("match", *options, log).objects] == expected


PRINCIPALS: list[dict[str, Any]] = [
    {"arn": "arn:aws:iam::111122223333:user/mia/mia"},
    {"arn": "arn:aws:sts::111122223333:assumed-role/mia-role/mia"},
    {"arn": "arn:aws:sts::111122223333:assumed-role/mia/session"},
    {"type": "AWSAccount", "accountId": "999900001111"},
    {"type": "AWSService", "invokedBy": "mia.amazonaws.com"},
    {"type": "IAMUser", "userName": "mia"},
    {"type": "WebIdentityUser", "principalId": "accounts.example.com:mia"},
    {"arn": "arn:aws:iam::999900001111:user/miriam"},
    {"arn": "arn:aws:iam::999900001111:user/x\nmia"},
    {"arn": ["arn:aws:iam::999900001111:user/mia"]},
]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("mia", [0, 1, 2, 5, 6]),
        ("mi*", [0, 1, 2, 4, 5, 6, 7]),
        ("mia-role/mia", [1]),
        ("mia-role", [1]),
        ("999900001111", [3]),
        ("mia.amazonaws.com", [4]),
        ("*mia", [0, 1, 2, 5, 6, 8]),
        ("m.a", []),
    ],
)
def test_a_bare_name_is_the_last_part_of_whatever_names_the_principal(
    value: str, expected: list[int], tmp_path: Path
) -> None:
    log = log_file(tmp_path / "trail.json", [denied(n, userIdentity=who) for n, who in enumerate(PRINCIPALS)])
    assert [
        int(r["eventID"][-2:]) for r in trailsieve("match", "--principal", value, log).objects
    ] == expected


def test_a_resource_is_found_behind_json_escapes(tmp_path: Path) -> None:
    log = tmp_path / "trail.jsonl"
    log.write_text(
        '{"eventID":"1","requestParameters":{"bucketName":"b\\u00fccher"}}\n'
        '{"eventID":"2","requestParameters":{"key":["a","arn:aws:s3:::b\u00fccher"]}}\n'
        '{"eventID":"3","userIdentity":{"userName":"b\u00fccher"}}\n'
    )
    assert ids(trailsieve("match", "--resource", "b\u00fccher", log).objects) == ["1", "2"]


@pytest.mark.parametrize(
    ("options", "note"),
    [
        (
            ("--principal", "nobody", "--event", "ListKeys"),
            "of the 442 events that were read, the options select 0; each by itself: "
            "--principal nobody 0, --event ListKeys 14",
        ),
        (
            ("--event", "ListKeys", "--ip", "config.amazonaws.com", "--since", "2026-03-14T02:00:00Z"),
            "--event ListKeys 14, --ip config.amazonaws.com 61, --since 442",
        ),
    ],
)
def test_a_selection_of_nothing_says_which_option_excludes_the_most(
    options: tuple[str, ...], note: str
) -> None:
    result = trailsieve("match", *options, ARCHIVE)
    assert (result.code, result.out) == (1, b"")
    assert note in result.err
    assert note in trailsieve("replay", *options, ARCHIVE).err


def test_selected_events_without_an_alert_are_told_from_a_selection_of_nothing() -> None:
    note = "the options select 14; each by itself: --event ListKeys 14"
    assert note in trailsieve("replay", "--event", "ListKeys", "--rule", "cis-aws-4.3", ARCHIVE).err


def test_selected_events_in_the_order_of_time() -> None:
    selected = trailsieve("match", "--order", "time", "--principal", "build-bot", ARCHIVE).objects
    times = [record["eventTime"] for record in selected]
    assert times == sorted(times)
    assert len(times) == 56


def test_selectors_narrow_what_match_explains(tmp_path: Path) -> None:
    log = log_file(tmp_path / "trail.json", [denied(1), denied(2, eventName="CreateUser")])
    result = trailsieve("match", "--explain", "--json", "--event", "Create*", "{ $.errorCode = Acc* }", log)
    assert [(line["eventNumber"], line["matched"]) for line in result.objects] == [(2, True)]


def test_a_pattern_beside_selectors_has_its_marks_and_anything_else_is_an_input(tmp_path: Path) -> None:
    log = log_file(tmp_path / "trail.json", [denied(1), denied(2, eventName="CreateUser")])
    selected = trailsieve("match", "--event", "Create*", '{ $.errorCode = "Access*" }', log)
    assert len(selected.objects) == 1
    assert "ERROR" in trailsieve("match", "--event", "Create*", "ERROR", log).err


ALARM = """
[[rule]]
id = "burst"
pattern = '{ $.errorCode = "AccessDenied" }'
alarm = { threshold = 2, period = "1h" }
"""


@pytest.mark.parametrize("options", [(), ("--as-streamed",)])
@pytest.mark.parametrize(("who", "count"), [("mia", 2), ("bob", 3), ("*", 5)])
def test_alarms_count_the_selected_events_alone(
    who: str, count: int, options: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "rules.toml").write_text(ALARM)
    bob = {"userIdentity": {"arn": "arn:aws:iam::111122223333:user/bob"}}
    log = log_file(tmp_path / "trail.json", [denied(n, **(bob if n > 2 else {})) for n in range(1, 6)])
    result = trailsieve("replay", log, "--rules", tmp_path / "rules.toml", "--principal", who, *options)
    assert max(alert["count"] for alert in result.objects if alert["state"] == "ALARM") == count
