"""A real Kafka broker as a child process."""

from __future__ import annotations

import secrets
import subprocess
from pathlib import Path

from devstack.children import Child
from devstack.kafka_jars import java, kafka_jars
from devstack.kafka_settings import server_properties
from devstack.kafka_wire import serving_brokers
from devstack.ports import free_port
from devstack.waiting import wait_until

_PEAK = ["-XX:+UseG1GC", "-XX:MaxGCPauseMillis=20", "-XX:InitiatingHeapOccupancyPercent=35"]
_LOGGING = Path(__file__).with_name("kafka-log4j2.xml")


class EmbeddedKafka:
    """One broker. Its data, port and log file stay the same however often it is started.

    Args:
        data_dir: made if missing; holds the topics, server.properties and kafka.log.
        port: of 127.0.0.1; a free one by default.
        heap: the JVM's `-Xmx`.
        peak: compile as in production, for peak speed; that takes it half a minute of work, and a core meanwhile.
    """

    def __init__(self, data_dir: Path, port: int | None = None, *, heap: str = "512m", peak: bool = False) -> None:
        self.data_dir = data_dir
        self.port = port or free_port()
        self.heap, self.peak = heap, peak
        self.log = data_dir / "kafka.log"
        self._controller_port = free_port()
        self._child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """What clients take as bootstrap servers."""
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int | None:
        """The process id, None when not running."""
        return self._child.pid if self.running and self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    def start(self, timeout: float = 90.0) -> None:
        """Start it and return when it serves. Does nothing when it runs.

        Raises:
            ChildExitedError: it ended; the message holds the end of its log.
            TimeoutError: it did not serve in `timeout` seconds.
        """
        if self.running:
            return
        properties = self._prepare()
        command = [*self._java(f"-Xmx{self.heap}"), "kafka.Kafka", str(properties)]
        child = self._child = Child(command, log=self.log, directory=self.data_dir)
        try:
            wait_until(lambda: serving_brokers(self.port) > 0, timeout=timeout, what="Kafka", check=child.check)
        except BaseException:
            child.kill()
            raise

    def stop(self, timeout: float = 20.0) -> None:
        """End it in order (SIGTERM); SIGKILL after `timeout` seconds."""
        if self._child is not None:
            self._child.stop(timeout)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._child is not None:
            self._child.kill()

    def restart(self) -> None:
        """Stop in order and start again."""
        self.stop()
        self.start()

    def _prepare(self) -> Path:
        self.data_dir.mkdir(parents=True, exist_ok=True)
        properties = self.data_dir / "server.properties"
        properties.write_text(server_properties(self.data_dir, self.port, self._controller_port))
        if not (self.data_dir / "log" / "meta.properties").exists():
            self._format(properties)
        return properties

    def _format(self, properties: Path) -> None:
        tool = ["kafka.tools.StorageTool", "format", "--cluster-id", _new_cluster_id(), "--config", str(properties)]
        result = subprocess.run([*self._java("-Xmx128m"), *tool], capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"Kafka's storage could not be formatted:\n{result.stdout}{result.stderr}")

    def _java(self, heap: str) -> list[str]:
        # A quick start and little memory count for more here than peak speed; that has the options of Kafka's scripts.
        tuning = _PEAK if self.peak else ["-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"]
        logging = f"-Dlog4j2.configurationFile={_LOGGING}"
        return [java(), heap, *tuning, logging, "-cp", f"{kafka_jars()}/*"]


def _new_cluster_id() -> str:
    """16 random bytes in URL-safe base64. Wiped data is another cluster, and consumers that remember offsets see it."""
    return "C" + secrets.token_urlsafe(16)[1:]  # a leading "-" would be taken for an option
