"""An Engine.IO session. With a WebSocket it is itself the transport's protocol; else it has a `Polling`."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING, Any

from libs.fanout import frames
from libs.fanout.closing import end_polling, hang_up
from libs.fanout.errors import PROTOCOL_ERROR, TOO_BIG, Violation
from libs.fanout.head import Environ
from libs.fanout.polling import Polling
from libs.fanout.reasons import Reason
from libs.fanout.rooms import Member
from libs.fanout.wire import Wire

if TYPE_CHECKING:
    from libs.fanout.engine import Engine
    from libs.fanout.upgrade import Upgrade

_PING = frames.frame(b"2")


class Session(Wire):
    """Made by the engine. It stands in the wheel until it has ended, and in the flush while something is pending."""

    __slots__ = (
        "_data", "_head", "_messages", "_second", "connected", "due", "ended", "engine", "idle", "inbox", "opened",
        "others", "pending", "pings", "polling", "root", "running", "shown", "sid", "upgrade",
    )  # fmt: skip

    def __init__(self, engine: Engine, sid: str, head: bytes, *, polling: bool) -> None:
        super().__init__(None)
        self.engine, self.sid, self._head = engine, sid, head
        self.polling: Polling | None = Polling() if polling else None
        self.pending: bytes | None = None
        self.idle = self.ended = self.connected = False
        self.upgrade: Upgrade | None = None  # the WebSocket that wants to take over
        self.pings = 0  # sent and not answered
        self.opened: float | None = engine.wheel.now  # until it has joined a namespace
        self.due = engine.wheel.now + min(engine.interval, engine.limits.join_seconds)
        self.inbox: list[Any] | None = None  # messages that wait for those before them; None: nothing is at work
        self.running = 0  # handlers
        self._second = self._messages = 0
        self._data: dict[str, Any] | None = None
        self.shown: Environ | None = None  # an environ that a handler wrote to
        self.root: Member[Session] | None = None  # in the namespace "/"
        self.others: dict[str, Member[Session]] | None = None  # in other namespaces

    # --- what handlers and python-engineio's methods see ---

    @property
    def session(self) -> dict[str, Any]:
        """The application's own data."""
        if self._data is None:
            self._data = {}
        return self._data

    @session.setter
    def session(self, data: dict[str, Any]) -> None:
        self._data = data

    @property
    def upgraded(self) -> bool:
        """It speaks WebSocket."""
        return self.polling is None

    @property
    def upgrading(self) -> bool:
        """A WebSocket is taking over: polls are sent away."""
        return self.upgrade is not None and self.upgrade.probed

    @property
    def environ(self) -> Environ:
        """The request that opened it."""
        return self.shown or Environ(self._head, partial(setattr, self, "shown"))

    # --- to the client ---

    def write(self, data: bytes) -> None:
        """Frames to the client, past the flush. A client with too much unsent is cut off."""
        if self.transport is not None:
            try:
                if self.idle or self.transport.get_write_buffer_size() <= self.engine.limits.slow_bytes:
                    self.transport.write(data)
                    return
            except RuntimeError:  # closed beneath us, and `connection_lost` is on its way
                self._finish(Reason.TRANSPORT_ERROR)
                return
        elif self.polling is None or self.ended or self.polling.put(data) <= self.engine.limits.slow_bytes:
            return
        self.engine.counts.slow += 1
        self.end(Reason.TRANSPORT_ERROR, abort=True)

    def pause_writing(self) -> None:
        """The transport holds much unsent: from now on it is asked how much."""
        self.idle = False

    def resume_writing(self) -> None:
        """The transport has caught up."""
        self.idle = not self.ended

    def ping(self) -> None:
        """A ping, in order with everything else. A pong says that all before it has arrived."""
        if not self.pings:
            self.due = self.engine.wheel.now + self.engine.ping_timeout
        self.pings += 1
        self.engine.flush.send(self, _PING)
        self.engine.pinged(self)

    def bind(self, transport: asyncio.Transport) -> None:
        """The WebSocket's transport is ours from now on."""
        self.transport, self.polling = transport, None
        self.idle = self.connected = True
        transport.set_protocol(self)
        self.engine.connections.add(self)

    # --- from the client ---

    @property
    def limit(self) -> int:
        """Bytes of the largest message."""
        return self.engine.largest

    def on_text(self, text: str) -> None:
        """An Engine.IO packet. Raises Violation for one that no client may send."""
        match text[:1]:
            case "4":
                self._received(text[1:])
            case "3":
                self._pong()
            case "1":
                self.end(Reason.CLIENT_DISCONNECT)
            case _ if text != "6":  # a no-operation of an upgrade that is over
                raise Violation("unknown packet")

    def on_binary(self, data: bytes) -> None:
        """A binary message packet."""
        self._received(data)

    def _pong(self) -> None:
        if self.pings:
            self.pings -= 1
            self.engine.ponged(self)
        if not self.pings:
            self.due = self.engine.wheel.now + self.engine.interval

    def _received(self, data: str | bytes) -> None:
        second = int(self.engine.wheel.now)
        if second != self._second:
            self._second, self._messages = second, 0
        self._messages += 1
        self.engine.intake.take(self, data, self._messages)

    def release(self) -> None:
        """Enough has been handled: go on reading."""
        super().release()
        if self.polling is not None:
            self.polling.calmed()

    # --- its namespaces ---

    def member(self, namespace: str) -> Member[Session] | None:
        """Its membership of a namespace."""
        return self.root if namespace == "/" else (self.others or {}).get(namespace)

    def set_member(self, namespace: str, member: Member[Session] | None) -> None:
        """It has joined (a member) or left (None) a namespace."""
        if namespace == "/":
            self.root = member
        elif member is not None:
            self.others = {**(self.others or {}), namespace: member}
        elif self.others:
            self.others.pop(namespace, None)
        if member is None and self.root is None and not self.others:
            self.opened = self.engine.wheel.now  # once more, it has a while to join one

    def memberships(self) -> dict[str, Member[Session]]:
        """All of them by namespace."""
        first = {} if self.root is None else {"/": self.root}
        return first | (self.others or {})

    # --- its end ---

    def joined(self) -> None:
        """It has joined a namespace."""
        self.opened = None

    def expire(self, now: float) -> None:
        """The wheel's call: too long without a namespace, without an answer, or time for a ping."""
        engine = self.engine
        join_by = None if self.opened is None else self.opened + engine.limits.join_seconds
        if join_by is not None and now + engine.wheel.tick >= join_by:
            engine.counts.idle += 1
            self.end(Reason.TRANSPORT_CLOSE)
        elif self.held:  # its pong may be among what is kept unread
            self.due = now + engine.ping_timeout
        elif self.pings:
            engine.counts.timeouts += 1
            self.end(Reason.PING_TIMEOUT, abort=True)
        else:
            self.ping()
            if join_by is not None:
                self.due = min(self.due, join_by)

    def fail(self, code: int) -> None:
        """The client broke the protocol."""
        if code in (PROTOCOL_ERROR, TOO_BIG):
            self.engine.counts.violations += 1
        self.end(Reason.TRANSPORT_ERROR, code=code)

    def shutdown(self) -> None:
        """uvicorn's call to every connection when it stops: what a drain has not closed is closed now."""
        self.end(Reason.SERVER_DISCONNECT, code=1001)

    def on_close(self, answer: bytes) -> None:
        """The client closed the WebSocket."""
        transport = self.transport
        if transport is not None:
            self.write(answer)
            transport.close()
        self._finish(Reason.TRANSPORT_CLOSE)

    def eof_received(self) -> bool:
        """The client is gone, perhaps with thousands of others: closing takes as long as all else, and has its turn.

        TLS closes by itself.
        """
        transport = self.transport
        if transport is None or transport.get_extra_info("sslcontext") is not None:
            return False
        self._finish(Reason.TRANSPORT_CLOSE)
        self.engine.closing.add(transport)
        return True

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is gone."""
        self._finish(Reason.TRANSPORT_ERROR if exc else Reason.TRANSPORT_CLOSE)

    def end(self, reason: str, *, code: int = 1000, abort: bool = False) -> None:
        """Closes it: with `abort` at once, else after what is pending."""
        if self.ended:
            return
        if not abort:
            self.engine.flush.write_now(self)
        if self.transport is not None:
            hang_up(self.transport, code, abort=abort)
        elif self.polling is not None:
            end_polling(self.engine, self.sid, self.polling, reason)
        self._finish(reason)

    def _finish(self, reason: str) -> None:
        if self.ended:
            return
        self.ended, self.idle, self.transport = True, False, None
        self.pending = None
        self.forget()
        if self.polling is not None:
            self.polling.calmed()
        self.engine.connections.discard(self)
        self.engine.gone(self, reason)
