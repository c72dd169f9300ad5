"""What all tests share: the servers, the tier that needs them, and the rule that CI skips nothing."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from trailsieve import secret

ROOT = Path(__file__).resolve().parents[1]
IN_CI = bool(os.environ.get("CI"))

# Tests ask for a share of their examples: tests/examples.py.
settings.register_profile("dev", max_examples=20, deadline=None)
settings.register_profile("ci", max_examples=100, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "dev"))


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def shared() -> Path:
    """Recorded answers of AWS and real events, which stand beside the repository where it is developed."""
    folder = ROOT.parent / "shared"
    if not folder.is_dir():
        pytest.skip("no ../shared folder with recorded answers of AWS beside the repository")
    return folder


@pytest.fixture(autouse=True)
def no_secrets() -> None:
    """No test masks the secrets of another."""
    secret._known, secret._pattern = {}, None


def _server(name: str) -> Callable[[], Any]:
    """A fixture that gives one of the servers of `tests.servers.shared`; session-wide, as what others fill is."""

    def server() -> Any:
        from tests.servers import shared

        return shared.get(name)

    return pytest.fixture(name=name, scope="session")(server)


audited_moto = _server("audited_moto")
chromium = _server("chromium")
event_ruler = _server("event_ruler")
kafka = _server("kafka")
kinesis = _server("kinesis")
moto = _server("moto")
opensearch = _server("opensearch")
sink_moto = _server("sink_moto")
three_kafkas = _server("three_kafkas")


SERVERS = {
    "audited_moto",
    "chromium",
    "event_ruler",
    "kafka",
    "kinesis",
    "moto",
    "opensearch",
    "sink_moto",
    "three_kafkas",
}


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Marks tests that use the fixture of a server; tests of one server go to one worker, which starts it."""
    for item in items:
        used = SERVERS & set(getattr(item, "fixturenames", ()))
        if used:
            item.add_marker(pytest.mark.server(*sorted(used)))
        if servers := _servers_of(item):
            item.add_marker(pytest.mark.xdist_group(min(servers)))
            # Clients that fail to connect leave sockets to the garbage collector.
            item.add_marker(
                pytest.mark.filterwarnings("ignore:unclosed <(ssl.SSLSocket|socket):ResourceWarning")
            )


def _servers_of(item: pytest.Item) -> frozenset[str]:
    return frozenset(name for marker in item.iter_markers("server") for name in marker.args)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A test gets the servers that it declares and no other."""
    if shared := sys.modules.get("tests.servers.shared"):
        vars(shared)["declared"] = _servers_of(item)


def pytest_sessionfinish() -> None:
    """Stops the servers: workers of xdist end without running `atexit`."""
    if shared := sys.modules.get("tests.servers.shared"):
        shared.stop_all()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Adds up what tests counted with `record_property("pairs", …)`."""
    reports = terminalreporter.getreports("passed")
    pairs = sum(count for report in reports for name, count in report.user_properties if name == "pairs")
    if pairs:
        terminalreporter.write_line(f"{pairs:,} pairs of an event and a converted rule compared")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """In CI a skipped test is a failed one: everything that can be tested is there."""
    report = yield
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"
    return report
