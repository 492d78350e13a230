"""How a connection is told that its session is over."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from libs.fanout import frames
from libs.fanout.polling import CLOSE_PACKET, NOOP_PACKET, Polling
from libs.fanout.reasons import Reason

if TYPE_CHECKING:
    from libs.fanout.engine import Engine

_LINGER = 10.0  # seconds for a closed connection to take what was written


def hang_up(transport: asyncio.Transport, code: int, *, abort: bool) -> None:
    """Closes a WebSocket: with `abort` at once, else after what was written."""
    if abort:
        transport.abort()
        return
    transport.write(frames.close(code))
    transport.close()
    if transport.get_write_buffer_size():  # closing waits for the client to read, but not for ever
        asyncio.get_running_loop().call_later(_LINGER, transport.abort)


def end_polling(engine: Engine, sid: str, polling: Polling, reason: str) -> None:
    """Ends the poll that waits; without one, the next poll shall have what was said and hear of the end."""
    if polling.fetching:
        polling.put_packet(NOOP_PACKET if reason == Reason.CLIENT_DISCONNECT else CLOSE_PACKET)
    elif reason == Reason.SERVER_DISCONNECT:
        polling.put_packet(CLOSE_PACKET)
        engine.linger(sid, polling)
