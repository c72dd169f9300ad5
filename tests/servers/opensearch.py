"""OpenSearch on this machine: one real node, without the security plug-in.

    python -m tests.servers.opensearch --port 9200

The jars come from Maven once and stay in ~/.cache/trailsieve; a few lines of Java start the node.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.servers import maven
from tests.servers.patience import Deadline, stretched
from tests.servers.ports import free_ports
from tests.servers.unavailable import UnavailableError

VERSION = "2.19.1.0"  # that of opensearch.pom.xml
_PROGRAM = Path(__file__).with_name("OpenSearchServer.java")
_START = 180.0  # seconds until it must answer


@dataclass(frozen=True)
class OpenSearch:
    """A running node."""

    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Its answer as JSON; a bad status is an urllib.error.HTTPError."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            f"{self.url}{path}", data, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=stretched(60)) as answer:
            return json.loads(answer.read() or b"{}")

    def documents(self, index: str, size: int = 10_000) -> list[dict[str, Any]]:
        """What an index holds now, in the order of its writing; nothing when there is none."""
        try:
            self.ask("POST", f"/{index}/_refresh")
            found = self.ask("POST", f"/{index}/_search", {"size": size, "sort": ["_seq_no"]})
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        documents: list[dict[str, Any]] = found["hits"]["hits"]
        return documents


def jars() -> Path:
    """The folder of the jars.

    Raises:
        UnavailableError: there is no JDK or no Maven, or Maven could not fetch them.
    """
    return maven.jars(f"opensearch-{VERSION}", "opensearch.pom.xml", "javac")


@contextlib.contextmanager
def opensearch(port: int = 0, **settings: str) -> Iterator[OpenSearch]:
    """A node that answers, until the block ends.

    Raises:
        UnavailableError: it cannot be had, or it did not start; with what it wrote last.
    """
    classes = jars()
    port = port or free_ports(1)[0]
    with tempfile.TemporaryDirectory(prefix="opensearch-") as folder:
        log = Path(folder, "log")
        more = [f"{name.replace('__', '.')}={value}" for name, value in settings.items()]
        command = [
            "java",
            "-Xms512m",
            "-Xmx512m",
            "-cp",
            f"{classes}/*",
            str(_PROGRAM),
            str(port),
            f"{folder}/node",
        ]
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, *more], stdin=subprocess.PIPE, stdout=output, stderr=output, cwd=folder
            )
        try:
            _await(port, process, log)
            yield OpenSearch(port)
        finally:
            process.terminate()
            try:
                process.wait(stretched(20))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            assert process.stdin
            process.stdin.close()


def _await(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = Deadline(_START)
    while not deadline.passed and process.poll() is None:
        with contextlib.suppress(OSError):
            url = f"http://127.0.0.1:{port}/_cluster/health?wait_for_status=yellow&timeout=5s"
            with urllib.request.urlopen(url, timeout=10):
                return
        time.sleep(0.2)
    raise UnavailableError(f"OpenSearch did not start: {log.read_text('utf-8', 'replace')[-2000:]}")


def main() -> None:
    """Runs a node until Ctrl-C."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=9200)
    with opensearch(parser.parse_args().port) as server:
        print(f"OpenSearch is there: {server.url}; Ctrl-C ends it", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(1)


if __name__ == "__main__":
    main()
