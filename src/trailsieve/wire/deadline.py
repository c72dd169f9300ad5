"""A deadline over a whole HTTP request. urllib3's own timeouts start over with every byte that arrives.

The deadline belongs to the thread, not to a connection: connections are kept and serve later requests.
"""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from urllib3 import HTTPConnectionPool

_thread = threading.local()


def begin(seconds: float) -> None:
    """Begins a deadline, which holds until the next one begins in this thread."""
    _thread.ends = time.monotonic() + seconds


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Makes reads and writes of this thread on sockets of this module end `seconds` from now."""
    begin(seconds)
    try:
        yield
    finally:
        _thread.ends = None


def _limit(connection: socket.socket) -> None:
    """Gives the next operation of a socket what is left of the deadline.

    Raises:
        TimeoutError: nothing is left.
    """
    ends = getattr(_thread, "ends", None)
    if ends is None:
        return
    left = ends - time.monotonic()
    if left <= 0:
        raise TimeoutError("timed out")
    connection.settimeout(left)


class _Socket(socket.socket):
    def recv_into(self, *args: Any, **options: Any) -> int:
        _limit(self)
        return super().recv_into(*args, **options)

    def recv(self, *args: Any) -> bytes:
        _limit(self)
        return super().recv(*args)

    def sendall(self, *args: Any) -> None:
        _limit(self)
        super().sendall(*args)


class _TlsSocket(_Socket, ssl.SSLSocket):
    def send(self, *args: Any) -> int:  # `sendall` calls it for each part
        _limit(self)
        return super().send(*args)

    def do_handshake(self, block: bool = False) -> None:
        _limit(self)
        super().do_handshake(block)


class _Limited:
    """Makes a connection of urllib3 use the sockets of this module."""

    def _new_conn(self) -> socket.socket:
        context = getattr(self, "ssl_context", None)
        if context is not None:
            context.sslsocket_class = _TlsSocket
        connection: socket.socket = super()._new_conn()  # type: ignore[misc]
        timeout = connection.gettimeout()
        same = _Socket(connection.family, connection.type, connection.proto, connection.detach())
        same.settimeout(timeout)
        return same


def limited_pools(*pools: type[HTTPConnectionPool]) -> dict[str, Any]:
    """Returns subclasses of connection pools of urllib3, by scheme, whose connections keep deadlines."""
    return {
        pool.scheme or "": type(
            pool.__name__,
            (pool,),
            {"ConnectionCls": type(pool.ConnectionCls.__name__, (_Limited, pool.ConnectionCls), {})},
        )
        for pool in pools
    }
