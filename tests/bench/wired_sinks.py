"""Alerts a second of each sink that speaks something else than plain HTTP, into its receiver: `make bench-sinks`.

The receivers share the machine; beside the figure stands the sink's own CPU time.
"""

from __future__ import annotations

import time

from tests.sinks.faults import alerts
from tests.sinks.wired import AWS, WIRED, Wired, _seen, end_with_servers

BATCH, BATCHES = 1000, 20
AWS_BATCH, AWS_BATCHES = 100, 5  # moto takes some hundreds a second


def measure(wired: Wired, batch: int, batches: int) -> tuple[float, float]:
    """Alerts a second until all are handed over, which are then all found at the receiver, and those of the sink's own CPU time."""
    given = alerts(batch * (batches + 1))
    wired.sink.deliver(given[:batch])  # connections, imports
    started, cpu = time.perf_counter(), time.thread_time()
    for start in range(batch, len(given), batch):
        wired.sink.deliver(given[start : start + batch])
    took, own = time.perf_counter() - started, time.thread_time() - cpu
    missing = {alert.id for alert in given} - set(_seen(wired, {alert.id for alert in given}))
    if missing:
        raise SystemExit(f"{len(missing)} alerts did not arrive")
    return batch * batches / took, batch * batches / own


def main() -> None:
    """Prints the table as Markdown."""
    end_with_servers()
    print("\n| sink | alerts/s | by the sink's own CPU time |")
    print("| --- | --: | --: |")
    for name, opened in WIRED.items():
        if name.endswith(" udp"):
            continue  # nothing holds a sender back: what is too fast is lost
        wired = opened()
        try:
            figures = measure(wired, *((AWS_BATCH, AWS_BATCHES) if name in AWS else (BATCH, BATCHES)))
            print(f"| {name} | {' | '.join(f'{figure:,.0f}' for figure in figures)} |", flush=True)
        finally:
            wired.close()


if __name__ == "__main__":
    main()
