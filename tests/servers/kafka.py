"""Apache Kafka on this machine: one broker or several, without ZooKeeper (KRaft).

    python -m tests.servers.kafka --port 9092 --brokers 1

The jars come from Maven once and stay in ~/.cache/trailsieve. Each broker listens in clear, and beside that
with TLS and SCRAM or PLAIN (user `alice`, password `wonderland`) where the server is started `secured`.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from tests.servers import maven
from tests.servers.patience import Deadline, stretched
from tests.servers.ports import free_ports
from tests.servers.tcp_relay import TcpRelay
from tests.servers.unavailable import UnavailableError

VERSION = "4.1.0"  # that of kafka.pom.xml
USER, PASSWORD = "alice", "wonderland"
_CLUSTER = "dHJhaWxzaWV2ZS1rYWZrYQ"  # 16 bytes in base64, as Kafka wants them
_START = 90.0  # seconds until a broker must answer
_JAAS = "org.apache.kafka.common.security"


def jars() -> Path:
    """The folder of Kafka's jars.

    Raises:
        UnavailableError: there is no Java or no Maven, or Maven could not fetch them.
    """
    return maven.jars(f"kafka-{VERSION}", "kafka.pom.xml", "java")


class Ports(NamedTuple):
    """The ports of a broker: those of `relayed` are reached through a relay, which listens on another."""

    clear: int
    secure: int
    controller: int
    relayed: int
    relay: int


@dataclass
class Kafka:
    """A cluster whose brokers can be stopped, killed and started again, by index from 0.

    Attributes:
        folder: where configuration, data and logs lie.
        ports: of each broker.
    """

    folder: Path
    ports: list[Ports]
    secured: bool = False
    _running: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def servers(self) -> list[str]:
        """host:port of every broker, in clear."""
        return [f"127.0.0.1:{ports.clear}" for ports in self.ports]

    @property
    def bootstrap(self) -> str:
        """The same as one text."""
        return ",".join(self.servers)

    @property
    def secure_servers(self) -> list[str]:
        """host:port of every broker, with TLS and SASL."""
        return [f"localhost:{ports.secure}" for ports in self.ports]

    def relay(self, index: int = 0) -> TcpRelay:
        """A network to one broker; clients that know only its address stay with it."""
        return TcpRelay(self.ports[index].relayed, self.ports[index].relay)

    @property
    def ca_file(self) -> Path:
        """The certificate that signs those of the brokers."""
        return self.folder / "ca.pem"

    def prepare(self) -> None:
        """Writes the configurations and formats the folders of data."""
        if self.secured:
            _make_certificates(self.folder)
        for index in range(len(self.ports)):
            self._properties(index).write_text(self._configuration(index))
            scram = ["--add-scram", f"SCRAM-SHA-512=[name={USER},password={PASSWORD}]"]
            command = ["format", "-t", _CLUSTER, "-c", str(self._properties(index))]
            _java("kafka.tools.StorageTool", [*command, *(scram if self.secured else [])], self.folder)

    def start(self, index: int) -> None:
        """Starts a broker; returns at once."""
        log = (self.folder / f"broker-{index}.log").open("ab")
        self._running[index] = subprocess.Popen(
            _command("kafka.Kafka", [str(self._properties(index))]),
            cwd=self.folder,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us, who then stop it
        )
        log.close()

    def stop(self, index: int) -> None:
        """Stops a broker in good order."""
        self._end(index, signal.SIGTERM)

    def kill(self, index: int) -> None:
        """Kills a broker."""
        self._end(index, signal.SIGKILL)

    def restart(self, index: int) -> None:
        """Starts a broker that was stopped, and waits until it answers."""
        self.start(index)
        self.wait()

    def wait(self) -> None:
        """Returns when every running broker answers and knows all others."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient

        deadline = Deadline(_START)
        for index, process in self._running.items():
            while True:
                if process.poll() is not None:
                    raise UnavailableError(f"broker {index} ended:\n{self._tail(index)}")
                admin = AdminClient({"bootstrap.servers": self.servers[index], "log_level": 0})
                with contextlib.suppress(KafkaException):
                    if len(admin.list_topics(timeout=1).brokers) >= len(self._running):
                        break
                if deadline.passed:
                    raise UnavailableError(f"no answer in time:\n{self._tail(index)}")
                time.sleep(0.1)

    def create_topic(self, name: str, partitions: int = 1, copies: int = 1) -> None:
        """Makes a topic, and returns when every broker knows it."""
        from confluent_kafka import KafkaException
        from confluent_kafka.admin import AdminClient, NewTopic  # type: ignore[attr-defined]

        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        admin.create_topics([NewTopic(name, partitions, copies)])[name].result(stretched(30))
        deadline = Deadline(_START)
        while not deadline.passed:
            with contextlib.suppress(KafkaException):
                known = admin.list_topics(name, timeout=10).topics[name]
                if len(known.partitions) == partitions and all(
                    partition.leader >= 0 for partition in known.partitions.values()
                ):
                    return
            time.sleep(0.05)
        raise UnavailableError(f"no leader for topic {name}")

    def leader(self, topic: str, partition: int = 0) -> int:
        """The index of the broker that leads a partition, -1 for none."""
        from confluent_kafka.admin import AdminClient

        admin = AdminClient({"bootstrap.servers": self.bootstrap, "log_level": 0})
        return int(admin.list_topics(topic, timeout=10).topics[topic].partitions[partition].leader) - 1

    def produce(self, topic: str, payloads: Iterable[bytes], partition: int = 0) -> None:
        """Sends records, and returns when all are kept."""
        from confluent_kafka import Producer

        producer = Producer({"bootstrap.servers": self.bootstrap, "linger.ms": 5, "log_level": 0})
        for payload in payloads:
            while True:
                try:
                    producer.produce(topic, payload, partition=partition)
                    break
                except BufferError:
                    producer.poll(0.1)
        if producer.flush(stretched(60)):
            raise UnavailableError(f"not all records were kept in {topic}")

    def close(self) -> None:
        """Stops what runs and removes the folder."""
        for index in list(self._running):
            self.kill(index)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, index: int, number: int) -> None:
        process = self._running.pop(index)
        process.send_signal(number)
        try:
            process.wait(stretched(30))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def _tail(self, index: int) -> str:
        return (self.folder / f"broker-{index}.log").read_text("utf-8", "replace")[-2000:]

    def _properties(self, index: int) -> Path:
        return self.folder / f"broker-{index}.properties"

    def _configuration(self, index: int) -> str:
        clear, secure, controller, relayed, relay = self.ports[index]
        listeners = f"PLAINTEXT://127.0.0.1:{clear},CONTROLLER://127.0.0.1:{controller}"
        listeners += f",RELAYED://127.0.0.1:{relayed}"
        advertised = f"PLAINTEXT://127.0.0.1:{clear},RELAYED://127.0.0.1:{relay}"
        copies = min(3, len(self.ports))
        if self.secured:
            listeners += f",SASL_SSL://127.0.0.1:{secure}"
            advertised += f",SASL_SSL://localhost:{secure}"
        voters = ",".join(f"{n}@127.0.0.1:{ports.controller}" for n, ports in enumerate(self.ports, 1))
        settings = {
            "process.roles": "broker,controller",
            "node.id": index + 1,
            "controller.quorum.voters": voters,
            "controller.listener.names": "CONTROLLER",
            "listeners": listeners,
            "advertised.listeners": advertised,
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,RELAYED:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL",
            "inter.broker.listener.name": "PLAINTEXT",
            "log.dirs": self.folder / f"data-{index}",
            "auto.create.topics.enable": "false",
            "offsets.topic.num.partitions": 4,
            "offsets.topic.replication.factor": copies,
            "share.coordinator.state.topic.replication.factor": copies,
            "transaction.state.log.replication.factor": copies,
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,
            "broker.session.timeout.ms": 3000,
            "broker.heartbeat.interval.ms": 500,
            "controller.quorum.election.timeout.ms": 500,
            "controller.quorum.fetch.timeout.ms": 1000,
            "controlled.shutdown.enable": "true",
        }
        if self.secured:
            settings |= {
                "sasl.enabled.mechanisms": "SCRAM-SHA-512,PLAIN",
                "listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config": f"{_JAAS}.scram.ScramLoginModule required;",
                "listener.name.sasl_ssl.plain.sasl.jaas.config": f'{_JAAS}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
                "ssl.keystore.type": "PEM",
                "ssl.keystore.location": self.folder / "broker.pem",
            }
        return "".join(f"{key}={value}\n" for key, value in settings.items())


