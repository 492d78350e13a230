"""Child processes: they end with their parent, and their failures show the log."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

from devstack.children import Child, ChildExitedError
from devstack.ports import free_port
from devstack.postgres import EmbeddedPostgres
from devstack.processes import ServiceProcess
from devstack.waiting import wait_until

_SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]

_PARENT = """
import sys, time, pathlib
from devstack.children import Child
child = Child({command!r}, log=pathlib.Path({log!r}))
print(child.pid, flush=True)
time.sleep(600)
"""

_POSTGRES_PARENT = """
import sys, time, pathlib
from devstack.postgres import EmbeddedPostgres
postgres = EmbeddedPostgres(pathlib.Path({data!r}), {port})
postgres.start()
print(postgres.pid, flush=True)
time.sleep(600)
"""


def test_a_child_dies_with_a_killed_parent(tmp_path: Path) -> None:
    child = _child_of_killed_parent(_PARENT.format(command=_SLEEPER, log=str(tmp_path / "child.log")))
    wait_until(lambda: _ended(child), timeout=10, what="the child's end")


def test_postgres_dies_with_a_killed_parent_and_its_data_can_be_used_again(tmp_path: Path) -> None:
    port = free_port()
    postmaster = _child_of_killed_parent(_POSTGRES_PARENT.format(data=str(tmp_path / "postgres"), port=port))
    wait_until(lambda: _ended(postmaster), timeout=10, what="the end of PostgreSQL")
    heir = EmbeddedPostgres(tmp_path / "postgres", port)
    heir.start()
    heir.stop()


def test_a_child_outlives_the_thread_that_started_it(tmp_path: Path) -> None:
    children: list[Child] = []
    thread = threading.Thread(target=lambda: children.append(Child(_SLEEPER, log=tmp_path / "child.log")))
    thread.start()
    thread.join()
    (child,) = children
    wait_until(lambda: child.tail() == "up", timeout=10, what="the child's first line", check=child.check)
    assert child.running
    assert child.kill() < 0


def test_a_service_that_ends_at_once_is_reported_with_its_log(tmp_path: Path) -> None:
    service = ServiceProcess(
        "broken-1",
        "services.no_such_service",
        environment={},
        log=tmp_path / "broken.log",
        ready_url=f"http://127.0.0.1:{free_port()}/readyz",
    )
    with pytest.raises(ChildExitedError, match=r"No module named services\.no_such_service"):
        service.start(timeout=20)
    assert service.stop() == 1


def test_a_service_is_ready_stopped_and_started_again(tmp_path: Path) -> None:
    (tmp_path / "readyz").write_text("ok")
    port = free_port()
    service = ServiceProcess(
        "files-1",
        "http.server",
        environment={"PYTHONUNBUFFERED": "1"},
        log=tmp_path / "service.log",
        ready_url=f"http://127.0.0.1:{port}/readyz",
        arguments=["--bind", "127.0.0.1", "--directory", str(tmp_path), str(port)],
    )
    service.start()
    first = service.pid
    service.restart()
    assert service.running
    assert service.pid != first
    service.kill()
    assert not service.running


def _child_of_killed_parent(program: str) -> psutil.Process:
    """The process whose id the program prints, after the program was killed."""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = psutil.Process(int(parent.stdout.readline()))
        assert not _ended(child)
        parent.kill()
    return child


def _ended(process: psutil.Process) -> bool:
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
