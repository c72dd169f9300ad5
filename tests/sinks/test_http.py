"""The one HTTP client: trust, time, proxies, and what errors never show."""

from __future__ import annotations

import base64
import datetime
import random
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from tests.servers.receiver import Drip, Receiver, Reply, Request
from trailsieve.errors import SinkError
from trailsieve.wire.http import Client, HttpConfig, HttpResponse, UnreachableError

SECRET = "Splunk b5a1f0aa-secret"


class Echo(Receiver):
    """Answers well, with how the body came."""

    max_bytes = 10**9

    def answer(self, request: Request) -> Reply:
        if request.path == "/elsewhere":
            return Reply(307, b"", {"Location": f"{self.url}/here"})
        return Reply(200, {"size": len(request.body), "encoding": request.headers.get("content-encoding")})


@pytest.fixture
def echo() -> Iterator[Echo]:
    receiver = Echo()
    yield receiver
    receiver.close()


def client(url: str, config: HttpConfig | None = None) -> Client:
    return Client(url, config or HttpConfig(timeout=5), {"Authorization": SECRET})


def test_large_bodies_are_compressed_and_small_ones_not(echo: Echo) -> None:
    asked = client(echo.url)
    assert asked.post("/", b"a" * 5000).json() == {"size": 5000, "encoding": "gzip"}
    assert asked.post("/", b"a" * 50).json() == {"size": 50, "encoding": None}
    plain = client(echo.url, HttpConfig(gzip=False))
    assert plain.post("/", b"a" * 5000).json() == {"size": 5000, "encoding": None}
    assert len(echo.requests[0].sent) < 100


