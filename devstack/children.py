"""Child processes that write to a log file and never outlive the process that started them."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from pathlib import Path

_LEASH = Path(__file__).with_name("leash.py")


class ChildExitedError(RuntimeError):
    """A child ended when it should not have; the message holds its exit status and the end of its log."""


class Child:
    """One running process. Its output goes to the end of `log`.

    Args:
        command: program and arguments.
        log: file for standard output and error; made if missing, appended to if there.
        environment: the whole environment; None passes this process's own.
        directory: working directory.
        prefix: a command that runs the command (for example one that drops privileges).
        death_signal: what the child gets when this process ends in any way.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: Path,
        environment: Mapping[str, str] | None = None,
        directory: Path | None = None,
        prefix: Sequence[str] = (),
        death_signal: signal.Signals = signal.SIGKILL,
    ) -> None:
        self.name = Path(command[0]).name
        self.log = log
        log.parent.mkdir(parents=True, exist_ok=True)
        leash = [sys.executable, "-I", "-S", str(_LEASH), str(os.getpid()), death_signal.name]
        with log.open("ab") as output:
            self._process = _spawner.run(
                lambda: subprocess.Popen(
                    [*prefix, *leash, *command],
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    env=None if environment is None else dict(environment),
                    cwd=directory,
                    start_new_session=True,  # Ctrl-C reaches the parent only, which stops children in order
                )
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    @property
    def returncode(self) -> int | None:
        """Exit status; negative for a signal, None while running."""
        return self._process.poll()

    def check(self) -> None:
        """Raise ChildExitedError when the process has ended."""
        if not self.running:
            raise ChildExitedError(f"{self.name} ended with status {self.returncode}; {self.log} ends:\n{self.tail()}")

    def send(self, signal_number: signal.Signals) -> None:
        """Send a signal; nothing happens when the process has ended."""
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(signal_number)

    def stop(self, timeout: float, first: signal.Signals = signal.SIGTERM) -> int:
        """Ask by signal, wait `timeout` seconds, then kill. Returns the exit status."""
        self.send(first)
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return self.kill()

    def kill(self) -> int:
        """End it at once with SIGKILL, as a crash would. Returns the exit status."""
        self.send(signal.SIGKILL)
        return self._process.wait()

    def tail(self, lines: int = 40) -> str:
        """The last lines of the log."""
        try:
            text = self.log.read_text(errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.splitlines()[-lines:])


class _Spawner:
    """Starts every child from one thread that never ends.

    The kernel sends the death signal when the *thread* that forked ends, so a child started from a short-lived worker
    thread would die with that thread.
    """

    def __init__(self) -> None:
        self._orders: queue.SimpleQueue[tuple[Callable[[], subprocess.Popen[bytes]], Future[subprocess.Popen[bytes]]]]
        self._orders = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def run(self, order: Callable[[], subprocess.Popen[bytes]]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="devstack-spawner", daemon=True)
                self._thread.start()
        result: Future[subprocess.Popen[bytes]] = Future()
        self._orders.put((order, result))
        return result.result()

    def _serve(self) -> None:
        while True:
            order, result = self._orders.get()
            try:
                result.set_result(order())
            except BaseException as error:  # noqa: BLE001  handed to the caller, who raises it
                result.set_exception(error)
            del order, result  # or the last child's process object is held here for ever


_spawner = _Spawner()
