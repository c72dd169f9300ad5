"""One HTTP client for every receiver of alerts: connections kept, time-outs, TLS verified, nothing followed.

Proxies come from the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY). Redirects are not followed: a token
goes to the host that it was given for, and no other. Nothing is retried
here: `engine.sink_worker` does that.
"""

from __future__ import annotations

import email.utils
import time
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import msgspec
import orjson

from trailsieve.errors import SinkError, shorten

_WORTH_GZIP = 1024  # bytes
_MAX_ANSWER = 64 * 2**20  # bytes that are read of an answer
_LONGEST_WAIT = 3600.0  # seconds, whatever Retry-After says
_SHOWN = 300  # characters of an answer that an error shows


class HttpConfig(msgspec.Struct, kw_only=True):
    """Settings of everything that speaks HTTP.

    Attributes:
        timeout: seconds to wait for a connection, and for each piece of an answer.
        ca_file: certificates (PEM) to trust instead of the system's.
        client_certificate: our own certificate (PEM); `client_key` is its key when that is another file.
        gzip: whether bodies are compressed.
    """

    timeout: float = 30.0
    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    gzip: bool = True


Sign = Callable[[str, str, bytes, Mapping[str, str]], Mapping[str, str]]


class UnreachableError(Exception):
    """No answer: the receiver may have taken the request all the same."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a receiver answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def wait(self) -> float | None:
        """Seconds of `Retry-After`, given as a number or a date (RFC 9110, 10.2.3); None without one."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), _LONGEST_WAIT)
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
        return min(max(0.0, seconds), _LONGEST_WAIT)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one when it is none."""
        try:
            content = orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return {}
        return content if isinstance(content, dict) else {}

    def shown(self) -> str:
        """Status and text in one line, for an error."""
        text = shorten(self.body[: 4 * _SHOWN].decode("utf-8", "replace").strip(), _SHOWN)
        return f"answered {self.status}{': ' if text else ''}{text}"


class Client:
    """Speaks to one host.

    Args:
        url: scheme, host, port and a path that all paths are put after.
        headers: sent with every request; among them the token, which no error shows.
        sign: given method, URL, body as it is sent and headers, returns the headers with a signature.
    """

    def __init__(
        self,
        url: str,
        config: HttpConfig,
        headers: Mapping[str, str] | None = None,
        sign: Sign | None = None,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SinkError(f"{shorten(url, 100)}: write a URL such as https://siem.example:8088")
        if parts.username or parts.password:
            raise SinkError(
                f"{parts.hostname}: a user or password in the URL is not used; there are settings for it"
            )
        self._url = url.rstrip("/")
        self.host = parts.netloc
        self._config = config
        self._sign = sign
        self._headers = {"User-Agent": "trailsieve", **(headers or {})}
        self.pool = _pool(parts.scheme, parts.hostname, config)

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> Answer:
        """Sends a body, compressed when it is worth it.

        Raises:
            UnreachableError: there is no answer; `str` says why in a few words.
            SinkError: the certificate of the other side cannot be trusted.
        """
        sent = {**self._headers, **(headers or {})}
        if self._config.gzip and len(body) >= _WORTH_GZIP:
            from isal import igzip

            body = igzip.compress(body, compresslevel=1)
            sent["Content-Encoding"] = "gzip"
        return self._request(method, path, body, sent)

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        """Asks; raises what `post` raises."""
        return self._request(method, path, None, {**self._headers, **(headers or {})})

    def close(self) -> None:
        """Closes the connections."""
        self.pool.clear()

    def _request(self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]) -> Answer:
        import urllib3.exceptions as known

        url = f"{self._url}{path}"
        signed = self._sign(method, url, body or b"", headers) if self._sign else headers
        try:
            answer = self.pool.request(
                method,
                url,
                body=body,
                headers=signed,
                redirect=False,
                retries=False,
                preload_content=False,
                timeout=self._config.timeout,
            )
            text = answer.read(_MAX_ANSWER, decode_content=True)
            answer.close() if len(text) == _MAX_ANSWER else answer.release_conn()
        except known.HTTPError as error:
            reason = _reason(error)
            if "CERTIFICATE" in reason or "certificate" in reason:
                raise SinkError(f"{self.host}: {reason}; see `ca_file` and `client_certificate`") from None
            raise UnreachableError(f"{self.host}: {reason}") from None
        except OSError as error:
            raise UnreachableError(f"{self.host}: {error.strerror or error}") from None
        return Answer(answer.status, {name.lower(): text for name, text in answer.headers.items()}, text)


def _pool(scheme: str, host: str, config: HttpConfig) -> Any:
    """urllib3's pool, through a proxy when the environment names one for this host."""
    import ssl

    import urllib3

    try:
        trust = ssl.create_default_context(cafile=config.ca_file)
        if config.client_certificate:
            trust.load_cert_chain(config.client_certificate, config.client_key)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(filter(None, (config.ca_file, config.client_certificate, config.client_key)))
        raise SinkError(f"{files}: cannot be used as certificates: {error}") from None
    proxy = None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(scheme)
    options: dict[str, Any] = {"maxsize": 2, "ssl_context": trust}
    return urllib3.ProxyManager(proxy, **options) if proxy else urllib3.PoolManager(**options)


def _reason(error: BaseException) -> str:
    """The innermost cause, without the objects that urllib3 prints around it."""
    import urllib3.exceptions as known

    timed_out = isinstance(error, known.ConnectTimeoutError | known.ReadTimeoutError)
    if timed_out and not isinstance(error, known.NewConnectionError):
        return "no answer in time"
    last = error.args[-1] if error.args else None
    for cause in (getattr(error, "reason", None), error.__cause__, last):
        if isinstance(cause, BaseException) and cause is not error:
            return _reason(cause)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return shorten(str(error).rpartition(">: ")[2] or error.__class__.__name__, _SHOWN)
