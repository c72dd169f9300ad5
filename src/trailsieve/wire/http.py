"""The HTTP client of all sinks: connection pooling, a deadline per request, verified TLS, no redirects.

Proxies come from the environment (HTTPS_PROXY, HTTP_PROXY, NO_PROXY). Redirects are not followed, so that a
token only ever reaches the configured host. It does not retry: that is up to `engine.sink_worker`.
"""

from __future__ import annotations

import email.utils
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Annotated, Any
from urllib.parse import unquote, urlsplit

import msgspec
import orjson

from trailsieve.errors import SinkError, shorten
from trailsieve.secret import hide_credentials

_WORTH_GZIP = 1024  # bytes
_MAX_RESPONSE = 64 * 2**20  # bytes read from a response
_LONGEST_WAIT = 3600.0  # seconds; a longer Retry-After is cut to this
_SHOWN = 300  # characters of a response in an error message
_NO_SECRETS = {"accept", "content-type", "user-agent"}  # all other headers may hold a token
_TIMED_OUT = "no answer in time"

HTTP_URL = msgspec.Meta(
    pattern=r"^https?://(\[[0-9A-Fa-f:.]+\]|[^/?#@:\[\]\s]+)(:[0-9]{1,5})?([/?#]|$)",
    description="a URL with http:// or https:// and without a user, such as https://siem.example:8088",
)
HttpUrl = Annotated[str, HTTP_URL]


class HttpConfig(msgspec.Struct, kw_only=True):
    """Settings shared by all HTTP sinks.

    Attributes:
        timeout: seconds for a whole request, from the connection to the last byte of the response.
        ca_file: CA certificates (PEM) to trust instead of the system's.
        client_certificate: a client certificate (PEM).
        client_key: its key (PEM) if that is in another file.
        gzip: whether request bodies are compressed.
    """

    timeout: float = 30.0
    ca_file: str | None = None
    client_certificate: str | None = None
    client_key: str | None = None
    gzip: bool = True


Sign = Callable[[str, str, bytes, Mapping[str, str]], Mapping[str, str]]


class UnreachableError(Exception):
    """There was no response; the receiver may have processed the request all the same.

    The text is the reason, without the receiver's address.
    """


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """Status, headers (names in lower case) and body of a response."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> float | None:
        """`Retry-After` in seconds, from a number or a date (RFC 9110, 10.2.3); None without one."""
        text = self.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit():
            return min(float(text[:9]), _LONGEST_WAIT)
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
        return min(max(0.0, seconds), _LONGEST_WAIT)

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; {} if it is anything else."""
        content = self._decoded()
        return content if isinstance(content, dict) else {}

    @property
    def is_json_object(self) -> bool:
        """Whether the body is a JSON object."""
        return isinstance(self._decoded(), dict)

    def _decoded(self) -> Any:
        try:
            return orjson.loads(self.body)
        except orjson.JSONDecodeError:
            return None

    def describe(self) -> str:
        """Status and body in one line, for an error message."""
        text = shorten(self.body[: 4 * _SHOWN].decode("utf-8", "replace").strip(), _SHOWN)
        return f"answered {self.status}{': ' if text else ''}{text}"


