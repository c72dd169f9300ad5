"""Which sinks accepted which alerts of an epoch that was not committed, so a restart does not repeat them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import orjson

from trailsieve.model import Alert

_KEY = "accepted"  # in the checkpoint's state


class Accepted:
    """Alerts by sink; empty unless a required sink failed or the run was stopped while one was down."""

    def __init__(self) -> None:
        self._by_sink: dict[str, set[str]] = {}

    def restore(self, state: Mapping[str, bytes]) -> None:
        """Goes on from a checkpoint's state."""
        self._by_sink = {sink: set(keys) for sink, keys in orjson.loads(state.get(_KEY, b"{}")).items()}

    def has(self, sink: str, alert: Alert) -> bool:
        """Returns whether a sink accepted an alert before."""
        return _key(alert) in self._by_sink.get(sink, ())

    def add(self, sink: str, alerts: Iterable[Alert]) -> dict[str, bytes | None]:
        """Adds what a sink accepted, and returns the state to save."""
        self._by_sink.setdefault(sink, set()).update(map(_key, alerts))
        return {_KEY: orjson.dumps({name: sorted(keys) for name, keys in self._by_sink.items()})}

    def committed(self, alerts: Iterable[Alert]) -> dict[str, bytes | None]:
        """Forgets alerts of an epoch that is committed, and returns the change of the state."""
        if not self._by_sink:
            return {}
        keys = set(map(_key, alerts))
        for sink in list(self._by_sink):
            self._by_sink[sink] -= keys
            if not self._by_sink[sink]:
                del self._by_sink[sink]
        return {} if self._by_sink else {_KEY: None}


def _key(alert: Alert) -> str:
    """A provisional alert and the one that confirms it have the same id."""
    return f"{alert.id}{'-provisional' * alert.provisional}{'-confirms' * alert.confirms}"
