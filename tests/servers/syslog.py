"""rsyslog and syslog-ng on this machine: they write what they understood of each message to a file.

    python -m tests.servers.syslog rsyslog          starts one, says where, and runs until Ctrl-C

Debian does not let both be installed at a time, so their packages are downloaded with apt-get and unpacked
under ~/.cache/trailsieve; nothing of the system is changed.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from tests.servers.certificates import Authority, Pair
from tests.servers.patience import Deadline
from tests.servers.ports import free_ports
from tests.servers.unavailable import UnavailableError

Kind = Literal["rsyslog", "syslog-ng"]
_CACHE = Path.home() / ".cache/trailsieve/syslog"
_PACKAGES: dict[str, tuple[str, ...]] = {
    "rsyslog": ("rsyslog", "rsyslog-openssl"),
    "syslog-ng": ("syslog-ng-core",),
}
_PATIENCE = 30.0  # seconds until a server must answer
MAX_MESSAGE = 64 * 1024


@dataclass
class Syslog:
    """A server that can be stopped and started again on the same ports.

    `tls` wants a certificate that `authority` signed when it was made with `client_certificates`.
    """

    kind: Kind
    folder: Path
    authority: Authority
    pair: Pair
    tcp: int
    udp: int
    tls: int
    client_certificates: bool = False
    _process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def ca(self) -> str:
        return str(self.authority.ca)

    def messages(self) -> list[dict[str, Any]]:
        """What has arrived: pri, time, host, app, msgid, sd and msg of each message."""
        path = self.folder / "out.jsonl"
        lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
        return [json.loads(line) for line in lines]

    def wait(self, count: int) -> list[dict[str, Any]]:
        """The same, once there are so many."""
        return self.wait_until(lambda found: len(found) >= count, f"{count} messages")

    def wait_until(self, enough: Callable[[list[Any]], bool], what: str) -> list[dict[str, Any]]:
        """The same, once it is enough."""
        deadline = Deadline(_PATIENCE)
        while not enough(found := self.messages()):
            assert not deadline.passed, f"{self.kind} has {len(found)} messages, not {what}"
            time.sleep(0.02)
        return found

    def clear(self) -> None:
        """Forgets what has arrived."""
        path = self.folder / "out.jsonl"
        if path.exists():
            os.truncate(path, 0)

    def start(self) -> None:
        """Starts it and returns when it listens."""
        configuration = self.folder / "configuration"
        make = _rsyslog if self.kind == "rsyslog" else _syslog_ng
        text, command, environment = make(self, _root(self.kind))
        configuration.write_text(text)
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                command, env={**os.environ, **environment}, cwd=self.folder, stdout=log, stderr=log
            )
        deadline = Deadline(_PATIENCE)
        while not all(map(_answers, (self.tcp, self.tls))):
            if self._process.poll() is not None or deadline.passed:
                text = (self.folder / "log").read_text("utf-8", "replace")[-1500:]
                raise UnavailableError(f"{self.kind} does not start: {text}")
            time.sleep(0.05)

    def stop(self, *, kill: bool = False) -> None:
        """Ends it, by force if told so."""
        process, self._process = self._process, None
        if process is None:
            return
        (process.kill if kill else process.terminate)()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


def _root(kind: Kind) -> Path:
    """The folder in which a server's packages are unpacked, fetched if they are not there."""
    root = _CACHE / kind
    if root.is_dir():
        return root
    if not shutil.which("apt-get") or not shutil.which("dpkg"):
        raise UnavailableError(f"{kind} is fetched with apt-get, which this machine lacks")
    if os.geteuid() != 0:
        raise UnavailableError(f"{kind} is fetched with apt-get, which root may do only")
    part = root.with_name(f"{kind}.part")
    shutil.rmtree(part, ignore_errors=True)
    archives = part / "archives"
    (archives / "partial").mkdir(parents=True)
    download = ["apt-get", "install", "-qy", "-d", "--reinstall", "--no-install-recommends"]
    for command in (
        ["apt-get", "update", "-q"],
        [*download, "-o", f"Dir::Cache::archives={archives}", *_PACKAGES[kind]],
    ):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise UnavailableError(f"{' '.join(command[:2])}: {done.stderr.strip()[-300:]}")
    for package in sorted(archives.glob("*.deb")):
        subprocess.run(["dpkg", "-x", str(package), str(part)], check=True, capture_output=True)
    shutil.rmtree(archives)
    part.replace(root)
    return root


_Start = tuple[str, list[str], dict[str, str]]


def _libraries(root: Path) -> dict[str, str]:
    folders = {str(found.parent) for found in root.rglob("lib*.so.*")}
    return {"LD_LIBRARY_PATH": ":".join(sorted(folders))}