class Client:
    """An HTTP client for one host.

    Args:
        url: scheme, host, port, and a prefix of all paths.
        headers: sent with every request; their values are secrets, which are masked in every message.
        sign: takes method, URL, body (compressed) and headers, and returns the headers with a signature.

    Raises:
        SinkError: the URL is not usable, or a certificate file cannot be loaded.
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
        for name, value in self._headers.items():
            if name.lower() not in _NO_SECRETS:
                hide_credentials(value, f"({name})")
        self.pool = _pool(parts.scheme, parts.hostname, config)

    def post(
        self, path: str, body: bytes, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> HttpResponse:
        """Sends a body, compressed from 1 KiB on, and returns the response, whatever its status.

        Raises:
            UnreachableError: there was no response.
            SinkError: the server's certificate is not trusted, or it rejects ours.
        """
        sent = {**self._headers, **(headers or {})}
        if self._config.gzip and len(body) >= _WORTH_GZIP:
            from isal import igzip

            body = igzip.compress(body, compresslevel=1)
            sent["Content-Encoding"] = "gzip"
        return self._request(method, path, body, sent)

    def get(self, path: str, headers: Mapping[str, str] | None = None, method: str = "GET") -> HttpResponse:
        """The response to a request without a body; raises what `post` raises."""
        return self._request(method, path, None, {**self._headers, **(headers or {})})

    def deadline(self) -> AbstractContextManager[None]:
        """Limits what this thread does with `pool` to `timeout` seconds in all."""
        from trailsieve.wire.deadline import deadline

        return deadline(self._config.timeout)

    def close(self) -> None:
        """Closes the connections."""
        self.pool.clear()

    def _request(
        self, method: str, path: str, body: bytes | None, headers: Mapping[str, str]
    ) -> HttpResponse:
        import urllib3.exceptions as known

        url = f"{self._url}{path}"
        signed = self._sign(method, url, body or b"", headers) if self._sign else headers
        try:
            with self.deadline():
                response = self.pool.request(
                    method,
                    url,
                    body=body,
                    headers=signed,
                    redirect=False,
                    retries=False,
                    preload_content=False,
                    timeout=self._config.timeout,
                )
                text = response.read(_MAX_RESPONSE, decode_content=True)
            response.close() if len(text) == _MAX_RESPONSE else response.release_conn()
        except known.HTTPError as error:
            reason = _reason(error)
            if "CERTIFICATE" in reason or "certificate" in reason:
                raise SinkError(f"{self.host}: {reason}; see `ca_file` and `client_certificate`") from None
            if reason == _TIMED_OUT:
                reason = f"{reason}: it must be complete within {self._config.timeout:g} seconds (`timeout`)"
            if "WRONG_VERSION_NUMBER" in reason:
                reason = "the response is not TLS; does it speak http://?"
            raise UnreachableError(reason) from None
        except OSError as error:
            raise UnreachableError(str(error.strerror or error)) from None
        return HttpResponse(
            response.status, {name.lower(): text for name, text in response.headers.items()}, text
        )


def _pool(scheme: str, host: str, config: HttpConfig) -> Any:
    """A urllib3 pool, through a proxy if the environment sets one for this host."""
    import ssl

    import urllib3

    from trailsieve.wire.deadline import limited_pools

    try:
        trust = ssl.create_default_context(cafile=config.ca_file)
        if config.client_certificate:
            trust.load_cert_chain(config.client_certificate, config.client_key)
    except (OSError, ssl.SSLError) as error:
        files = ", ".join(filter(None, (config.ca_file, config.client_certificate, config.client_key)))
        raise SinkError(f"{files}: cannot be used as certificates: {error}") from None
    proxy = None if urllib.request.proxy_bypass(host) else urllib.request.getproxies().get(scheme)
    options: dict[str, Any] = {"maxsize": 2, "ssl_context": trust}
    pool = (
        urllib3.ProxyManager(proxy, proxy_headers=_proxy_headers(proxy), **options)
        if proxy
        else urllib3.PoolManager(**options)
    )
    pool.pool_classes_by_scheme = limited_pools(urllib3.HTTPConnectionPool, urllib3.HTTPSConnectionPool)
    return pool


def _proxy_headers(proxy: str) -> dict[str, str] | None:
    """The header that carries the user and password of a proxy's URL, which urllib3 ignores."""
    import urllib3

    login, at, _ = urlsplit(proxy).netloc.rpartition("@")
    return dict(urllib3.make_headers(proxy_basic_auth=unquote(login))) if at else None


def _reason(error: BaseException) -> str:
    """The innermost cause, without the object names that urllib3 adds."""
    import urllib3.exceptions as known

    timed_out = isinstance(error, known.ConnectTimeoutError | known.ReadTimeoutError)
    timed_out = timed_out or (isinstance(error, TimeoutError) and not error.strerror)
    if timed_out and not isinstance(error, known.NewConnectionError):
        return _TIMED_OUT
    last = error.args[-1] if error.args else None
    for cause in (getattr(error, "reason", None), error.__cause__, last):
        if isinstance(cause, BaseException) and cause is not error:
            return _reason(cause)
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return shorten(str(error).rpartition(">: ")[2] or error.__class__.__name__, _SHOWN)
