"""`--report` and `--redact` of replay and investigate."""

from __future__ import annotations

import html
import stat
from pathlib import Path

import pytest

from tests.cli.console import trailsieve

SAMPLES = Path(__file__).parents[2] / "samples" / "archive"


@pytest.mark.parametrize(("command", "title"), [("replay", "Replay"), ("investigate", "Investigation")])
def test_a_page_is_written_for_its_owner_beside_the_output(command: str, title: str, tmp_path: Path) -> None:
    file = tmp_path / "page.html"
    result = trailsieve(command, SAMPLES, "--report", file)
    assert result.code == 0
    assert result.out == trailsieve(command, SAMPLES).out
    assert f"wrote {file}" in result.err
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    text = file.read_text("utf-8")
    assert f"<title>{title}: 2026-03-14" in text


@pytest.mark.parametrize("ending", ["html", "md"])
def test_a_report_is_redacted(ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"report.{ending}"
    result = trailsieve("investigate", SAMPLES, "--report", file, "--redact", "keys, ips,principals")
    assert result.code == 0, result.err
    text = html.unescape(file.read_text("utf-8"))
    assert "build-bot" in result.out.decode()
    assert not {word for word in ("build-bot", "j.marlow", "203.0.113.77", "AKIA") if word in text}
    assert {word for word in ("principal-1", "ip-1", "key-1") if word in text} == {
        "principal-1",
        "ip-1",
        "key-1",
    }


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("--report", "page.pdf"), "--report page.pdf: the name ends with .html"),
        (
            ("--report", "p.html", "--redact", "keys,names"),
            "--redact keys,names: 'names' is not one of keys, ips, principals",
        ),
        (("--redact", "keys"), "--redact needs --report"),
        (("--report", "no/such/folder/p.html"), "no/such/folder"),
    ],
)
def test_mistakes_are_explained(options: tuple[str, ...], reason: str) -> None:
    result = trailsieve("replay", SAMPLES, *options)
    assert result.code in (2, 3)
    assert reason in result.err
