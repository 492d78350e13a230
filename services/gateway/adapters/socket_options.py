"""What both transports of sockets are told."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from services.gateway.settings import Settings

# A logger of our own: to its default one python-socketio gives a second way out.
logger = logging.getLogger("socketio")
logger.setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """Times in seconds, sizes in bytes. `origins` is empty for the page's own origin only."""

    origins: tuple[str, ...]
    ping_interval: float
    ping_timeout: float
    message_bytes: int
    slow_bytes: int
    join_seconds: float
    handshake_seconds: float

    @classmethod
    def of(cls, settings: Settings, origins: tuple[str, ...]) -> SocketOptions:
        """As the settings say."""
        return cls(
            origins=origins,
            ping_interval=settings.ping_interval,
            ping_timeout=settings.ping_timeout,
            message_bytes=settings.socket_message_bytes,
            slow_bytes=settings.slow_bytes,
            join_seconds=settings.join_timeout,
            handshake_seconds=settings.handshake_timeout,
        )

    def arguments(self) -> dict[str, object]:
        """Those that python-socketio's constructor takes. A CONNECT is answered when its session stands or failed."""
        return {
            "async_mode": "asgi",
            "always_connect": False,
            "cors_allowed_origins": list(self.origins) or None,
            "cors_credentials": True,
            "ping_interval": self.ping_interval,
            "ping_timeout": self.ping_timeout,
            "max_http_buffer_size": self.message_bytes,
            "monitor_clients": False,
            "http_compression": False,
            "logger": logger,
            "engineio_logger": logger,
        }
