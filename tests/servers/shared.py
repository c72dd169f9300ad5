"""The servers that tests share: each starts when the first test asks for it, and stops after the last.

A test that uses one declares it, so that `-m server` selects it: by a fixture of the server's name, or, where
a parameter decides, by `pytest.mark.server("kafka")`. One that does not declare it gets no server.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import os
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

import pytest

from tests.servers import chromium as chromium_server
from tests.servers import event_ruler
from tests.servers import kafka as kafka_server
from tests.servers import kinesis as kinesis_server
from tests.servers import moto as moto_server
from tests.servers import opensearch as opensearch_server
from tests.servers import syslog as syslog_server
from tests.servers.unavailable import UnavailableError

Made = TypeVar("Made")
declared: frozenset[str] | None = None  # servers that the running test declares; None outside of pytest
_running = contextlib.ExitStack()


def stop_all() -> None:
    """Stops what was started."""
    _running.close()


atexit.register(stop_all)


@functools.cache
def _start(name: str) -> Any:
    try:
        server = _running.enter_context(_STARTS[name]())
    except UnavailableError as error:
        pytest.skip(str(error))
    if isinstance(server, moto_server.Moto):
        os.environ.update(moto_server.ENVIRONMENT)  # credentials that are good for it
    return server


def get(name: str) -> Any:
    """The server of that name; skips the test where it cannot run.

    Raises:
        RuntimeError: the test does not declare that it needs it.
    """
    if declared is not None and name not in declared:
        raise RuntimeError(
            f'the test needs a server: use the fixture {name}, or pytest.mark.server("{name}")'
        )
    return _start(name)


_STARTS: dict[str, Callable[[], contextlib.AbstractContextManager[Any]]] = {
    "audited_moto": lambda: moto_server.running(INITIAL_NO_AUTH_ACTION_COUNT="1000000000"),
    "chromium": chromium_server.running,
    "event_ruler": event_ruler.running,
    "kafka": lambda: kafka_server.kafka(secured=True),
    "kinesis": kinesis_server.running,
    "moto": moto_server.running,
    "opensearch": opensearch_server.opensearch,
    "rsyslog": lambda: syslog_server.running("rsyslog"),
    "sink_moto": moto_server.running,
    "syslog-ng": lambda: syslog_server.running("syslog-ng"),
    "three_kafkas": lambda: kafka_server.kafka(3),
}


def kafka() -> kafka_server.Kafka:
    """One broker: in clear, and with TLS and a password."""
    server: kafka_server.Kafka = get("kafka")
    return server


def kinesis() -> kinesis_server.Kinesis:
    """Kinesis."""
    server: kinesis_server.Kinesis = get("kinesis")
    return server


def sink_moto() -> moto_server.Moto:
    """AWS for sinks, reset now and then."""
    server: moto_server.Moto = get("sink_moto")
    return server


def opensearch() -> opensearch_server.OpenSearch:
    """One node of OpenSearch."""
    server: opensearch_server.OpenSearch = get("opensearch")
    return server


def syslog(kind: syslog_server.Kind) -> syslog_server.Syslog:
    """One server of that kind."""
    server: syslog_server.Syslog = get(kind)
    return server


def parameters(table: Mapping[str, Any] | Iterable[str], needs: Mapping[str, str]) -> list[Any]:
    """A table's values, or texts, as parameters of a test, marked with the servers that they need by name."""
    rows = table.items() if isinstance(table, Mapping) else [(name, name) for name in table]
    return [
        pytest.param(value, id=name, marks=[pytest.mark.server(needs[name])] if name in needs else [])
        for name, value in rows
    ]
