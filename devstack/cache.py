"""Directories that are filled once and then shared by every start on this machine."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path


def cache_directory() -> Path:
    """`CARILLON_DEV_CACHE`, by default `~/.cache/carillon`."""
    chosen = os.environ.get("CARILLON_DEV_CACHE")
    return Path(chosen) if chosen else Path.home() / ".cache" / "carillon"


def filled_once(target: Path, fill: Callable[[Path], None]) -> Path:
    """Return `target`, letting `fill` make its content in an empty directory first when it is not there.

    Two processes that start together fill it once; an interrupted filling leaves nothing that looks finished.
    """
    if target.is_dir():
        return target
    target.parent.mkdir(parents=True, exist_ok=True)
    with locked(target.with_name(target.name + ".lock")):
        if target.is_dir():
            return target
        for left in target.parent.glob(f"{target.name}.partial-*"):  # by a process that was killed
            shutil.rmtree(left, ignore_errors=True)
        partial = Path(tempfile.mkdtemp(prefix=f"{target.name}.partial-", dir=target.parent))
        try:
            fill(partial)
            partial.chmod(0o755)
            partial.rename(target)
        except BaseException:
            shutil.rmtree(partial, ignore_errors=True)
            raise
    return target


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file against other processes (and other threads) on this machine."""
    with path.open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)  # released by the kernel, also when this process is killed
        yield
