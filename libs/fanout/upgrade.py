"""A WebSocket that takes over a polling session: `2probe`, `3probe`, `5`, and not a message is lost or overtaken."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from libs.fanout import frames
from libs.fanout.errors import Violation
from libs.fanout.polling import NOOP_PACKET
from libs.fanout.session import Session
from libs.fanout.wire import Wire

if TYPE_CHECKING:
    from libs.fanout.engine import Engine

_PROBED = frames.frame(b"3probe")


class Upgrade(Wire):
    """Until `5` it is the transport's protocol, afterwards the session is. It stands in the wheel meanwhile."""

    def __init__(self, engine: Engine, session: Session, transport: asyncio.Transport) -> None:
        super().__init__(transport)
        self._session = session
        self.probed = False
        session.upgrade = self
        self.due = engine.wheel.now + engine.limits.upgrade_seconds
        engine.wheel.put(self)
        engine.connections.add(self)

    @property
    def ended(self) -> bool:
        """It took over, or is gone."""
        return self.transport is None

    @property
    def limit(self) -> int:
        """Bytes of the largest message."""
        return self._session.limit

    def expire(self, _now: float) -> None:
        """It took too long."""
        self.fail(1002)

    def write(self, data: bytes) -> None:
        """To the new transport."""
        if self.transport is not None:
            self.transport.write(data)

    def on_text(self, text: str) -> None:
        """Probe and upgrade, in this order; a session may have been closed meanwhile."""
        if self._session.ended or self._session.polling is None:
            raise Violation("no session to take over")
        if text == "2probe" and not self.probed:
            self._probe()
        elif text == "5" and self.probed:
            self._take_over()
        else:
            raise Violation("not an upgrade")

    def on_binary(self, _data: bytes) -> None:
        """Nothing binary belongs here."""
        raise Violation("not an upgrade")

    def _probe(self) -> None:
        polling = self._session.polling
        assert polling is not None
        self.probed = True
        self.write(_PROBED)
        if polling.fetching and polling.empty:
            polling.put_packet(NOOP_PACKET)  # ends the poll that waits

    def _take_over(self) -> None:
        session, polling, transport = self._session, self._session.polling, self.transport
        assert polling is not None
        assert transport is not None
        self._leave()
        waiting = polling.rest()
        session.bind(transport)
        polling.wake()
        if waiting:
            transport.write(waiting)
        session.engine.flush.write_now(session)

    def on_rest(self, rest: bytes) -> None:
        """What followed in the same read is the session's."""
        if not self._session.ended:
            self._session.data_received(rest)

    def on_close(self, answer: bytes) -> None:
        """The client gave up: polling goes on."""
        self.write(answer)
        self._hang_up()

    def fail(self, code: int) -> None:
        """Polling goes on."""
        self.write(frames.close(code))
        self._hang_up()

    def shutdown(self) -> None:
        """uvicorn stops."""
        self.fail(1001)

    def connection_lost(self, _exc: Exception | None) -> None:
        """The WebSocket is gone: polling goes on."""
        if self.transport is not None:
            self._leave()

    def _hang_up(self) -> None:
        transport = self.transport
        if transport is not None:
            self.connection_lost(None)
            transport.close()

    def _leave(self) -> None:
        self._session.engine.connections.discard(self)
        self._session.upgrade = None
        self.transport = None
        self.forget()
