"""Other servers of sockets, built when the machine has what they need: by npm, by cargo, by go."""

from __future__ import annotations

import asyncio
import hashlib
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

from bench.emitting import SECRET, figures
from bench.figures import Figures, Size
from bench.peers import centrifugo
from devstack.cache import cache_directory, filled_once

STOCK = "stock python-socketio"
# Fewer connections and messages, so that its share of a run stays short.
STOCK_SIZE = Size(connections=1_000, paced=20, flat_out=40, unicasts=8_000, slow_paced=20)
_SIZE = Size(connections=5_000, paced=80, flat_out=200, unicasts=50_000, slow_paced=20)
_HERE = Path(__file__).parent

Command = Sequence[str | Path]


def python(kind: str) -> Command:
    """`stock` or `ours`: bench/fanout_server.py."""
    return [sys.executable, "-m", "bench.fanout_server", kind, "PORT"]


async def measured(program: Path) -> AsyncIterator[tuple[str, Figures]]:
    """(name, figures) of every peer that there is. `program` is the load client."""
    yield STOCK, await figures(python("stock"), STOCK_SIZE, program)
    for name, tool, build in (("Socket.IO on Node", "npm", _node), ("socketioxide (Rust)", "cargo", _rust)):
        if shutil.which(tool) is None:
            print(f"without {name}: {tool} is missing", file=sys.stderr)
            continue
        yield name, await figures(await asyncio.to_thread(build), _SIZE, program)
    if shutil.which("go") is None:
        print(f"without {centrifugo.NAME}: go is missing", file=sys.stderr)
        return
    built = await asyncio.to_thread(_built, "go", centrifugo.BUILD)
    yield centrifugo.NAME, await centrifugo.figures_of(built, _SIZE, program)


def _node() -> Command:
    return ["node", _built("node", ["npm", "ci", "--silent", "--no-fund", "--no-audit"]) / "server.js", "PORT", SECRET]


def _rust() -> Command:
    return [
        _built("rust", ["cargo", "build", "--release", "--locked"]) / "target/release/socketioxide-peer",
        "PORT",
        SECRET,
    ]


def _built(name: str, command: Sequence[str]) -> Path:
    """A copy of a peer's folder in which `command` has been run: once for each state of the folder."""
    source = _HERE / name
    state = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(source.rglob("*")) if path.is_file()))

    def fill(target: Path) -> None:
        shutil.copytree(source, target, dirs_exist_ok=True)
        subprocess.run(command, cwd=target, check=True, stdout=sys.stderr)

    return filled_once(cache_directory() / f"peer-{name}-{state.hexdigest()[:12]}", fill)
