"""A whole Carillon on this machine: one broker, one database, and the services on them."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path
from types import TracebackType

from devstack.cache import cache_directory
from devstack.kafka import EmbeddedKafka
from devstack.layout import DEVELOPMENT_PORTS, Layout, Neighbours
from devstack.ports import is_free
from devstack.postgres import EmbeddedPostgres
from devstack.progress import Progress, Silent
from devstack.services import Services
from devstack.together import at_once

KAFKA_PORT, POSTGRES_PORT, SMTP_PORT = 29092, 25432, 2525  # of the development stack
_DATABASE = "carillon"


class Stack:
    """Starts and stops everything; each part can be reached, and killed, by itself: `stack.kafka`, `stack.postgres`,
    `stack.services["gateway-1"]`. Data survives a stop when the directory is used again.

    Args:
        directory: data and logs.
        layout: which service processes; with `fixed_ports` broker and database take theirs as well.
        durable: False makes PostgreSQL faster; only a crash of the machine could tell.
        topic_prefix: put before every topic and group.
        progress: where the steps are shown.
    """

    def __init__(
        self,
        directory: Path,
        layout: Layout | None = None,
        *,
        durable: bool = True,
        topic_prefix: str = "",
        progress: Progress | None = None,
    ) -> None:
        self._progress = progress or Silent()
        layout = layout or Layout()
        self.directory = directory
        self.kafka = EmbeddedKafka(directory / "kafka", KAFKA_PORT if layout.fixed_ports else None)
        postgres_port = POSTGRES_PORT if layout.fixed_ports else None
        self.postgres = EmbeddedPostgres(directory / "postgres", postgres_port, durable=durable)
        self.neighbours = Neighbours(self.kafka.bootstrap, self.postgres.dsn(_DATABASE), topic_prefix)
        self.services = Services(directory / "logs", self.neighbours, layout, self._progress)

    def start(self) -> None:
        """Start everything and return when all services are ready; what had started is ended when one part fails."""
        try:
            self.start_stores()
            self.services.start()
        except BaseException:
            self.kill()
            raise

    def start_stores(self) -> None:
        """Start only broker and database."""
        at_once([partial(self._start, "Kafka"), partial(self._start, "PostgreSQL")])
        if not self.postgres.address.has_database(_DATABASE):
            self.postgres.create_database(_DATABASE)

    def stop(self) -> None:
        """End everything in order."""
        self.services.stop()
        at_once([self.kafka.stop, self.postgres.stop])

    def kill(self) -> None:
        """End everything as a power cut would."""
        self.services.kill()
        self.kafka.kill()
        self.postgres.kill()

    def __enter__(self) -> Stack:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _start(self, name: str) -> None:
        store = self.kafka if name == "Kafka" else self.postgres
        with self._progress.step(f"{name} ready at 127.0.0.1:{store.port}"):
            store.start()


def refuse_when_occupied() -> None:
    """Ends the program with a line that names the development ports that are taken, if any is."""
    wanted = (*DEVELOPMENT_PORTS.values(), KAFKA_PORT, POSTGRES_PORT, SMTP_PORT)
    if taken := [str(port) for port in wanted if not is_free(port)]:
        sys.exit(f"Carillon or something else runs here already: port {', '.join(taken)} of 127.0.0.1 is taken")


def development_directory() -> Path:
    """Where `make run` and `make demo` keep data: `CARILLON_DEV_DATA`, by default in the cache directory."""
    chosen = os.environ.get("CARILLON_DEV_DATA")
    return Path(chosen) if chosen else cache_directory() / "stack"