def test_one_connection_serves_many_requests(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = []
    connect = socket.create_connection

    def counted(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        opened.append(address)
        return connect(address)

    monkeypatch.setattr("urllib3.util.connection.create_connection", counted)
    asked = client(echo.url)
    for _ in range(20):
        asked.post("/", b"x")
    assert len(opened) == 1


def test_a_redirect_is_not_followed(echo: Echo) -> None:
    assert client(echo.url).post("/elsewhere", b"x").status == 307
    assert [request.path for request in echo.requests] == ["/elsewhere"]


def test_no_answer_is_told_in_a_few_words() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        port = silent.getsockname()[1]
        with pytest.raises(UnreachableError, match=r"^Connection refused$"):
            client(f"http://127.0.0.1:{port}").post("/", b"x")
        silent.listen()
        with pytest.raises(UnreachableError, match="no answer in time") as caught:
            client(f"http://127.0.0.1:{port}", HttpConfig(timeout=0.2)).post("/", b"x")
    assert SECRET not in str(caught.value)
    with pytest.raises(UnreachableError, match=r"^Name or service not known$|resolve|name resolution"):
        client("http://no.such.host.invalid:1").post("/", b"x")


@pytest.mark.parametrize("head", [True, False])
@pytest.mark.parametrize("tls", [True, False])
def test_a_response_that_comes_byte_by_byte_is_given_up(
    head: bool, tls: bool, authority: trustme.CA, tmp_path: Path
) -> None:
    config = HttpConfig(timeout=1, ca_file=trusting(authority, tmp_path))
    with serving(authority.issue_cert("127.0.0.1")) if tls else Echo() as receiver:
        asked = client(receiver.url, config)
        receiver.faults.append(Drip(head))
        with pytest.raises(UnreachableError, match=r"no answer in time.* 1 seconds \(`timeout`\)"):
            asked.post("/", b"x")
        assert asked.post("/", b"x").status == 200


@pytest.mark.parametrize("url", ["splunk.example:8088", "ftp://a", "https://", "https://user:secret@host"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(SinkError) as caught:
        client(url)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "wait"),
    [("120", 120), ("0", 0), ("999999999999", 3600), ("", None), ("soon", None), ("-1", None), ("١", None)],
)
def test_retry_after(text: str, wait: float | None) -> None:
    assert HttpResponse(503, {"retry-after": text} if text else {}, b"").retry_after == wait


def test_retry_after_as_a_date() -> None:
    def wait(seconds: float) -> float | None:
        from email.utils import formatdate

        return HttpResponse(
            503, {"retry-after": formatdate(time.time() + seconds, usegmt=True)}, b""
        ).retry_after

    assert wait(-100) == 0
    assert 90 < (wait(100) or 0) <= 101
    assert wait(10**6) == 3600


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def serving(certificate: trustme.LeafCert, asks: trustme.CA | None = None) -> Echo:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    if asks:
        asks.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return Echo(tls=context)


def trusting(authority: trustme.CA, folder: Path) -> str:
    path = folder / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def test_tls_is_verified(authority: trustme.CA, tmp_path: Path) -> None:
    with serving(authority.issue_cert("127.0.0.1")) as receiver:
        with pytest.raises(SinkError, match=r"certificate verify failed.*ca_file"):
            client(receiver.url).post("/", b"x")
        config = HttpConfig(ca_file=trusting(authority, tmp_path))
        assert client(receiver.url, config).post("/", b"x").status == 200


def test_the_name_in_a_certificate_must_be_right(authority: trustme.CA, tmp_path: Path) -> None:
    config = HttpConfig(ca_file=trusting(authority, tmp_path))
    with (
        serving(authority.issue_cert("siem.example")) as receiver,
        pytest.raises(SinkError, match=r"127\.0\.0\.1"),
    ):
        client(receiver.url, config).post("/", b"x")


def test_an_expired_certificate_ends_it(authority: trustme.CA, tmp_path: Path) -> None:
    config = HttpConfig(ca_file=trusting(authority, tmp_path))
    then = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)
    expired = authority.issue_cert("127.0.0.1", not_before=then, not_after=then + datetime.timedelta(days=1))
    with serving(expired) as receiver, pytest.raises(SinkError, match="certificate has expired") as caught:
        client(receiver.url, config).post("/", b"x")
    assert SECRET not in str(caught.value)


def test_a_certificate_of_our_own(authority: trustme.CA, tmp_path: Path) -> None:
    ours = authority.issue_cert("trailsieve@siem.example")
    certificate, key = tmp_path / "own.pem", tmp_path / "own.key"
    ours.cert_chain_pems[0].write_to_path(str(certificate))
    ours.private_key_pem.write_to_path(str(key))
    ca = trusting(authority, tmp_path)
    with serving(authority.issue_cert("127.0.0.1"), asks=authority) as receiver:
        config = HttpConfig(ca_file=ca, client_certificate=str(certificate), client_key=str(key))
        assert client(receiver.url, config).post("/", b"x").status == 200
        with pytest.raises((SinkError, UnreachableError)):
            client(receiver.url, HttpConfig(ca_file=ca)).post("/", b"x")
    with pytest.raises(SinkError, match=r"nowhere\.pem: cannot be used"):
        client("https://a.example", HttpConfig(ca_file="nowhere.pem"))


def test_a_proxy_of_the_environment_is_used(echo: Echo, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def serve() -> None:
            connection, _ = proxy.accept()
            with connection:
                seen.append(connection.recv(65536))
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

        thread = threading.Thread(target=serve)
        thread.start()
        monkeypatch.setenv("http_proxy", f"http://someone:p%40ss-word@127.0.0.1:{proxy.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        assert client(echo.url).post("/", b"x").json()["size"] == 1
        assert client("http://siem.example/base").post("/path", b"x").status == 200
        thread.join(5)
    assert seen[0].startswith(b"POST http://siem.example/base/path HTTP/1.1\r\n")
    login = base64.b64encode(b"someone:p@ss-word")
    assert b"proxy-authorization: Basic " + login in seen[0].replace(
        b"Proxy-Authorization", b"proxy-authorization"
    )


def test_an_answer_before_the_body_was_read_is_heard() -> None:
    """As of a proxy that refuses a body by its announced size."""
    with socket.create_server(("127.0.0.1", 0)) as proxy:

        def serve() -> None:
            connection, _ = proxy.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 413 Too Large\r\nContent-Length: 3\r\n\r\nbig")
                connection.shutdown(socket.SHUT_WR)
                while connection.recv(65536):
                    pass  # a close with unread bytes would be a reset, which may overtake the answer

        thread = threading.Thread(target=serve)
        thread.start()
        body = random.Random(1).randbytes(4_000_000)
        assert client(f"http://127.0.0.1:{proxy.getsockname()[1]}").post("/", body).status == 413
        thread.join(5)


def test_a_line_break_in_a_header_is_refused(echo: Echo) -> None:
    with pytest.raises(ValueError, match="Invalid header"):
        client(echo.url).post("/", b"x", {"webhook-id": "a\r\nX-Evil: 1"})
    assert echo.requests == []


def test_https_to_a_port_without_tls_is_explained(echo: Echo) -> None:
    with pytest.raises(UnreachableError, match=r"^the response is not TLS; does it speak http://\?$"):
        client(echo.url.replace("http://", "https://")).post("/", b"x")
