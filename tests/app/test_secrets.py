"""Secrets come from outside and never leave: whatever fails, nothing that is printed or kept holds one."""

from __future__ import annotations

import base64
import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cli.console import Result, denied, log_file, trailsieve
from tests.servers.moto import Moto
from trailsieve import secret
from trailsieve.app.load import load_config

SECRET = "s3cr3t/+=&\"'-0123456789abcdef"
PARTS = (SECRET, "s3cr3t", "0123456789abcdef")
LOGIN = "Aladdin:open sesame"
LITERAL = "wr1tten-1nt0-the-f1le"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Secrets in the environment."""
    monkeypatch.setenv("THE_SECRET", SECRET)
    monkeypatch.setenv("THE_PLAIN", "pl41n-0123456789abcdef")


def _in_base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


class _Echo(BaseHTTPRequestHandler):
    """Answers with all that it was told: the worst that a receiver can do."""

    status = 500

    def _serve(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        told = f"you said {self.path} {self.headers} {body[:200]!r} and the secret is {SECRET}".encode()
        self.send_response(self.status)
        self.send_header("Content-Length", str(len(told)))
        self.end_headers()
        self.wfile.write(told)

    do_GET = do_POST = do_PUT = do_HEAD = _serve  # noqa: N815

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(params=[400, 401, 403, 404, 413, 500, 503], ids="status {}".format)
def echo(request: pytest.FixtureRequest) -> Iterator[str]:
    """The URL of a receiver that gives everything back, with some status."""
    handler = type("Echo", (_Echo,), {"status": request.param})
    server = HTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def nobody() -> str:
    """host:port where nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return f"127.0.0.1:{probe.getsockname()[1]}"


def sinks(url: str) -> dict[str, str]:
    """A table of every kind of sink that is given a secret."""
    host, _, port = url.rpartition("//")[2].partition(":")
    tables = {
        "splunk_hec": f'url = "{url}"\ntoken = "${{THE_SECRET}}"',
        "opensearch": f'url = "{url}"\nusername = "u"\npassword = "${{THE_SECRET}}"',
        "elasticsearch": f'url = "{url}"\napi_key = "${{THE_SECRET}}"',
        "webhook": f'url = "{url}/${{THE_SECRET}}"\nsecrets = ["${{THE_SECRET}}"]',
        "datadog": f'url = "{url}"\napi_key = "${{THE_SECRET}}"',
        "sentinel": f'endpoint = "{url}"\nauthority = "{url}"\nrule_id = "dcr-0123"\nstream = "Custom-X"\n'
        'tenant_id = "t"\nclient_id = "c"\nclient_secret = "${THE_SECRET}"',
        "kafka": f'bootstrap_servers = ["{host}:{port}"]\ntopic = "t"\nsecurity = "SASL_SSL"\n'
        'mechanism = "PLAIN"\nusername = "u"\npassword = "${THE_SECRET}"\ntimeout = 1.0',
        "syslog": f'host = "{host}"\nport = {port}\ncert_file = "there-is-none.pem"\n'
        'key_password = "${THE_SECRET}"',
    }
    return {kind: f'[[sink]]\nkind = "{kind}"\nname = "siem"\n{table}\n' for kind, table in tables.items()}


KINDS = list(sinks("http://h:1"))


def configuration(folder: Path, sink: str, **more: str) -> Path:
    """A configuration over one file with one alert."""
    log_file(folder / "trail" / "a.json", [denied(1)])
    path = folder / "trailsieve.toml"
    path.write_text(f"""
[source]
kind = "files"
paths = ["{folder}/trail"]
{sink}
required = false
give_up_after = "1s"
[[rules]]
pack = "cis-aws"
[checkpoint]
path = "{folder}/state.db"
[dead_letters]
path = "{folder}/dead.jsonl"
""")
    return path


def silent(result: Result, folder: Path) -> None:
    """Holds that no secret was printed or kept."""
    kept = [path.read_bytes().decode("utf-8", "replace") for path in folder.rglob("*") if path.is_file()]
    coded = [base64.b64encode(text.encode()).decode().rstrip("=") for text in (SECRET, f"u:{SECRET}", LOGIN)]
    for text in (result.out.decode(), result.err, *kept):
        for part in (*PARTS, *coded, json.dumps(SECRET)[1:-1]):
            assert part not in text