def _command(main: str, arguments: Sequence[str]) -> list[str]:
    options = ["-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto"]
    config = f"-Dlog4j2.configurationFile={Path(__file__).with_name('kafka.log4j2.properties')}"
    return ["java", *options, config, "-cp", f"{jars()}/*", main, *arguments]


def _java(main: str, arguments: Sequence[str], folder: Path) -> None:
    done = subprocess.run(
        _command(main, arguments),
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
        timeout=stretched(120),
    )
    if done.returncode:
        raise UnavailableError(f"{main}: {done.stdout[-1000:]}{done.stderr[-1000:]}")


def _make_certificates(folder: Path) -> None:
    """A certificate authority, and a certificate for localhost with its key in one file."""
    made = folder / "tls"
    made.mkdir()
    steps = [
        "req -x509 -newkey rsa:2048 -nodes -days 30 -subj /CN=test-ca -keyout ca.key -out ca.pem",
        "req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout broker.key -out broker.csr",
        "x509 -req -in broker.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -extfile san -out broker.crt",
    ]
    (made / "san").write_text("subjectAltName=DNS:localhost,IP:127.0.0.1\n")
    for step in steps:
        subprocess.run(["openssl", *step.split()], cwd=made, check=True, capture_output=True)
    shutil.copy(made / "ca.pem", folder / "ca.pem")
    parts = [(made / name).read_text() for name in ("broker.key", "broker.crt", "ca.pem")]
    (folder / "broker.pem").write_text("".join(parts))


