"""Event Ruler, the engine that AWS runs in EventBridge and publishes: github.com/aws/event-ruler.

The jars come from Maven once and stay in ~/.cache/trailsieve; a few lines of Java feed it.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers import maven

VERSION = "1.8.1"  # that of event_ruler.pom.xml
_PROGRAM = Path(__file__).with_name("EventRuler.java")


Answer = list[int] | str  # the numbers of the events that match, or the reason why the pattern is refused


@dataclass(frozen=True)
class EventRuler:
    """A running engine."""

    process: subprocess.Popen[str]

    def ask(self, patterns: Sequence[str], events: Sequence[str]) -> list[Answer]:
        """What each pattern does with the events."""
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps({"patterns": patterns, "events": events}), file=self.process.stdin, flush=True)
        answers: list[Answer] = json.loads(self.process.stdout.readline())
        return answers


@contextlib.contextmanager
def running() -> Iterator[EventRuler]:
    """The engine, until the block ends.

    Raises:
        UnavailableError: there is no JDK or no Maven, or Maven could not fetch it.
    """
    classes = maven.jars(f"event-ruler-{VERSION}", "event_ruler.pom.xml", "javac")
    command = ["java", "-XX:+UseSerialGC", "-Dfile.encoding=UTF-8", "-cp", f"{classes}/*", str(_PROGRAM)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, encoding="utf-8"
    )
    with process:
        yield EventRuler(process)
        assert process.stdin
        process.stdin.close()
