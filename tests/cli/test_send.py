"""`trailsieve send` and `trailsieve config check --connect`: alerts to one sink by hand."""

from __future__ import annotations

import json
import socket
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.cli.console import denied, log_file, trailsieve
from tests.servers.http_receivers import Webhook
from tests.servers.receiver import Status
from tests.sinks.test_contract import ALERTS
from trailsieve.engine.dead_letters import AlertDeadLetters
from trailsieve.engine.sink_worker import Refusal
from trailsieve.formats import native
from trailsieve.model import AlertContext, Distinct, Moment, Named, Window


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """Two sinks: files."""
    log_file(tmp_path / "trail" / "a.json", [denied(1)])
    path = tmp_path / "trailsieve.toml"
    sinks = "".join(
        f'[[sink]]\nkind = "files"\nname = "{name}"\npath = "{tmp_path}/{name}.jsonl"\n' for name in "ab"
    )
    path.write_text(
        f'[source]\nkind = "files"\npaths = ["{tmp_path}/trail"]\n{sinks}[[rules]]\npack = "cis-aws"\n'
    )
    return path


def test_an_alert_arrives_as_it_was(config: Path, tmp_path: Path) -> None:
    some = Distinct(2, (Named("x", 2),))
    alarm = replace(
        ALERTS[0],
        kind="alarm",
        state="ALARM",
        records=(b'{"n": 1.0, "n": 1e400}',),
        window=Window("2026-03-14T02:00:00Z", "2026-03-14T02:05:00Z"),
        context=AlertContext("r", 1.5, 0, Moment("t"), None, some, some, some, some, some, some),
        dimensions={"a": "b"},
        tags=("t",),
    )
    for alert in (ALERTS[0], alarm):
        given = tmp_path / "alert.json"
        given.write_bytes(native.encode(alert))
        result = trailsieve("send", given, "--config", config, "--sink", "b")
        assert (result.code, result.err) == (0, "trailsieve: 1 of 1 alert sent to b\n")
        sent = (tmp_path / "b.jsonl").read_bytes().splitlines()[-1]
        assert sent == native.encode(alert)
    assert not (tmp_path / "a.jsonl").exists()


def test_dead_letters_of_the_sink_are_sent(config: Path, tmp_path: Path) -> None:
    letters = AlertDeadLetters(tmp_path / "letters.jsonl")
    for number, alert in enumerate(ALERTS):
        letters.add(Refusal("ab"[number % 2], alert, "busy"))
    assert trailsieve("send", letters.path, "--config", config, "--sink", "b").code == 0
    lines = (tmp_path / "b.jsonl").read_bytes().splitlines()
    assert [json.loads(line)["id"] for line in lines] == ["id-1", "id-3"]