@contextlib.contextmanager
def kafka(brokers: int = 1, *, port: int = 0, secured: bool = False) -> Iterator[Kafka]:
    """A running cluster; stopped and removed at the end.

    Args:
        port: of the first broker in clear; 0 for any that is free.
    """
    jars()
    free = iter(free_ports(len(Ports._fields) * brokers))
    ports = [Ports(*itertools.islice(free, len(Ports._fields))) for _ in range(brokers)]
    if port:
        ports = [each._replace(clear=port + number) for number, each in enumerate(ports)]
    cluster = Kafka(Path(tempfile.mkdtemp(prefix="trailsieve-kafka-")), ports, secured)
    try:
        cluster.prepare()
        for index in range(brokers):
            cluster.start(index)
        cluster.wait()
        yield cluster
    finally:
        cluster.close()


def main() -> None:
    """Runs a cluster until Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.servers.kafka", description="Apache Kafka for tests"
    )
    parser.add_argument("--port", type=int, default=9092, help="of the first broker (%(default)s)")
    parser.add_argument("--brokers", type=int, default=1, help="how many (%(default)s)")
    parser.add_argument("--topic", action="append", default=[], help="make this topic (repeatable)")
    given = parser.parse_args()
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda number, frame: ended.set())
    signal.signal(signal.SIGINT, lambda number, frame: ended.set())
    with kafka(given.brokers, port=given.port) as cluster:
        for topic in given.topic:
            cluster.create_topic(topic, copies=min(3, given.brokers))
        print(f"Kafka {VERSION} listens on {cluster.bootstrap}; Ctrl-C stops it", flush=True)
        ended.wait()


if __name__ == "__main__":
    main()
