"""uvicorn inside a service: it serves until told to stop and leaves the signals to the service."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from starlette.applications import Starlette

from libs.http import health as health_routes
from libs.runtime.health import Health


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # The service owns the signals: it stops its parts in its own order.
        yield


@contextlib.asynccontextmanager
async def serving(app: Any, host: str, port: int, **options: Any) -> AsyncIterator[uvicorn.Server]:
    """Serves an ASGI application while the block runs; raises at once when the port is taken."""
    # Compression costs ten times the frame itself, and Engine.IO has its own pings (docs/decisions/).
    # Whose X-Forwarded-For is believed is for the service to say.
    options = {
        "proxy_headers": False,
        "ws_per_message_deflate": False,
        "ws_ping_interval": None,
        "access_log": False,
    } | options
    # A client that never ends its request must not keep the process from ending.
    options.setdefault("timeout_graceful_shutdown", 5)
    server = _Server(uvicorn.Config(app, host=host, port=port, log_config=None, lifespan="off", **options))
    task = asyncio.create_task(server.serve())
    try:
        while not server.started:
            if task.done():
                raise OSError(f"cannot listen on {host}:{port}: is another process there?")
            await asyncio.sleep(0.005)
        yield server
    finally:
        server.should_exit = True
        with contextlib.suppress(SystemExit):
            await task


def operator_app(health: Health) -> Starlette:
    """The application of a service that has no other HTTP: health and metrics alone."""
    return Starlette(routes=list(health_routes.routes(health)))