def test_a_receiver_that_refuses_some_requests_gets_all_alerts(
    config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    given = [replace(ALERTS[0], id=f"{number:032x}") for number in range(20)]
    letters = AlertDeadLetters(tmp_path / "letters.jsonl")
    for alert in given:
        letters.add(Refusal("hook", alert, "busy"))
    with Webhook() as receiver:
        receiver.faults.extend([Status(503), Status(202)] * 10)
        text = config.read_text()
        config.write_text(f'{text}[[sink]]\nkind = "webhook"\nname = "hook"\nurl = "{receiver.url}/hook"\n')
        result = trailsieve("send", letters.path, "--config", config, "--sink", "hook")
        assert result.err == "trailsieve: 20 of 20 alerts sent to hook\n"
        receiver.faults.extend([Status(503)] * 99)
        result = trailsieve("send", letters.path, "--config", config, "--sink", "hook")
        assert len(receiver.faults) == 94
    assert result.code == 1
    lines = result.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith("trailsieve: 20 alerts not accepted: webhook 127.0.0.1:")
    assert "answered 503" in lines[0]
    assert lines[1] == "trailsieve: 0 of 20 alerts sent to hook"


def test_letters_of_another_sink_are_no_success(config: Path, tmp_path: Path) -> None:
    letters = AlertDeadLetters(tmp_path / "letters.jsonl")
    for alert in ALERTS:
        letters.add(Refusal("a", alert, "busy"))
    result = trailsieve("send", letters.path, "--config", config, "--sink", "b")
    text = f"trailsieve: {letters.path} has {len(ALERTS)} alerts, all of sink a; none of b\n"
    assert (result.code, result.err) == (2, text)


def test_a_letter_that_was_cut_short_is_reported_and_the_others_are_sent(
    config: Path, tmp_path: Path
) -> None:
    letters = AlertDeadLetters(tmp_path / "letters.jsonl")
    letters.add(Refusal("b", ALERTS[0], "busy"))
    whole = letters.path.stat().st_size
    letters.add(Refusal("b", ALERTS[1], "busy"))
    with letters.path.open("r+b") as file:
        file.truncate(whole + 50)  # as a full disk does
    result = trailsieve("send", letters.path, "--config", config, "--sink", "b")
    assert result.code == 1
    assert f"letters.jsonl: line 2, byte {whole}: not JSON" in result.err
    assert "1 of 1 alert sent to b" in result.err
    letters.add(Refusal("b", ALERTS[2], "busy"))
    assert trailsieve("send", letters.path, "--config", config, "--sink", "b").code == 1
    sent = [json.loads(line)["id"] for line in (tmp_path / "b.jsonl").read_bytes().splitlines()]
    assert sent == [ALERTS[0].id, ALERTS[0].id, ALERTS[2].id]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{"id": 1}', "line 1 is not an alert in the native format"),
        ("{}\n{", "line 2: not JSON"),
        ("[]", "line 1 is not an alert"),
        ('{"id": "a", "rule": "b", "severity": "odd"}', "line 1 is not an alert"),
    ],
)
def test_what_is_no_alert_is_told(text: str, told: str, config: Path, tmp_path: Path) -> None:
    given = tmp_path / "alert.json"
    given.write_text(text)
    result = trailsieve("send", given, "--config", config, "--sink", "b")
    assert result.code == 2
    if not text.startswith("{}"):
        assert told in result.err


def test_a_sink_that_there_is_not(config: Path) -> None:
    result = trailsieve("send", config, "--config", config, "--sink", "c")
    assert result.code == 2
    assert "has no sink c; its sinks: a, b" in result.err


def test_connect_sends_each_sink_an_alert_that_says_that_it_is_a_test(config: Path, tmp_path: Path) -> None:
    result = trailsieve("config", "check", "--connect", config)
    assert result.code == 0
    for name in "ab":
        alert = json.loads((tmp_path / f"{name}.jsonl").read_text())
        assert alert["rule"] == "trailsieve-test"
        assert "please ignore" in alert["title"]
        assert f"ok    sink {name}: " in result.out.decode()
        assert f"it accepted the test alert {alert['id']}" in result.out.decode()


def test_connect_posts_to_a_webhook_that_takes_only_post(config: Path) -> None:
    class PostOnly(BaseHTTPRequestHandler):  # HEAD gets 501
        def do_POST(self) -> None:
            posted.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    posted: list[bytes] = []
    with HTTPServer(("127.0.0.1", 0), PostOnly) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        with config.open("a") as file:
            file.write(f'[[sink]]\nkind = "webhook"\nurl = "http://127.0.0.1:{server.server_port}/in"\n')
        result = trailsieve("config", "check", "--connect", config)
        server.shutdown()
    assert result.code == 0, result.out.decode()
    assert [json.loads(body)["rule"] for body in posted] == ["trailsieve-test"]


def test_connect_says_that_it_sent_no_test_alert(config: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    with config.open("a") as file:
        file.write(f'[[sink]]\nkind = "webhook"\nurl = "http://127.0.0.1:{port}/in"\n')
    result = trailsieve("config", "check", "--connect", config)
    assert result.code == 3
    line = f"FAIL  sink webhook: webhook 127.0.0.1:{port}: Connection refused; no test alert was sent\n"
    assert line in result.out.decode()
