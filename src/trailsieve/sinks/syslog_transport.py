"""The connection to a syslog receiver: UDP, TCP, or TLS with an optional client certificate."""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

from trailsieve.errors import SinkError
from trailsieve.secret import Secret

_PORTS = {"udp": 514, "tcp": 601, "tls": 6514}
_REFUSAL = 0.2  # seconds to wait for a rejected client certificate, which TLS 1.3 reports after the handshake
_CHUNK = 256 * 1024  # bytes


class TransportConfig(Struct, kw_only=True):
    """Settings of the connection.

    Attributes:
        host: name or address; with TLS, the name in the certificate.
        transport: `tls`, `tcp` or `udp`. Only TLS protects alerts from being read or forged in transit.
        port: by default 6514 for TLS, 601 for TCP and 514 for UDP.
        ca_file: CA certificates (PEM) to trust instead of the system's.
        cert_file: a client certificate (PEM).
        key_file: its key.
        key_password: the password of the key.
        timeout: seconds to wait for a connection and for each write.
    """

    host: str
    transport: Literal["tls", "tcp", "udp"] = "tls"
    port: int = 0
    ca_file: str | None = None
    cert_file: str | None = None
    key_file: str | None = None
    key_password: Secret | None = None
    timeout: float = 30.0

    def __post_init__(self) -> None:
        if not 0 <= self.port <= 65_535:
            raise ValueError("`port` must be at most 65535")
        if self.transport != "tls" and (self.ca_file or self.cert_file):
            raise ValueError('`ca_file` and `cert_file` need transport = "tls"')


class SyslogTransport:
    """At most one socket. Methods raise OSError for network errors and SinkError for certificate errors."""

    def __init__(self, config: TransportConfig) -> None:
        self._config = config
        self._port = config.port or _PORTS[config.transport]
        self._socket: socket.socket | None = None
        self._context = self._tls() if config.transport == "tls" else None
        self.name = f"{config.host}:{self._port}"
        self.stream = config.transport != "udp"
        self.now = time.monotonic

    def is_alive(self) -> bool:
        """Whether the connection is open; receivers never send data, so anything readable is the end."""
        if self._socket is None:
            return False
        if self.stream and self._is_closed():
            self.close()
            return False
        return True

    def send(self, messages: Sequence[bytes]) -> None:
        """Writes messages, connecting first if necessary."""
        if self._socket is None:
            self._socket = self._connect()
        try:
            if self.stream:
                whole = b"".join(messages)
                for start in range(0, len(whole), _CHUNK):
                    self._socket.sendall(whole[start : start + _CHUNK])
            else:
                for message in messages:
                    self._socket.send(message)
        except ssl.SSLError as error:
            self.close()
            raise self._tls_error(error) from None

    def check(self) -> str:
        """Connects and returns a description of the connection."""
        self.close()
        try:
            self._socket = self._connect()
        except OSError as error:
            raise SinkError(f"syslog {self.name}: {error.strerror or error}") from None
        if not isinstance(self._socket, ssl.SSLSocket):
            return f"{self.name} " + (
                "is connected" if self.stream else "is a UDP receiver, which cannot confirm anything"
            )
        certificate = self._socket.getpeercert() or {}
        until = certificate.get("notAfter", "?")
        return f"{self.name} is connected with {self._socket.version()}, its certificate ends {until}"

    def close(self) -> None:
        """Closes the connection, gracefully if possible."""
        ended, self._socket = self._socket, None
        if ended is None:
            return
        try:
            if self.stream:
                ended.settimeout(1)
                # Waits for the other side to close, so that it has read everything.
                ended = ended.unwrap() if isinstance(ended, ssl.SSLSocket) else ended
                ended.shutdown(socket.SHUT_WR)
                ended.recv(1)
        except (OSError, ValueError):
            pass
        finally:
            ended.close()

    def _connect(self) -> socket.socket:
        kind = socket.SOCK_STREAM if self.stream else socket.SOCK_DGRAM
        if not self.stream:
            family, _, _, _, address = socket.getaddrinfo(self._config.host, self._port, type=kind)[0]
            plain = socket.socket(family, kind)
            plain.settimeout(self._config.timeout)
            plain.connect(address)
            return plain
        plain = socket.create_connection((self._config.host, self._port), self._config.timeout)
        plain.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self._context is None:
            return plain
        try:
            wrapped = self._context.wrap_socket(plain, server_hostname=self._config.host)
        except ssl.SSLError as error:
            plain.close()
            raise self._tls_error(error) from None
        self._socket = wrapped
        if select.select([wrapped], [], [], _REFUSAL)[0] and self._is_closed():
            self.close()
            raise ConnectionResetError(0, "the receiver closed the connection at once")
        return wrapped

    def _is_closed(self) -> bool:
        """Whether the other side closed the connection; raises if it rejected our certificate."""
        assert self._socket is not None
        self._socket.setblocking(False)
        try:
            while True:
                if not self._socket.recv(4096):
                    return True
        except (BlockingIOError, ssl.SSLWantReadError):
            return False
        except ssl.SSLError as error:
            raise self._tls_error(error) from None
        except OSError:
            return True
        finally:
            self._socket.settimeout(self._config.timeout)

    def _tls(self) -> ssl.SSLContext:
        config = self._config
        try:
            context = ssl.create_default_context(cafile=config.ca_file)
            context.minimum_version = ssl.TLSVersion.TLSv1_2
            if config.cert_file:
                context.load_cert_chain(config.cert_file, config.key_file, config.key_password)
        except (OSError, ValueError) as error:
            files = ", ".join(filter(None, (config.ca_file, config.cert_file, config.key_file)))
            raise SinkError(f"syslog {config.host}: {files}: {error}") from None
        return context

    def _tls_error(self, error: ssl.SSLError) -> Exception:
        """SinkError for a certificate problem, which a person must fix; else an OSError."""
        if isinstance(error, ssl.SSLCertVerificationError):
            text = f"its certificate is not trusted: {error.verify_message}; renew it, or correct `ca_file`"
            return SinkError(f"syslog {self.name}: {text}")
        reason = error.reason or str(error)
        if "CERTIFICATE" in reason or "UNKNOWN_CA" in reason:
            shown = reason.replace("_", " ").lower()
            return SinkError(
                f"syslog {self.name}: it rejects our certificate: {shown}; is `cert_file` right?"
            )
        return ConnectionResetError(0, reason)
