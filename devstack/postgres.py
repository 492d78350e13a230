"""A real PostgreSQL server as a child process."""

from __future__ import annotations

import contextlib
import signal
import subprocess
from enum import Enum
from pathlib import Path

import psutil

from devstack.children import Child
from devstack.ports import free_port
from devstack.postgres_address import PostgresAddress, postgres_binary
from devstack.privileges import dropping_prefix, hand_over
from devstack.waiting import wait_until


class Shutdown(Enum):
    """How PostgreSQL is asked to end; the values are the signals it documents for them."""

    FAST = signal.SIGINT  # connections are closed, everything is written
    IMMEDIATE = signal.SIGQUIT  # as a crash, but in order between its own processes


class EmbeddedPostgres:
    """One server. Its data, port and log file stay the same however often it is started.

    Args:
        data_dir: made if missing; holds the cluster and postgres.log.
        port: of 127.0.0.1; a free one by default.
        durable: False turns fsync off, which only a crash of the whole machine could tell; tests are faster by it.
        settings: further server settings by name.
    """

    def __init__(
        self,
        data_dir: Path,
        port: int | None = None,
        *,
        durable: bool = True,
        settings: dict[str, str | int] | None = None,
    ) -> None:
        self.data_dir = data_dir
        self.address = PostgresAddress(port or free_port())
        self.log = data_dir / "postgres.log"
        self._cluster = data_dir / "cluster"
        self._settings = _server_settings(self.address.port, durable) | (settings or {})
        self._child: Child | None = None

    @property
    def port(self) -> int:
        return self.address.port

    @property
    def pid(self) -> int | None:
        """The process id of the postmaster, None when not running."""
        return self._child.pid if self.running and self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    def dsn(self, database: str = "postgres") -> str:
        """A connection URL as superuser."""
        return self.address.dsn(database)

    def create_database(self, name: str, template: str | None = None) -> str:
        """Make a database, copied from `template` if given. Returns its DSN."""
        return self.address.create_database(name, template)

    def drop_database(self, name: str) -> None:
        """Remove a database if it exists, ending the connections to it."""
        self.address.drop_database(name)

    def start(self, timeout: float = 60.0) -> None:
        """Start it (after making the cluster if needed) and return when it answers. Does nothing when it runs.

        Raises:
            ChildExitedError: it ended; the message holds the end of its log.
            TimeoutError: it did not answer in `timeout` seconds.
        """
        if self.running:
            return
        if not (self._cluster / "PG_VERSION").exists():
            self._make_cluster()
        settings = [f"--{name}={value}" for name, value in self._settings.items()]
        command = [str(postgres_binary("postgres")), "-D", str(self._cluster), *settings]
        # SIGQUIT: with SIGKILL, its own children would have to notice by themselves.
        child = self._child = Child(command, log=self.log, prefix=dropping_prefix(), death_signal=signal.SIGQUIT)
        try:
            wait_until(self.address.is_ready, timeout=timeout, what="PostgreSQL", check=child.check)
        except BaseException:
            child.kill()
            raise

    def stop(self, how: Shutdown = Shutdown.FAST, timeout: float = 20.0) -> None:
        """End it; SIGKILL after `timeout` seconds."""
        if self._child is not None:
            self._child.stop(timeout, first=how.value)

    def kill(self) -> None:
        """End all its processes as a crash would (SIGKILL)."""
        if not self.running or self._child is None:
            return
        self._child.send(signal.SIGSTOP)  # it starts no further process while they are counted
        backends = psutil.Process(self._child.pid).children(recursive=True)
        self._child.kill()
        for backend in backends:
            with contextlib.suppress(psutil.NoSuchProcess):
                backend.kill()
        # A new server refuses to start while old ones hold the shared memory.
        wait_until(lambda: all(_has_ended(backend) for backend in backends), timeout=10, what="the end of PostgreSQL")

    def restart(self, how: Shutdown = Shutdown.FAST) -> None:
        """Stop and start again."""
        self.stop(how)
        self.start()

    def _make_cluster(self) -> None:
        self._cluster.mkdir(parents=True, exist_ok=True)
        hand_over(self._cluster)
        # The built-in provider gives the same order and case rules on every operating system.
        locale = ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        where = ["--pgdata", str(self._cluster), "--username=postgres", "--auth=trust", "--no-sync"]
        command = [*dropping_prefix(), str(postgres_binary("initdb")), *where, *locale]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"initdb failed:\n{result.stdout}{result.stderr}")


def _has_ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE  # ended; the container's first process may never ask for it
    except psutil.NoSuchProcess:
        return True


def _server_settings(port: int, durable: bool) -> dict[str, str | int]:
    settings: dict[str, str | int] = {
        "port": port,
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "max_connections": 200,
        "shared_buffers": "128MB",
        "timezone": "UTC",
        "log_timezone": "UTC",
        "log_line_prefix": "%m [%p] %q%d ",
    }
    if not durable:
        settings |= {"fsync": "off", "full_page_writes": "off", "max_wal_size": "4GB", "checkpoint_timeout": "1h"}
    return settings
