"""A Carillon service as a child process, or anything else that has a readiness address."""

from __future__ import annotations

import http.client
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from devstack.children import Child
from devstack.waiting import wait_until

ROOT = Path(__file__).resolve().parent.parent


class ServiceProcess:
    """One process of a service; name, environment and log file stay the same however often it is started.

    Args:
        name: unique in a stack, for example `router-2`.
        module: what `python -m` runs, for example `services.router`.
        environment: the whole environment of the process.
        log: where its output goes.
        ready_url: answers 200 when the service may be used.
        arguments: what follows the module.
    """

    def __init__(
        self,
        name: str,
        module: str,
        *,
        environment: Mapping[str, str],
        log: Path,
        ready_url: str,
        arguments: Sequence[str] = (),
    ) -> None:
        self.name = name
        self.module = module
        self.environment = dict(environment)
        self.log = log
        self.ready_url = ready_url
        self.arguments = tuple(arguments)
        self._child: Child | None = None

    @property
    def pid(self) -> int | None:
        """The process id, None when not running."""
        return self._child.pid if self.running and self._child else None

    @property
    def running(self) -> bool:
        return self._child is not None and self._child.running

    @property
    def url(self) -> str:
        """The service's base address."""
        return self.ready_url.removesuffix("/readyz")

    def spawn(self) -> None:
        """Start it without waiting. Does nothing when it runs."""
        if not self.running:
            command = [sys.executable, "-m", self.module, *self.arguments]
            self._child = Child(command, log=self.log, environment=self.environment, directory=ROOT)

    def wait_ready(self, timeout: float = 60.0) -> None:
        """Return when the readiness address answers 200.

        Raises:
            ChildExitedError: the process ended; the message holds the end of its log.
            TimeoutError: it is not ready in `timeout` seconds; so does this one.
        """
        child = self._require_child()
        try:
            wait_until(lambda: is_ready(self.ready_url), timeout=timeout, what=f"{self.name} ready", check=child.check)
        except TimeoutError as late:
            raise TimeoutError(f"{late}; {self.log} ends:\n{child.tail()}") from None

    def start(self, timeout: float = 60.0) -> None:
        """Start it and wait until it is ready."""
        self.spawn()
        self.wait_ready(timeout)

    def stop(self, timeout: float = 30.0) -> int | None:
        """End it (SIGTERM; SIGKILL after `timeout` seconds). Returns the exit status, None if it was never started."""
        return self._child.stop(timeout) if self._child else None

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        if self._child is not None:
            self._child.kill()

    def restart(self) -> None:
        """Stop in order, start again, wait until ready."""
        self.stop()
        self.start()

    def tail(self, lines: int = 40) -> str:
        """The last lines of its log."""
        return self._require_child().tail(lines)

    def _require_child(self) -> Child:
        if self._child is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._child


def is_ready(url: str) -> bool:
    """Whether an http address answers 200 within two seconds. No proxy is asked."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=2)
    try:
        connection.request("GET", address.path)
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
