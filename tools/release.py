"""Makes a release of the checkout, for `make release VERSION=0.2.0`.

Sets the version, dates the changelog's Unreleased section, runs the checks, builds sdist and wheel into
dist/, commits and tags. Nothing is pushed or published.
"""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, date, datetime
from pathlib import Path

ROOT = Path(__file__).parents[1]
CHECKS = ("lint", "test", "test-servers")
VERSIONED = ("pyproject.toml", "src/trailsieve/__init__.py")


class ReleaseError(Exception):
    """The release cannot be made; the text says why."""


def dated(changelog: str, version: str, day: date) -> str:
    """Returns the changelog with its Unreleased section under the version, and a new empty one above it.

    Raises:
        ReleaseError: there is nothing unreleased, or the version is there already.
    """
    if f"## [{version}]" in changelog:
        raise ReleaseError(f"CHANGELOG.md already has a section {version}")
    head, heading, rest = changelog.partition("## [Unreleased]\n")
    if not re.match(r"\s*(###|-)", rest):
        raise ReleaseError("CHANGELOG.md has nothing under Unreleased")
    return f"{head}{heading}\n## [{version}] - {day}\n{rest}"


def versioned(text: str, version: str) -> str:
    """Returns a file's text with its `version = "…"` or `__version__ = "…"` replaced.

    Raises:
        ReleaseError: there is no such line.
    """
    changed, count = re.subn(
        r'^((?:__version__|version) = ")[^"]+(")', rf"\g<1>{version}\2", text, count=1, flags=re.M
    )
    if not count:
        raise ReleaseError("no line with a version")
    return changed


def run(*command: str) -> str:
    """Runs a command in the checkout and returns its output, without the last line break.

    Raises:
        ReleaseError: it failed.
    """
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise ReleaseError(f"{' '.join(command)} failed")
    return done.stdout.rstrip("\n")


def release(version: str) -> None:
    """Makes the release in this checkout.

    Raises:
        ReleaseError: the checkout is not ready, a check failed, or the version was released before.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise ReleaseError(f"{version!r} is not a version; write 1.2.3")
    if run("git", "status", "--porcelain"):
        raise ReleaseError("the checkout has changes: commit them first")
    if run("git", "tag", "--list", f"v{version}"):
        raise ReleaseError(f"there is a tag v{version}")
    for name in VERSIONED:
        (ROOT / name).write_text(versioned((ROOT / name).read_text("utf-8"), version), "utf-8")
    changelog = ROOT / "CHANGELOG.md"
    changelog.write_text(dated(changelog.read_text("utf-8"), version, datetime.now(UTC).date()), "utf-8")
    run("uv", "lock", "--quiet")
    for check in CHECKS:
        run("make", check)
    run("uv", "build", "--quiet", "--out-dir", "dist")
    run("git", "commit", "--all", "--quiet", "--message", f"Version {version}")
    run("git", "tag", "--annotate", f"v{version}", "--message", f"Version {version}")


def main() -> int:
    """Makes the release that the command line names."""
    try:
        release(*sys.argv[1:2] or [""])
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    print(f"Built dist/ and tagged v{sys.argv[1]}. To publish: git push --follow-tags, and upload dist/.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
