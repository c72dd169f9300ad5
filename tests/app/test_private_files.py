"""State, dead letters and alerts in files can be read by their owner only."""

from __future__ import annotations

import json
import stat
from pathlib import Path

from tests.cli.console import denied, trailsieve

CONFIG = """
[source]
kind = "follow"
paths = ["{folder}/trail.jsonl"]
[run]
workers = 1
[[rules]]
pack = "cis-aws"
[[sink]]
kind = "files"
path = "{folder}/alerts.jsonl"
max_bytes = 1
[checkpoint]
path = "{folder}/state.db"
[dead_letters]
path = "{folder}/dead.jsonl"
"""


def run(folder: Path, *lines: bytes) -> str:
    """What a service says that reads these lines until there are no more."""
    config = folder / "service.toml"
    config.write_text(CONFIG.format(folder=folder))
    with (folder / "trail.jsonl").open("ab") as file:
        file.write(b"".join(line + b"\n" for line in lines))
    return trailsieve("run", "--until-idle", config).err


def modes(folder: Path) -> dict[str, str]:
    return {path.name: f"{stat.S_IMODE(path.stat().st_mode):04o}" for path in folder.iterdir()}


def test_files_are_private_and_wider_ones_are_reported(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    first, second = (json.dumps(denied(number)).encode() for number in range(2))
    assert "can be read by others" not in run(folder, first, b"poison")
    private = {
        name: mode for name, mode in modes(folder).items() if name not in ("service.toml", "trail.jsonl")
    }
    assert private == dict.fromkeys(["state.db", "dead.jsonl", "alerts.jsonl", "alerts.jsonl.1"], "0600")
    for name in private:
        (folder / name).chmod(0o640)
    said = run(folder, second)
    for name in ("state.db", "dead.jsonl", "alerts.jsonl"):
        assert f"{folder}/{name} can be read by others (mode 0640): chmod 600 {folder}/{name}" in said
    assert modes(folder)["alerts.jsonl"] == "0640"  # after a rotation, for whoever reads the file
