"""Resident memory of each idle service, a few seconds after it became ready, beside a bare Python with uvloop."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.result import Result, resident_megabytes
from devstack.layout import Layout
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.stack import Stack

_BARE = "import uvloop, asyncio; uvloop.run(asyncio.sleep(60))"


async def measure() -> list[Result]:
    """One result a service, in MB."""
    return await asyncio.to_thread(_measure)


def _measure() -> list[Result]:
    with (
        tempfile.TemporaryDirectory() as folder,
        SmtpPeer() as mail,
        Stack(Path(folder), Layout(environment=smtp_environment(mail.port))) as stack,
    ):
        beside = {"bare Python with uvloop": _bare()}
        return [
            Result(f"memory of idle {name}", resident_megabytes(process.pid), "MB", None, beside)
            for name, process in stack.services.items()
            if process.pid is not None
        ]


def _bare() -> float:
    with subprocess.Popen([sys.executable, "-c", _BARE]) as process:
        try:
            time.sleep(3)  # it has imported by then, and the services have settled
            return resident_megabytes(process.pid)
        finally:
            process.kill()
