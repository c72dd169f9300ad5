"""A pytest plugin that runs each entry in a rule's `tests` as a test.

It collects files named `*.rules.toml`, or those that `trailsieve_rules` in pytest's configuration lists:
patterns such as `rules/*.toml`, relative to the root folder.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from trailsieve.rules.testing import RuleTest

_DEFAULT = ["*.rules.toml"]


class RuleTestError(Exception):
    """A rule failed its tests; `str()` is the event and the explanation."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Adds the setting `trailsieve_rules`."""
    parser.addini("trailsieve_rules", "rule files whose tests are run", "args", _DEFAULT)


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> RuleFile | None:
    """Collects a rule file. For other files, nothing of trailsieve is imported."""
    if file_path.suffix != ".toml":
        return None
    root = parent.config.rootpath
    name = file_path.relative_to(root).as_posix() if file_path.is_relative_to(root) else file_path.as_posix()
    if any(_is_named(name, pattern) for pattern in parent.config.getini("trailsieve_rules")):
        return RuleFile.from_parent(parent, path=file_path)
    return None


def _is_named(name: str, pattern: str) -> bool:
    """Whether the path matches; a pattern without a folder matches the file name in any folder."""
    return fnmatch(name if "/" in pattern else name.rpartition("/")[2], pattern)


class RuleFile(pytest.File):
    """One rule file."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yields a test for each entry in each rule's tests."""
        from trailsieve.analysis.rule_tests import tests_of
        from trailsieve.errors import RuleError, visible_lines
        from trailsieve.rules.load import load_pack

        try:
            pack = load_pack(self.path)
        except RuleError as error:
            raise self.CollectError(visible_lines(str(error))) from None
        for rule in pack.rules:
            tests = list(tests_of(rule, pack))
            for test in tests:
                yield RuleItem.from_parent(self, name=f"{rule.id}[{test.name}]", line=rule.line, test=test)
            if not tests:
                yield RuleItem.from_parent(self, name=rule.id, line=rule.line, test=None)


class RuleItem(pytest.Item):
    """One entry in a rule's tests."""

    def __init__(self, *, line: int, test: RuleTest | None, **given: Any) -> None:
        super().__init__(**given)
        self.line = line
        self.test = test

    def runtest(self) -> None:
        """Runs the test; a rule without tests is skipped."""
        if self.test is None:
            pytest.skip("the rule has no tests")
        failed = [result for result in self.test.run() if result.failure]
        if failed:
            raise RuleTestError(
                "\n".join(
                    f"{result.place}: rule {result.rule}: {result.name}\n{result.failure}"
                    for result in failed
                )
            )

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The file and line, the event and the explanation, without a traceback."""
        from trailsieve.errors import visible_lines

        if isinstance(excinfo.value, RuleTestError):
            return visible_lines(str(excinfo.value))
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The file, the line (from 0) and the name of the test."""
        return self.path, self.line - 1, self.name
