"""What clients send is handled at once or in order, as the receiver asks, and never more of it than bounds allow."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, Protocol

from libs.fanout.counts import Counts
from libs.fanout.errors import POLICY, Violation
from libs.fanout.limits import Limits
from libs.fanout.session import Session

Message = str | bytes


class Receiver(Protocol):
    """What sessions are for: Socket.IO, or the handlers of a plain Engine.IO server."""

    def received(self, session: Session, data: Message) -> None:
        """A message. Raises Violation when it breaks the receiver's protocol."""
        ...

    async def handle(self, session: Session, data: Message) -> None:
        """A message that was put in order. Raises Violation."""
        ...


class Intake:
    """A task exists only while there is work."""

    def __init__(self, receiver: Receiver, limits: Limits, counts: Counts, logger: Any) -> None:
        self._receiver, self._counts, self._log = receiver, counts, logger
        self._most = limits.events_running
        self._a_second = limits.events_per_second
        self._tasks: set[asyncio.Task[None]] = set()

    def take(self, session: Session, data: Message, this_second: int) -> None:
        """A message, the `this_second`-th of its session within this second."""
        if self._a_second is not None and this_second > self._a_second:
            self._counts.flooding += 1
            raise Violation("too many messages", POLICY)
        self._receiver.received(session, data)

    def start(self, session: Session, work: Coroutine[Any, Any, None]) -> None:
        """Runs it now, beside whatever of this session is running."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        session.running += 1
        if session.running >= self._most and not session.held:
            session.hold()
        task.add_done_callback(partial(self._done, session))

    def queue(self, session: Session, data: Message) -> None:
        """Handles it after everything of this session that was queued before."""
        if session.inbox is None:
            session.inbox = []
            self.start(session, self._in_order(session, data))
            return
        session.inbox.append(data)
        if len(session.inbox) >= self._most and not session.held:
            session.hold()

    async def finished(self) -> None:
        """Until no handler is at work."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def run(self, work: Coroutine[Any, Any, None]) -> None:
        """Work that no session waits for."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _in_order(self, session: Session, data: Message) -> None:
        try:
            while not session.ended:
                await self._handle(session, data)
                if not session.inbox:
                    return
                data = session.inbox.pop(0)
                self._let_go(session)
        finally:
            session.inbox = None

    async def _handle(self, session: Session, data: Message) -> None:
        try:
            await self._receiver.handle(session, data)
        except Violation as violation:
            session.fail(violation.code)
        except Exception:  # noqa: BLE001 - one message's handler must not take the next ones with it
            self._log.exception("message handler error")

    def _done(self, session: Session, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        session.running -= 1
        if not task.cancelled() and (fault := task.exception()) is not None:
            self._log.error("event handler error", exc_info=fault)
        self._let_go(session)

    def _let_go(self, session: Session) -> None:
        if session.held and not session.ended and session.running + len(session.inbox or ()) <= self._most // 2:
            session.release()
