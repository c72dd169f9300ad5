"""Servers that the tests of streams share; each test has its own bucket, queue or topic."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.servers import kafka as kafka_server
from tests.sources.kill_report import ROWS
from tests.sources.kill_report import lines as report_lines


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """What the kills cost."""
    if ROWS:
        terminalreporter.section("alerts of services that were killed")
        terminalreporter.write("\n".join(report_lines()) + "\n")


@contextmanager
def _running(brokers: int = 1, *, secured: bool = False) -> Iterator[kafka_server.Kafka]:
    """Brokers for the tests; skips where they cannot be had."""
    try:
        kafka_server.jars()
    except kafka_server.UnavailableError as error:
        pytest.skip(str(error))
    with kafka_server.kafka(brokers, secured=secured) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def kafka() -> Iterator[kafka_server.Kafka]:
    """One broker."""
    with _running() as cluster:
        yield cluster


@pytest.fixture(scope="session")
def three_kafkas() -> Iterator[kafka_server.Kafka]:
    """Three brokers, so that partitions have leaders that move."""
    with _running(3) as cluster:
        yield cluster


@pytest.fixture(scope="session")
def secured_kafka() -> Iterator[kafka_server.Kafka]:
    """One broker that listens with TLS and SASL too."""
    with _running(secured=True) as cluster:
        yield cluster
