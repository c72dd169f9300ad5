"""Alerts a second that each HTTP sink hands over to its receiver on this machine: `make bench-sinks`.

The receivers of the tests are written in Python and share the machine: of a sink's time, `sink CPU` is its own.
Beside it stands what the receiver takes from a client that only repeats the bytes that the sink sent.
"""

from __future__ import annotations

import http.client
import time
from dataclasses import replace

from tests.servers import shared
from tests.servers.receiver import Request
from tests.sinks.faults import alerts
from tests.sinks.opened import PAIRS, Pair, search
from trailsieve.ports import RunContext
from trailsieve.sinks import opensearch

COUNT, BATCH = 20_000, 500  # of the run's outlets, one batch has 500
_HOP = {"host", "content-length", "connection", "accept-encoding"}


def measure(pair: Pair) -> tuple[float, float, float]:
    """Alerts a second, those of the sink's own CPU time, and those that the receiver takes by itself."""
    given = alerts(COUNT)
    pair.sink.deliver(given[:BATCH])  # connections, imports
    pair.receiver.requests.clear()
    started, cpu = time.perf_counter(), time.thread_time()
    for start in range(0, COUNT, BATCH):
        pair.sink.deliver(given[start : start + BATCH])
    took, own = time.perf_counter() - started, time.thread_time() - cpu
    return COUNT / took, COUNT / own, COUNT / _replay(pair.receiver.port, list(pair.receiver.requests))


def measure_opensearch() -> tuple[float, float, float]:
    """The same without the relay of the tests, each run in a new data stream, after one that warms the node up.

    The bytes are replayed before and after the sink's own run: the node gets faster all the time.
    """
    pair = search()
    given = alerts(COUNT)
    for start in range(0, COUNT, BATCH):
        pair.sink.deliver(given[start : start + BATCH])
    pair.close()
    node = shared.opensearch()
    sink = opensearch.open_sink(opensearch.Config(url=node.url, index="bench"), RunContext())
    sink.install_template()
    before = _replay(
        node.port, [replace(request, target="/bench-1/_bulk") for request in pair.receiver.requests]
    )
    started, cpu = time.perf_counter(), time.thread_time()
    for start in range(0, COUNT, BATCH):
        sink.deliver(given[start : start + BATCH])
    took, own = time.perf_counter() - started, time.thread_time() - cpu
    sink.close()
    after = _replay(
        node.port, [replace(request, target="/bench-2/_bulk") for request in pair.receiver.requests]
    )
    return COUNT / took, COUNT / own, 2 * COUNT / (before + after)


def _replay(port: int, requests: list[Request]) -> float:
    """Seconds that the receiver takes for the same bytes from a client that does nothing else."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    started = time.perf_counter()
    for request in requests:
        headers = {name: text for name, text in request.headers.items() if name not in _HOP}
        connection.request(request.method, request.target, request.sent, headers)
        connection.getresponse().read()
    took = time.perf_counter() - started
    connection.close()
    return took


def show(name: str, figures: tuple[float, ...]) -> None:
    """One line of the table."""
    print(f"| {name} | {' | '.join(f'{figure:,.0f}' for figure in figures)} |", flush=True)


def main() -> None:
    """Prints the table as Markdown."""
    print(f"{COUNT:,} alerts in batches of {BATCH}\n")
    print("| sink | alerts/s | by the sink's own CPU time | receiver's limit |")
    print("| --- | --: | --: | --: |")
    for name, opened in PAIRS.items():
        if name == "splunk_hec with ack":
            continue  # it waits for acknowledgements, half a second a batch
        if name == "opensearch":
            show(name, measure_opensearch())
            continue
        pair = opened()
        try:
            show(name, measure(pair))
        finally:
            pair.close()


if __name__ == "__main__":
    main()
