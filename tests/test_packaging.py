"""What a user meets first: the README's commands and code, versions, the package's own statements."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.metadata import entry_points, packages_distributions, version
from pathlib import Path
from typing import Any

import click
import pytest

from trailsieve import __all__ as names
from trailsieve import __version__
from trailsieve.cli import main

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
TARGETS = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> list[str]:
    """Command lines after `$`, and those between backticks in the text."""
    shown = [line[2:] for block in blocks("console") for line in block.splitlines() if line.startswith("$ ")]
    return [*shown, *re.findall(r"`((?:trailsieve|make) [^`]+)`", README)]


@pytest.mark.parametrize("line", [line for line in commands() if line.startswith("trailsieve")])
def test_commands_of_the_readme_exist_with_their_options(line: str) -> None:
    words = shlex.split(re.sub(r" +# .*| [>|] .*", "", line))[1:]
    command: click.Command = main.trailsieve
    while isinstance(command, click.Group):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, words[0]
        command, words = found, words[1:]
    command.make_context(line, words or ["placeholder"])


def test_the_readme_shows_commands_of_both_kinds() -> None:
    kinds = {line.split()[0] for line in commands()}
    assert {"trailsieve", "make"} <= kinds


def test_make_targets_of_the_readme_exist() -> None:
    used = {line.split()[1] for line in commands() if line.startswith("make ")}
    used |= set(re.findall(r"`make ([a-z0-9-]+)`", README))
    assert used <= TARGETS, used - TARGETS


@pytest.mark.parametrize("code", blocks("python"))
def test_python_of_the_readme_runs_and_says_the_truth(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    namespace: dict[str, Any] = {}
    exec(compile(code, "README.md", "exec"), namespace)
    assert "✗ no match" in capsys.readouterr().out
    told = re.findall(r"^(.+?) +# (True|False)$", code, re.MULTILINE)
    assert told
    for expression, value in told:
        assert str(eval(expression, namespace)) == value


@pytest.mark.parametrize("rules", [block for block in blocks("toml") if "[[rule]]" in block])
def test_rules_of_the_readme_hold_beside_the_sample_events(rules: str, tmp_path: Path) -> None:
    from trailsieve import load_pack
    from trailsieve.analysis.rule_tests import run_tests

    (tmp_path / "events").symlink_to(ROOT / "samples" / "events")
    (tmp_path / "rules.toml").write_text(rules, "utf-8")
    results = list(run_tests(load_pack(tmp_path)))
    assert results
    assert [result.failure for result in results] == [""] * len(results)


@pytest.mark.parametrize(
    "page", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("[!.]*/**/*.md")), ids=lambda p: p.name
)
def test_links_within_the_repository_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text("utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_versions_agree() -> None:
    assert PROJECT["version"] == __version__
    assert version("trailsieve") == __version__


def test_the_changelog_ends_with_this_version_or_with_what_is_to_come() -> None:
    headings = re.findall(r"^## \[(.+?)\]", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert headings
    assert headings[0] in ("Unreleased", __version__)
    released = [heading for heading in headings if heading != "Unreleased"]
    assert released[:1] in ([], [__version__])


def test_the_console_script_is_the_command() -> None:
    [script] = entry_points(group="console_scripts", name="trailsieve")
    assert script.load() is main.main


def test_every_public_name_can_be_imported() -> None:
    import trailsieve

    assert [name for name in names if not hasattr(trailsieve, name)] == []
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = trailsieve.nonsense


ONE_WITH = {"botocore": "boto3", "lark": "hcl2"}  # what brings them, and stands for their versions


def distribution(requirement: str) -> str:
    return re.split(r"[\s\[<>=!~;]", requirement, maxsplit=1)[0].lower()


def test_what_the_package_imports_is_declared() -> None:
    extras = PROJECT.get("optional-dependencies", {}).values()
    declared = {distribution(line) for group in (PROJECT["dependencies"], *extras) for line in group}
    homes = packages_distributions()
    for file in sorted((ROOT / "src").rglob("*.py")):
        for top in imported(ast.parse(file.read_text("utf-8"))) - sys.stdlib_module_names - {"trailsieve"}:
            name = ONE_WITH.get(top, top)
            guess = f"{name.replace('_', '-')}-python"  # of an extra that is not installed
            home = {found.lower() for found in homes.get(name, [guess])}
            assert home & declared, f"{file} imports {top}"


def imported(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name.partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.partition(".")[0])
    return found


@pytest.fixture(scope="module")
def tracked() -> list[Path]:
    """The text files of the checkout."""
    if not (ROOT / ".git").exists():
        pytest.skip("no git checkout, so nobody knows which files belong to the repository")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    files = [ROOT / name for name in listed.stdout.split("\0") if name and name != "uv.lock"]
    return [file for file in files if file.is_file() and b"\0" not in file.read_bytes()[:1024]]


@pytest.mark.parametrize(
    "word",
    [
        *(f"/{folder}/" for folder in ("work", "root", "home", "Users")),
        *("index" + "-url", "tool.uv" + ".index", "extra" + "-index", "trusted" + "-host"),
    ],
)
def test_nothing_tells_of_the_machine_it_was_written_on(word: str, tracked: list[Path]) -> None:
    assert len(tracked) > 50
    found = [str(file) for file in tracked if word in file.read_text("utf-8", "replace")]
    assert found == []
