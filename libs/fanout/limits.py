"""Every bound of the transport that Socket.IO's own arguments do not name."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of one server. Times in seconds, sizes in bytes.

    Args:
        slow_bytes: unsent bytes after which a slow client is cut off; polling clients may leave as much unfetched.
        join_seconds: a connection that has joined no namespace by then is closed.
        handshake_seconds: for the head of a connection's first request to arrive.
        upgrade_seconds: for a WebSocket to take over a polling session.
        head_bytes: of a request's head.
        events_running: handlers of one connection at work at the same time; reading stops until there are fewer.
        events_per_second: messages of one connection within a second; with more it is closed. None: any number.
        attachments: binary attachments of one Socket.IO packet.
        turn_sockets: sockets written within one pass of the loop.
        emit_seconds: age of unwritten messages from which `await emit` waits for them.
        emit_bytes: size of unwritten messages from which `await emit` waits for them.
        kept_headers: lower-case names of the request headers that handlers may see. None: all but those of the
            WebSocket handshake itself and what browsers say about fetching.
    """

    slow_bytes: int = 1_000_000
    join_seconds: float = 45.0
    handshake_seconds: float = 10.0
    upgrade_seconds: float = 10.0
    head_bytes: int = 65_536
    events_running: int = 64
    events_per_second: int | None = 2_000
    attachments: int = 10
    turn_sockets: int = 256
    emit_seconds: float = 0.010
    emit_bytes: int = 256_000
    kept_headers: frozenset[str] | None = None
