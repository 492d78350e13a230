"""One broker and one database server for all processes of a test session, each started when it is first asked for.

One process keeps the stores (`SharedStores`); any process that knows the directory asks by a file `NAME.wanted` and is
answered by `NAME.ready` (holding the port) or `NAME.failed` (holding the reason).
"""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Literal

from devstack.kafka import EmbeddedKafka
from devstack.postgres import EmbeddedPostgres
from devstack.together import at_once
from devstack.waiting import wait_until

Name = Literal["kafka", "postgres"]
_START_TIMEOUT = 180.0  # the first start on a machine downloads Kafka


class SharedStores:
    """Keeps the stores of one session. Args: directory: for data, logs and the questions."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._stores: dict[Name, EmbeddedKafka | EmbeddedPostgres] = {
            "kafka": EmbeddedKafka(directory / "kafka"),
            "postgres": EmbeddedPostgres(directory / "postgres", durable=False),
        }
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._serve, args=(name,), daemon=True) for name in self._stores]
        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Stop what was started."""
        self._ended.set()
        for thread in self._threads:
            thread.join()
        at_once(store.kill for store in self._stores.values())  # the data is thrown away, so order is not needed

    def _serve(self, name: Name) -> None:
        while not self._ended.wait(0.05):
            if (self._directory / f"{name}.wanted").exists():
                self._start(name)
                return

    def _start(self, name: Name) -> None:
        store = self._stores[name]
        try:
            store.start()
        except Exception as error:  # noqa: BLE001  told to every process that asks
            _write(self._directory / f"{name}.failed", str(error))
        else:
            _write(self._directory / f"{name}.ready", str(store.port))


def ask(directory: Path, name: Name) -> int:
    """The port of a shared store, which is started first if nobody asked before.

    Raises:
        RuntimeError: it could not be started.
        TimeoutError: nobody keeps stores in this directory.
    """
    ready, failed = directory / f"{name}.ready", directory / f"{name}.failed"
    (directory / f"{name}.wanted").touch()
    wait_until(lambda: ready.exists() or failed.exists(), timeout=_START_TIMEOUT, what=f"the shared {name}")
    if failed.exists():
        raise RuntimeError(f"the shared {name} did not start: {failed.read_text()}")
    return int(ready.read_text())


def _write(path: Path, text: str) -> None:
    partial = path.with_suffix(".partial")
    partial.write_text(text)
    partial.rename(path)  # whoever sees the file sees all of it
