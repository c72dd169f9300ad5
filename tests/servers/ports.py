"""Ports for servers that are stopped and started again."""

from __future__ import annotations

import contextlib
import random
import socket


def free_ports(count: int, kind: int = socket.SOCK_STREAM) -> list[int]:
    """Ports of 127.0.0.1 on which nobody listens.

    They are below those that the system gives to outgoing connections (32768 on Linux, see ip(7)): one of these
    could take the port of a server that is down for a moment. They are drawn, so that test processes do not meet.
    """
    with contextlib.ExitStack() as stack:
        ports: list[int] = []
        while len(ports) < count:
            probe = stack.enter_context(socket.socket(socket.AF_INET, kind))
            with contextlib.suppress(OSError):
                probe.bind(("127.0.0.1", random.SystemRandom().randrange(12_000, 32_000)))
                ports.append(probe.getsockname()[1])
        return ports