@pytest.mark.parametrize(
    "kind", ["splunk_hec", "opensearch", "elasticsearch", "webhook", "datadog", "sentinel"]
)
@pytest.mark.parametrize("log", ["text", "json"])
def test_a_receiver_that_gives_it_back(kind: str, log: str, echo: str, tmp_path: Path) -> None:
    path = configuration(tmp_path, sinks(echo)[kind])
    for arguments in (["config", "check", "--connect", path], ["run", "--log-format", log, path]):
        result = trailsieve(*map(str, arguments))
        silent(result, tmp_path)


LITERALS = {
    "webhook headers": f'url = "URL/x"\nheaders = {{ Authorization = "Basic {_in_base64(LOGIN)}", X-Team = "{LITERAL}" }}',
    "webhook url": f'url = "URL/services/{LITERAL}"',
    "webhook query": f'url = "URL/x?sig={LITERAL}"',
    "webhook routing_key": f'url = "URL/x"\nformat = "pagerduty"\nrouting_key = "{LITERAL}"',
    "webhook secrets": f'url = "URL/x"\nsecrets = ["{LITERAL}"]',
    "opensearch password": f'url = "URL"\nusername = "someone"\npassword = "{LITERAL}"',
    "opensearch short password": 'url = "URL"\nusername = "someone"\npassword = "pw"',
    "splunk_hec token": f'url = "URL"\ntoken = "{LITERAL}"',
}
HIDDEN = (LITERAL, _in_base64(LOGIN), *map(_in_base64, (f"someone:{LITERAL}", "someone:pw")))


@pytest.mark.parametrize("case", LITERALS)
def test_a_receiver_that_echoes_a_secret_written_in_the_file(case: str, echo: str, tmp_path: Path) -> None:
    kind = case.partition(" ")[0]
    table = LITERALS[case].replace("URL", echo)
    path = configuration(tmp_path, f'[[sink]]\nkind = "{kind}"\nname = "siem"\n{table}\n')
    for arguments in (["config", "check", "--connect", path], ["run", path]):
        result = trailsieve(*map(str, arguments))
        assert "you said" in result.out.decode() + result.err
        kept = [file.read_text() for file in tmp_path.glob("dead*")]
        for text in (result.out.decode(), result.err, *kept):
            assert not [hidden for hidden in HIDDEN if hidden in text]


@pytest.mark.parametrize("kind", KINDS)
def test_a_receiver_that_is_not_there(kind: str, nobody: str, tmp_path: Path) -> None:
    path = configuration(tmp_path, sinks(f"http://{nobody}")[kind])
    result = trailsieve("config", "check", "--connect", path)
    assert result.code == 3
    assert "FAIL  sink siem" in result.out.decode()
    silent(result, tmp_path)


MISTAKES = {
    "unknown key": 'url = "http://h"\ntoken = "${THE_SECRET}"\ntokken = "${THE_SECRET}"',
    "wrong type": 'url = ["${THE_SECRET}"]\ntoken = "${THE_SECRET}"',
    "no URL": 'url = "${THE_SECRET}"\ntoken = "${THE_SECRET}"',
    "in a URL": 'url = "http://u:${THE_PLAIN}@h:1"\ntoken = "x"',
    "written in the file": f'url = "http://127.0.0.1:1"\ntoken = {json.dumps(SECRET)}\nack = "x"',
    "unknown severity": 'url = "http://h"\ntoken = "x"\nseverity = "${THE_SECRET}"',
}


@pytest.mark.parametrize("table", MISTAKES.values(), ids=MISTAKES)
def test_mistakes_in_a_configuration(table: str, tmp_path: Path) -> None:
    path = configuration(tmp_path, f'[[sink]]\nkind = "splunk_hec"\n{table}\n')
    result = trailsieve("config", "check", "--connect", path)
    assert result.code in (2, 3)
    path.write_text("")
    silent(result, tmp_path)


