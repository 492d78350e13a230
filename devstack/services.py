"""The four services as processes against a given broker and database."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path

from devstack.layout import Layout, Neighbours
from devstack.processes import ROOT, ServiceProcess
from devstack.progress import Progress, Silent
from devstack.together import at_once

_STOP_ORDER = ("ingest", "router", "delivery", "gateway")  # what takes work in before what does it


class Services(Mapping[str, ServiceProcess]):
    """Processes by name: `services["router-1"]`.

    Args:
        directory: holds the log files.
        neighbours: broker and database.
        layout: which processes; one of each by default.
        progress: where the steps are shown.
    """

    def __init__(
        self, directory: Path, neighbours: Neighbours, layout: Layout | None = None, progress: Progress | None = None
    ) -> None:
        self.neighbours = neighbours
        self.layout = layout or Layout()
        self._directory = directory
        self._progress = progress or Silent()
        self._processes = {process.name: process for process in self._compose()}

    def __getitem__(self, name: str) -> ServiceProcess:
        return self._processes[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._processes)

    def __len__(self) -> int:
        return len(self._processes)

    def of(self, service: str) -> list[ServiceProcess]:
        """The processes of one service, in order."""
        return [self[f"{service}-{index + 1}"] for index in range(self.layout.counts.get(service, 0))]

    def url(self, service: str, index: int = 0) -> str:
        """Base address of a process of the service, without a slash at the end."""
        return self.of(service)[index].url

    def prepare(self) -> None:
        """Bring the schema up to date and make the topics that are missing."""
        at_once([partial(self._run, "libs.postgres", "migrate"), partial(self._run, "libs.kafka", "topics")])

    def start(self, timeout: float = 60.0) -> None:
        """Prepare, start every process at once, return when all are ready.

        Raises:
            ChildExitedError, TimeoutError: one did not become ready; all are ended again.
        """
        self.prepare()
        try:
            for process in self.values():
                process.spawn()
            at_once(partial(self._wait_ready, process, timeout) for process in self.values())
        except BaseException:
            self.kill()
            raise

    def stop(self) -> None:
        """End every process in order."""
        for service in _STOP_ORDER:
            at_once(process.stop for process in self.of(service))

    def kill(self) -> None:
        """End every process as a crash would."""
        for process in self.values():
            process.kill()

    def _compose(self) -> Iterator[ServiceProcess]:
        ports = {s: [self.layout.port(s, index) for index in range(n)] for s, n in self.layout.counts.items()}
        # Gateways hand write routes on to ingest, wherever it listens.
        ingest = {"CARILLON_INGEST_URL": f"http://127.0.0.1:{ports['ingest'][0]}"} if ports.get("ingest") else {}
        for service, of_service in ports.items():
            for index, port in enumerate(of_service):
                name = f"{service}-{index + 1}"
                yield ServiceProcess(
                    name,
                    f"services.{service}",
                    environment=ingest | self._variables(service) | {"CARILLON_HTTP_PORT": str(port)},
                    log=self._directory / f"{name}.log",
                    ready_url=f"http://127.0.0.1:{port}/readyz",
                )

    def _wait_ready(self, process: ServiceProcess, timeout: float) -> None:
        with self._progress.step(f"{process.name} ready at {process.url}"):
            process.wait_ready(timeout)

    def _run(self, module: str, command: str) -> None:
        with self._progress.step("Topics created" if command == "topics" else "Database schema up to date"):
            self._call(module, command)

    def _call(self, module: str, command: str) -> None:
        arguments = [sys.executable, "-m", module, command]
        environment = self._variables(module)
        result = subprocess.run(arguments, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
        if result.returncode != 0:
            raise RuntimeError(f"{module} {command} failed:\n{result.stdout[-2000:]}{result.stderr[-4000:]}")

    def _variables(self, service: str) -> dict[str, str]:
        return self.layout.variables(service, self.neighbours)
