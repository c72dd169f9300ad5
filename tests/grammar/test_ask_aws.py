"""`grammar/ask_aws.py` against botocore's stub of the Logs client: nothing leaves this machine."""

from __future__ import annotations

import importlib.util
import json
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

boto3 = pytest.importorskip("boto3")
stub = pytest.importorskip("botocore.stub")

SCRIPT = Path(__file__).parents[2] / "grammar" / "ask_aws.py"


def _load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("ask_aws", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


ask_aws = _load()


@pytest.fixture
def client() -> Any:
    return boto3.client(
        "logs", region_name="eu-west-1", aws_access_key_id="none", aws_secret_access_key="none"
    )


@pytest.fixture
def stubber(client: Any) -> Iterator[Any]:
    with stub.Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def vector(
    name: str, pattern: str, message: str, expect: str, extracted: dict[str, str] | None
) -> dict[str, Any]:
    return {
        "id": name,
        "pattern": pattern,
        "message": message,
        "expect": expect,
        "extracted": extracted,
        "rule": 7,
        "status": "inferred",
    }


VECTORS = [
    vector("t1", "ink", "low ink", "match", {}),
    vector("d1", "[a, b]", "x y", "match", {"$a": "x", "$b": "y"}),
    vector("t2", "ink", "é", "match", {}),
    vector("t3", "ink:", "ink:", "match", {}),
]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "vectors.jsonl"
    ask_aws.write(path, VECTORS)
    return path


def expect_calls(stubber: Any) -> None:
    """Three calls, one a pattern; AWS thinks otherwise of t2 and t3."""
    stubber.add_response(
        "test_metric_filter",
        {"matches": [{"eventNumber": 1, "eventMessage": "low ink", "extractedValues": {}}]},
        {"filterPattern": "ink", "logEventMessages": ["low ink", "é"]},
    )
    stubber.add_response(
        "test_metric_filter",
        {"matches": [{"eventNumber": 1, "eventMessage": "x y", "extractedValues": {"$a": "x", "$b": "y"}}]},
        {"filterPattern": "[a, b]", "logEventMessages": ["x y"]},
    )
    stubber.add_client_error(
        "test_metric_filter",
        "InvalidParameterException",
        "Invalid character(s) in term 'ink:'",
        expected_params={"filterPattern": "ink:", "logEventMessages": ["ink:"]},
    )


def run(
    client: Any, *files: Path, record: bool = False, rule: list[int] | None = None
) -> tuple[int, list[float]]:
    pauses: list[float] = []
    options = Namespace(files=list(files), record=record, rule=rule, rate=4.0)
    return ask_aws.run(client, options, pauses.append), pauses


def test_differences_are_printed(
    client: Any, stubber: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file.read_bytes()
    expect_calls(stubber)
    code, pauses = run(client, file)
    out, err = capsys.readouterr()
    assert code == 1
    assert out.splitlines() == [
        "t2 (rule 7, inferred): here match, AWS no_match",
        "    pattern 'ink'",
        "    message 'é'",
        "t3 (rule 7, inferred): here match, AWS invalid (Invalid character(s) in term 'ink:')",
        "    pattern 'ink:'",
        "    message 'ink:'",
    ]
    assert err == "4 vectors asked, 2 differences\n"
    assert pauses == [0.25, 0.25]
    assert file.read_bytes() == before


def test_record_writes_the_answers(client: Any, stubber: Any, file: Path) -> None:
    expect_calls(stubber)
    assert run(client, file, record=True)[0] == 0
    after = ask_aws.read(file)
    assert [v["id"] for v in after] == [v["id"] for v in VECTORS]
    assert {v["status"] for v in after} == {"recorded"}
    assert [v["expect"] for v in after] == ["match", "match", "no_match", "invalid"]
    assert [v["extracted"] for v in after] == [{}, {"$a": "x", "$b": "y"}, None, None]


def test_recording_keeps_what_was_answered_before_a_failure(client: Any, stubber: Any, file: Path) -> None:
    stubber.add_response("test_metric_filter", {"matches": []})
    stubber.add_client_error("test_metric_filter", "AccessDeniedException")
    with pytest.raises(Exception, match="AccessDenied"):
        run(client, file, record=True)
    assert [v["status"] for v in ask_aws.read(file)] == ["recorded", "inferred", "recorded", "inferred"]


def test_only_chosen_rules_are_asked(client: Any, stubber: Any, file: Path) -> None:
    assert run(client, file, rule=[26])[0] == 0


def test_a_call_takes_fifty_messages() -> None:
    many = [vector(str(n), "ink", str(n), "no_match", None) for n in range(120)]
    assert [len(batch) for batch in ask_aws.batches(many)] == [50, 50, 20]


def test_agreement_is_silent(
    client: Any, stubber: Any, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    ask_aws.write(file, VECTORS[1:2])
    stubber.add_response(
        "test_metric_filter",
        {"matches": [{"eventNumber": 1, "eventMessage": "x y", "extractedValues": {"$a": "x", "$b": "y"}}]},
    )
    assert run(client, file)[0] == 0
    assert not capsys.readouterr().out


def test_help_needs_no_aws(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        ask_aws.main(["--help"])
    assert stopped.value.code == 0
    assert "--record" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", [["--rate", "0"], ["--rate", "6"], ["--rule", "x"]])
def test_wrong_use(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        ask_aws.main(arguments)
    assert stopped.value.code == 2


def test_missing_file(tmp_path: Path) -> None:
    assert ask_aws.main([str(tmp_path / "none.jsonl")]) == 2


def test_no_credentials(
    monkeypatch: pytest.MonkeyPatch, file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(file.parent / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    assert ask_aws.main([str(file), "--region", "eu-west-1"]) == 3
    assert "cannot ask AWS" in capsys.readouterr().err


def test_real_vectors_survive_reading_and_writing(tmp_path: Path) -> None:
    for path in ask_aws.VECTORS.glob("*.jsonl"):
        copy = tmp_path / path.name
        ask_aws.write(copy, ask_aws.read(path))
        assert copy.read_bytes() == path.read_bytes()
        assert all(json.loads(line)["message"] for line in path.read_text("utf-8").splitlines())
