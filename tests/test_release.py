"""`make release` changes the right lines, and refuses what would make a bad release."""

from __future__ import annotations

import importlib.util
import re
from datetime import date
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[1]
CHANGELOG = (
    "# Changelog\n\n## [Unreleased]\n\n### Added\n\n- A sink.\n\n## [0.1.0] - 2026-01-02\n\n- First.\n"
)


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    spec = importlib.util.spec_from_file_location("release", ROOT / "tools" / "release.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_what_is_unreleased_moves_under_the_version(tool: ModuleType) -> None:
    dated = tool.dated(CHANGELOG, "0.2.0", date(2026, 3, 4))
    assert dated == CHANGELOG.replace("## [Unreleased]\n", "## [Unreleased]\n\n## [0.2.0] - 2026-03-04\n")
    with pytest.raises(tool.ReleaseError, match=r"already has a section 0\.2\.0"):
        tool.dated(dated, "0.2.0", date(2026, 3, 4))
    with pytest.raises(tool.ReleaseError, match="nothing under Unreleased"):
        tool.dated(dated, "0.3.0", date(2026, 3, 4))


@pytest.mark.parametrize("name", ["pyproject.toml", "src/trailsieve/__init__.py"])
def test_one_line_of_a_file_has_its_version(name: str, tool: ModuleType) -> None:
    before = (ROOT / name).read_text("utf-8")
    after = tool.versioned(before, "9.8.7")
    changed = [new for old, new in zip(before.splitlines(), after.splitlines(), strict=True) if old != new]
    assert len(changed) == 1
    assert re.fullmatch(r'(__version__|version) = "9\.8\.7"', changed[0])
    with pytest.raises(tool.ReleaseError, match="no line with a version"):
        tool.versioned("name = 'x'\n", "9.8.7")


@pytest.mark.parametrize("version", ["", "1.2", "v1.2.3", "1.2.3rc1", "1.2.3\n"])
def test_a_version_has_three_numbers(version: str, tool: ModuleType) -> None:
    with pytest.raises(tool.ReleaseError, match="is not a version"):
        tool.release(version)
