"""`trailsieve tune`: what a rule would have raised, what would quieten it, what another version changes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.console import Record, denied, log_file, trailsieve
from trailsieve import load_pack

RULES = """
[[rule]]
id = "denied"
pattern = '{ $.errorCode = "AccessDenied*" }'
exceptions = [{ pattern = '{ $.eventName = "HeadBucket" }', reason = "noise" }]
ALARM
"""
ALARM = 'alarm = { threshold = 3, period = "5m" }'


def by(number: int, who: str) -> Record:
    arn = f"arn:aws:sts::111122223333:assumed-role/{who}/session-{number % 2}"
    return denied(number, userIdentity={"arn": arn})


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    """Two days: a noisy role, a person, one call that an exception hides."""
    noisy = [by(number, "ci") for number in range(20, 26)]
    rest = [
        denied(1),
        denied(2, eventTime="2026-03-15T09:00:00Z"),
        denied(3, eventName="HeadBucket"),
        denied(4, errorCode="Other"),
    ]
    log_file(tmp_path / "archive" / "a.json.gz", [*noisy, *rest])
    return tmp_path / "archive"


def rules(folder: Path, alarm: str = "", name: str = "rules.toml", **replaced: str) -> Path:
    file = folder / name
    text = RULES.replace("ALARM", alarm)
    for old, new in replaced.items():
        text = text.replace(old, new)
    file.write_text(text)
    return file


def answer(file: Path, archive: Path, *more: str | Path) -> Any:
    return json.loads(trailsieve("tune", "denied", "--rules", file, "--over", archive, "--json", *more).out)


def test_what_a_rule_would_have_raised(archive: Path, tmp_path: Path) -> None:
    plain, alarm = answer(rules(tmp_path), archive), answer(rules(tmp_path, ALARM, "b.toml"), archive)
    assert (plain["events"], plain["alerts"], plain["hidden"]) == (8, 8, 1)
    assert (alarm["events"], alarm["alerts"], alarm["hidden"]) == (8, 1, 1)
    assert plain["days"] == ["2026-03-14", "2026-03-15"]
    assert list(plain["by"]["principal"].values()) == [3, 3, 2]


def test_an_exception_hides_what_was_said_of_it(archive: Path, tmp_path: Path) -> None:
    [proposed] = answer(rules(tmp_path), archive)["exceptions"]
    assert proposed == {
        "pattern": '{ $.userIdentity.arn = "*:assumed-role/ci/*" }',
        "hides": 6,
        "alerts_left": 2,
    }
    text = trailsieve("tune", "denied", "--rules", rules(tmp_path), "--over", archive).out.decode()
    snippet = text[text.index("[[rule.exceptions]]") :]
    file = tmp_path / "tuned.toml"
    file.write_text(rules(tmp_path).read_text().replace("exceptions = ", "# ") + snippet)
    [exception] = load_pack(file).rules[0].exceptions
    assert exception.pattern.text == proposed["pattern"]


@pytest.mark.parametrize("name", ["a*", "o'neil", 'x" || "', "back\\slash", "line\nbreak"])
def test_a_name_that_would_hide_more_is_not_proposed(name: str, tmp_path: Path) -> None:
    log_file(tmp_path / "archive/a.json", [by(n, name) for n in range(5)])
    assert answer(rules(tmp_path), tmp_path / "archive")["exceptions"] == []


def test_two_versions(archive: Path, tmp_path: Path) -> None:
    other = '{ ($.errorCode = "Other") || ($.eventTime = "2026-03-15*") }'
    found = answer(rules(tmp_path), archive, "--against", other)["against"]
    assert (found["events"], found["alerts"], found["pattern"]) == (2, 2, other)
    assert [len(found[word]["events"]) for word in ("added", "removed")] == [1, 7]
    newer = rules(tmp_path, ALARM, "newer.toml")
    found = answer(rules(tmp_path), archive, "--against", newer)["against"]
    assert [len(found[word]["events"]) for word in ("added", "removed")] == [0, 0]
    assert (found["added"]["alerts"], found["removed"]["alerts"]) == (1, 8)


def test_the_text_for_people(archive: Path, tmp_path: Path) -> None:
    result = trailsieve(
        "tune", "denied", "--rules", rules(tmp_path), "--over", archive, "--against", "{ $.a = 1 }"
    )
    assert result.code == 0
    text = result.out.decode()
    assert "denied: 8 events match, 8 alerts, 1 more hidden by its exceptions" in text
    assert "4.0 events and 4.0 alerts a day" in text
    assert "# hides 6 of 8 events; 2 alerts left" in text
    assert "removed: 8 events, 8 alerts" in text


def test_wrong_use(archive: Path, tmp_path: Path) -> None:
    assert (
        "did you mean `denied`?"
        in trailsieve("tune", "denid", "--rules", rules(tmp_path), "--over", archive).err
    )
    assert trailsieve("tune", "cis-aws-4.1", "--over", tmp_path / "no").code == 2
    assert trailsieve("tune", "cis-aws-4.1", "--over", archive, "--against", "{ $.a == 1 }").code == 2


def noisy(folder: Path, *more: Record) -> Path:
    """120 events of one session, in an hour."""
    arn = "arn:aws:sts::111122223333:assumed-role/ci/nightly"
    times = [f"2026-03-14T10:{n // 2:02}:{n % 2 * 30:02}Z" for n in range(120)]
    session = [denied(n, userIdentity={"arn": arn}, eventTime=time) for n, time in enumerate(times)]
    log_file(folder / "archive" / "a.json", [*session, *more])
    return folder / "archive"


def test_no_proposal_switches_the_rule_off(tmp_path: Path) -> None:
    archive = noisy(tmp_path)
    found = answer(rules(tmp_path), archive)
    assert found["exceptions"] == []
    assert found["alarm"] == {
        "threshold": 3,
        "period": "5m",
        "by": ["$.userIdentity.arn"],
        "alerts": 1,
    }
    text = trailsieve("tune", "denied", "--rules", rules(tmp_path), "--over", archive).out.decode()
    assert "No exception to propose. The busiest caller has 120 of 120 events:" in text
    assert (
        "assumed-role/ci/nightly, 2026-03-14T10:00:00Z to 2026-03-14T10:59:30Z, all of them ListUsers" in text
    )
    snippet = text[text.index("[rule.alarm]") :]
    file = tmp_path / "tuned.toml"
    file.write_text(rules(tmp_path).read_text() + snippet)
    assert answer(file, archive)["alerts"] == 1


def test_an_alarm_is_proposed_to_no_rule_that_has_one(tmp_path: Path) -> None:
    assert answer(rules(tmp_path, ALARM), noisy(tmp_path))["alarm"] is None


def test_no_exception_is_proposed_for_an_alarm_on_absence(archive: Path, tmp_path: Path) -> None:
    silent = rules(tmp_path, 'alarm = { absent_for = "7d" }')
    assert answer(silent, archive)["exceptions"] == []
    text = trailsieve("tune", "denied", "--rules", silent, "--over", archive).out.decode()
    assert "No exception to propose: the alarm is raised when matches are missing." in text
    assert answer(rules(tmp_path), archive)["exceptions"]


def test_a_single_event_is_said_to_be_the_only_one(tmp_path: Path) -> None:
    log_file(tmp_path / "archive" / "a.json", [by(1, "ci")])
    text = trailsieve(
        "tune", "denied", "--rules", rules(tmp_path), "--over", tmp_path / "archive"
    ).out.decode()
    *_, head, event = text.rstrip().splitlines()
    assert head == "No exception to propose. The only event:"
    assert event.count("2026-") == 1
    assert "of them" not in event


def test_no_proposal_hides_a_true_positive(archive: Path, tmp_path: Path) -> None:
    true = log_file(tmp_path / "true.json", [by(20, "ci")])
    assert answer(rules(tmp_path), archive, "--tp", true)["exceptions"] == []
    assert answer(rules(tmp_path), archive, "--tp", true)["alarm"] is None
    other = log_file(tmp_path / "other.json", [by(20, "attacker")])
    assert len(answer(rules(tmp_path), archive, "--tp", other)["exceptions"]) == 1


def test_proposals_hide_the_false_positives(tmp_path: Path) -> None:
    few = [by(number, "scanner") for number in range(200, 203)]
    archive = noisy(tmp_path, *few)
    patterns = [one["pattern"] for one in answer(rules(tmp_path), archive)["exceptions"]]
    assert patterns == ['{ $.userIdentity.arn = "*:assumed-role/ci/*" }']
    false = log_file(tmp_path / "false.json", few)
    [proposed] = answer(rules(tmp_path), archive, "--fp", false)["exceptions"]
    assert proposed == {
        "pattern": '{ $.userIdentity.arn = "*:assumed-role/scanner/*" }',
        "hides": 3,
        "alerts_left": 120,
    }


@pytest.mark.parametrize("option", ["--tp", "--fp"])
def test_judged_events_that_the_rule_does_not_match_are_refused(
    option: str, archive: Path, tmp_path: Path
) -> None:
    """An empty or damaged file must not pass as a set of true positives that nothing hides."""
    empty = tmp_path / "empty.json"
    empty.write_bytes(b"")
    result = trailsieve("tune", "denied", "--rules", rules(tmp_path), "--over", archive, option, empty)
    assert result.code == 2
    assert "empty: the file has no bytes" in result.err
    assert f"{option} {empty}: rule 'denied' matches no event in it" in result.err
