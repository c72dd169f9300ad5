"""The settings that every [[sink]] may have, and the heartbeat, from the file to the sink."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.console import denied, log_file, trailsieve

TABLE = '[[sink]]\nkind = "files"\npath = "{folder}/{name}.jsonl"\nname = "{name}"\n{more}\n'


def configuration(folder: Path, sinks: dict[str, str], run: str = "") -> Path:
    log_file(folder / "trail" / "a.json", [denied(1), denied(2, recipientAccountId="444455556666")])
    tables = "".join(TABLE.format(folder=folder, name=name, more=more) for name, more in sinks.items())
    path = folder / "trailsieve.toml"
    path.write_text(f"""[source]
kind = "files"
paths = ["{folder}/trail"]
{tables}
[[rules]]
pack = "cis-aws"
[run]
workers = 1
{run}
[checkpoint]
path = "{folder}/state.db"
[dead_letters]
path = "{folder}/dead.jsonl"
""")
    return path


def received(folder: Path, name: str) -> list[str]:
    path = folder / f"{name}.jsonl"
    lines = path.read_bytes().splitlines() if path.exists() else []
    return [f"{json.loads(line)['rule']} {json.loads(line)['account']}" for line in lines]


def test_each_sink_receives_what_it_is_for(tmp_path: Path) -> None:
    sinks = {
        "all": "",
        "one": 'accounts = ["444455556666"]\nrequired = false',
        "worst": 'severity = "critical"',
        "tagged": 'tags = ["there-is-none"]',
        "quiet": "heartbeat = false",
    }
    config = configuration(tmp_path, sinks, 'heartbeat = "5m"')
    assert trailsieve("run", config).code == 0
    beat = "trailsieve-heartbeat None"
    both = ["cis-aws-4.1 111122223333", "cis-aws-4.1 444455556666"]
    assert sorted(received(tmp_path, "all")) == sorted([beat, *both])
    assert sorted(received(tmp_path, "one")) == sorted([beat, both[1]])
    assert received(tmp_path, "worst") == received(tmp_path, "tagged") == [beat]
    assert sorted(received(tmp_path, "quiet")) == both


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("requird = true", "unknown key `requird`; did you mean `required`?"),
        ('severity = "hgih"', "did you mean `high`?"),
        ("give_up_after = 5", '`give_up_after`: expected a duration, such as "5m"'),
        ('give_up_after = "soon"', "`give_up_after`: expected a duration"),
        (f'give_up_after = "{"9" * 400}s"', "`give_up_after`: expected a duration"),
        ("max_batch = 0", "`max_batch` and `queue` must be at least 1"),
        ('accounts = "1"', "`accounts`"),
    ],
)
def test_mistakes_are_told_with_their_place(setting: str, told: str, tmp_path: Path) -> None:
    result = trailsieve("config", "check", configuration(tmp_path, {"a": setting}))
    assert result.code == 2
    assert told in result.err
    assert f"{tmp_path}/trailsieve.toml:" in result.err


@pytest.mark.parametrize("given", ['"often"', "5"])
def test_a_heartbeat_is_a_duration(given: str, tmp_path: Path) -> None:
    result = trailsieve("config", "check", configuration(tmp_path, {"a": ""}, f"heartbeat = {given}"))
    assert result.code == 2
    assert "`heartbeat`: expected a duration" in result.err


def test_what_a_full_queue_gives_up_is_one_line_with_count_reason_and_file(tmp_path: Path) -> None:
    config = configuration(tmp_path, {"all": "", "soc": "required = false\nqueue = 1"})
    log_file(tmp_path / "trail" / "a.json", [denied(number) for number in range(50)])
    result = trailsieve("run", config)
    letters = (tmp_path / "dead.alerts.jsonl").read_text().splitlines()
    assert len(letters) == 49
    assert [line for line in result.err.splitlines() if "queue" in line] == [
        f"trailsieve: sink soc: 49 alerts not accepted, now in {tmp_path}/dead.alerts.jsonl: "
        "its queue of 1 alert is full"
    ]