def _rsyslog(server: Syslog, root: Path) -> _Start:
    fields = ("pri", "hostname", "app-name", "msgid", "structured-data", "msg")
    names = ("pri", "host", "app", "msgid", "sd", "msg")
    properties = "".join(
        f'property(outname="{name}" name="{each}" format="jsonf")'
        for name, each in zip(names, fields, strict=True)
    )
    peers = '"x509/certvalid"' if server.client_certificates else '"anon"'
    text = f"""
global(workDirectory="{server.folder}" maxMessageSize="{MAX_MESSAGE}"
       defaultNetstreamDriverCAFile="{server.authority.ca}"
       defaultNetstreamDriverCertFile="{server.pair.cert}" defaultNetstreamDriverKeyFile="{server.pair.key}")
template(name="out" type="list" option.jsonf="on") {{
  property(outname="time" name="timereported" dateFormat="rfc3339" format="jsonf") {properties} }}
module(load="imudp")
module(load="imtcp" maxSessions="500")
ruleset(name="keep") {{ action(type="omfile" file="{server.folder}/out.jsonl" template="out") }}
input(type="imudp" address="127.0.0.1" port="{server.udp}" ruleset="keep")
input(type="imtcp" address="127.0.0.1" port="{server.tcp}" ruleset="keep")
input(type="imtcp" address="127.0.0.1" port="{server.tls}" ruleset="keep"
      streamDriver.name="ossl" streamDriver.mode="1" streamDriver.authMode={peers})
"""
    modules = next(root.rglob("lmnet.so")).parent
    command = [str(next(root.rglob("rsyslogd"))), "-n", "-f", str(server.folder / "configuration")]
    command += ["-i", str(server.folder / "pid"), "-M", str(modules)]
    return text, command, _libraries(root)


def _syslog_ng(server: Syslog, root: Path) -> _Start:
    verify = "required-trusted" if server.client_certificates else "optional-untrusted"
    tls = f'key-file("{server.pair.key}") cert-file("{server.pair.cert}") ca-file("{server.authority.ca}")'
    names = "time=$ISODATE pri=$PRI host=$HOST app=$PROGRAM msgid=$MSGID sd=$SDATA msg=$MSG"
    text = f"""@version: 3.38
options {{ keep-hostname(yes); log-msg-size({MAX_MESSAGE}); stats-freq(0); flush-lines(1); }};
source s {{
  syslog(ip(127.0.0.1) port({server.tcp}) transport("tcp") max-connections(500));
  syslog(ip(127.0.0.1) port({server.udp}) transport("udp"));
  syslog(ip(127.0.0.1) port({server.tls}) transport("tls") max-connections(500)
         tls({tls} peer-verify({verify})));
}};
destination d {{ file("{server.folder}/out.jsonl" template("$(format-json --scope none {names})\\n")); }};
log {{ source(s); destination(d); flags(flow-control); }};
"""
    modules = next(root.rglob("libafsocket.so")).parent
    here = str(server.folder)
    command = [str(next(root.rglob("sbin/syslog-ng"))), "-F", "--no-caps", f"--module-path={modules}"]
    command += ["-f", f"{here}/configuration", "-R", f"{here}/persist", "-p", f"{here}/pid"]
    return text, [*command, "-c", f"{here}/control"], _libraries(root)


@contextmanager
def running(kind: Kind, *, client_certificates: bool = False, expired: bool = False) -> Iterator[Syslog]:
    """A server until the end of the block.

    Args:
        client_certificates: whether TLS clients must show a certificate.
        expired: whether its own certificate has expired.

    Raises:
        UnavailableError: it cannot be had.
    """
    _root(kind)
    folder = Path(tempfile.mkdtemp(prefix=f"trailsieve-{kind}-"))
    authority = Authority(folder)
    tcp, tls = free_ports(2)
    pair = authority.pair("server", expired=expired)
    [udp] = free_ports(1, socket.SOCK_DGRAM)
    server = Syslog(kind, folder, authority, pair, tcp, udp, tls, client_certificates)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Runs a server until Ctrl-C."""
    parser = argparse.ArgumentParser(prog="python -m tests.servers.syslog", description=__doc__)
    parser.add_argument("kind", choices=sorted(_PACKAGES))
    with running(parser.parse_args().kind) as server:
        print(f"tcp {server.tcp}, udp {server.udp}, tls {server.tls} (ca_file {server.ca}) on 127.0.0.1")
        print(f"messages: {server.folder / 'out.jsonl'}; Ctrl-C ends it", flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print()


if __name__ == "__main__":
    main()
