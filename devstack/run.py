"""`python -m devstack.run`: the whole platform on the development ports, until Ctrl-C."""

from __future__ import annotations

import argparse
import contextlib
import signal
import time
from collections.abc import Sequence

from devstack.layout import Layout, counts
from devstack.progress import Progress
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.stack import SMTP_PORT, Stack, development_directory, refuse_when_occupied


def main(arguments: Sequence[str] | None = None) -> None:
    """Start, tell the addresses, report services that end, stop everything on SIGINT or SIGTERM."""
    options = _options(arguments)
    refuse_when_occupied()
    processes = counts(routers=options.routers, gateways=options.gateways)
    layout = Layout(processes, fixed_ports=True, environment=smtp_environment(SMTP_PORT))
    progress = Progress()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both raise KeyboardInterrupt
    with (
        contextlib.suppress(KeyboardInterrupt),
        SmtpPeer(SMTP_PORT),
        Stack(development_directory(), layout, progress=progress) as stack,
    ):
        try:
            _tell(stack, progress)
            watch(stack, progress)
        finally:
            progress.note("stopping")


def _tell(stack: Stack, progress: Progress) -> None:
    progress.note(f"Kafka {stack.kafka.bootstrap}, PostgreSQL {stack.neighbours.postgres_dsn}")
    progress.note(f"mail is taken by a peer at 127.0.0.1:{SMTP_PORT} and sent nowhere")
    progress.note(f"data and logs in {stack.directory}")
    progress.note("Ctrl-C stops everything and keeps the data")


def watch(stack: Stack, progress: Progress) -> None:
    """Says which services end by themselves, until interrupted."""
    reported: set[str] = set()
    while True:
        time.sleep(1.0)
        for name, process in stack.services.items():
            if not process.running and name not in reported:
                reported.add(name)
                progress.note(f"[red]{name} ended[/]; {process.log} ends:\n{process.tail(10)}")


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m devstack.run", description="Run Carillon on this machine.")
    parser.add_argument("--gateways", type=int, default=1, help="gateway processes (default 1)")
    parser.add_argument("--routers", type=int, default=1, help="router processes (default 1)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
