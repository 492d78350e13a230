"""The whole platform on the development ports, and a stream of sample notifications to develop clients against."""

from __future__ import annotations

import asyncio
import contextlib
import signal

from devstack.demo.examples import MEMBER
from devstack.demo.people import token
from devstack.layout import Layout
from devstack.progress import Progress
from devstack.samples import send
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.stack import SMTP_PORT, Stack, development_directory

NAMESPACES = ("/", "/notifications", "/events", "/ws/notifications")


def serve(every: float, rounds: int | None = None) -> None:
    """Starts everything, sends a sample every so many seconds until SIGINT or SIGTERM, and stops everything."""
    progress = Progress()
    layout = Layout(fixed_ports=True, environment=smtp_environment(SMTP_PORT))
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both raise KeyboardInterrupt
    with (
        contextlib.suppress(KeyboardInterrupt),
        SmtpPeer(SMTP_PORT),
        Stack(development_directory(), layout, progress=progress) as stack,
    ):
        gateway = stack.services.url("gateway")
        _tell(gateway, progress)
        try:
            asyncio.run(send(gateway, every, rounds, lambda name: progress.note(f"sent {name}")))
        finally:
            progress.note("stopping")


def _tell(gateway: str, progress: Progress) -> None:
    websocket = gateway.replace("http", "ws", 1)
    progress.note(f"connect as {MEMBER}, with this token:")
    progress.note(f"  {token(MEMBER)}")
    for namespace in NAMESPACES:
        progress.note(f"  Socket.IO      io('{gateway}{namespace}', {{auth: {{token}}}})")
    progress.note(f"  WebSocket      {websocket}/ws/notifications?token=…&dialect=/events")
    progress.note(f"  event stream   {gateway}/notifications/sse?token=…")
    progress.note(f"  inbox          {gateway}/api/v1/notifications")
    progress.note("Ctrl-C stops everything and keeps the data")