def test_an_error_that_nobody_thought_of(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from trailsieve.cli.main import _unforeseen

    load_config(configuration(tmp_path, sinks("http://h:1")["splunk_hec"]))
    try:
        raise RuntimeError(f"with {SECRET} in it")
    except RuntimeError as error:
        _unforeseen(type(error), error, error.__traceback__)
    shown = capsys.readouterr().err
    assert "with ${THE_SECRET} in it" in shown
    assert SECRET not in shown


def test_a_message_shows_the_mark_in_the_place_of_the_value(nobody: str, tmp_path: Path) -> None:
    sink = f'[[sink]]\nkind = "splunk_hec"\nurl = "http://{nobody}"\ntoken = "${{THE_SECRET}}"\n'
    config = load_config(configuration(tmp_path, sink))
    assert config.sinks[0].settings.token == SECRET
    assert secret.masked(f"Splunk {SECRET}!") == "Splunk ${THE_SECRET}!"


@pytest.mark.parametrize("length", [5, 12, len(SECRET) - 1])
def test_a_value_that_is_cut_off_is_none_the_less_hidden(length: int, tmp_path: Path) -> None:
    load_config(configuration(tmp_path, sinks("http://h:1")["splunk_hec"]))
    assert secret.masked(f"it… is {SECRET[:length]}… so") == "it… is ${THE_SECRET}… so"


def test_short_values_are_no_secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_SECRET", "a")
    load_config(configuration(tmp_path, sinks("http://h:1")["splunk_hec"]))
    assert secret.masked("a cat") == "a cat"


def test_a_renewed_token_is_forgotten() -> None:
    secret.hide("the-first-token", "(token)")
    secret.hide("the-second-token", "(token)")
    secret.forget("the-first-token")
    assert secret.masked("the-first-token, the-second-token") == "the-first-token, (token)"


@given(value=st.text(min_size=6, max_size=40), before=st.text(max_size=20), after=st.text(max_size=20))
def test_base64_of_a_text_around_a_secret_is_masked(value: str, before: str, after: str) -> None:
    """At most the character on either side that also holds bits of the text around it is left."""
    secret._known, secret._pattern = {}, None
    secret.hide(value, "(token)")
    raw = [text.encode() for text in (before, value, after)]
    coded = base64.b64encode(b"".join(raw)).decode()
    start, end = len(raw[0]), len(raw[0]) + len(raw[1])
    assert coded[-(-8 * start // 6) : 8 * end // 6] not in secret.masked(coded)


def test_secrets_of_aws(tmp_path: Path, moto: Moto, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
    manager, parameters = moto.client("secretsmanager"), moto.client("ssm")
    manager.create_secret(Name="siem/token", SecretString=SECRET)
    manager.create_secret(Name="siem/json", SecretString=json.dumps({"token": SECRET + "2"}))
    parameters.put_parameter(Name="/siem/token", Value=SECRET + "3", Type="SecureString")
    marks = ("secretsmanager:siem/token", "secretsmanager:siem/json#token", "ssm:/siem/token")
    for mark, value in zip(marks, (SECRET, SECRET + "2", SECRET + "3"), strict=True):
        sink = f'[[sink]]\nkind = "splunk_hec"\nurl = "http://h:1"\ntoken = "${{{mark}}}"\n'
        config = load_config(configuration(tmp_path, sink))
        assert config.sinks[0].settings.token == value
        assert secret.masked(f"it is {value}") == f"it is ${{{mark}}}"


@pytest.mark.parametrize(
    ("mark", "told"),
    [
        ("secretsmanager:there-is-none", "can't find the specified secret"),
        ("secretsmanager:siem/odd#field", "not a JSON object with a field field"),
        ("ssm:/there/is/none", "ParameterNotFound"),
        ("file:/there/is/none", "No such file"),
        ("THERE_IS_NONE", "the environment has no THERE_IS_NONE"),
    ],
)
def test_what_cannot_be_had_is_told_with_its_line(
    mark: str, told: str, tmp_path: Path, moto: Moto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
    if "odd" in mark:
        moto.client("secretsmanager").create_secret(Name="siem/odd", SecretString=SECRET)
    sink = f'[[sink]]\nkind = "splunk_hec"\nurl = "http://h:1"\ntoken = "${{{mark}}}"\n'
    result = trailsieve("config", "check", configuration(tmp_path, sink))
    assert result.code in (2, 3)
    assert told in result.err
    assert "trailsieve.toml:8:" in result.err
    silent(result, tmp_path)
