"""A plain Engine.IO server's receiver: the handlers `connect`, `message` and `disconnect`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from libs.fanout.session import Session

if TYPE_CHECKING:
    from libs.fanout.engine import Engine


class Handlers:
    """Messages of a session are handled one after the other."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def immediate(self, session: Session) -> bool:
        """Nobody is to be asked before the session opens."""
        session.joined()  # there are no namespaces
        return "connect" not in self._engine.handlers

    async def opened(self, session: Session) -> Any:
        """What the connect handler says: None or True opens the session, anything else refuses it."""
        return await self._engine._trigger_event("connect", session.sid, session.environ, run_async=False)  # noqa: SLF001

    def received(self, session: Session, data: str | bytes) -> None:
        """A message."""
        self._engine.intake.queue(session, data)

    async def handle(self, session: Session, data: str | bytes) -> None:
        """A message whose turn has come."""
        await self._engine._trigger_event("message", session.sid, data, run_async=False)  # noqa: SLF001

    def gone(self, session: Session, reason: str) -> None:
        """A session has ended."""
        self._engine.intake.run(self._gone(session, reason))

    async def departed(self) -> None:
        """They begin at once."""

    async def _gone(self, session: Session, reason: str) -> None:
        try:
            if session.connected:
                await self._engine._trigger_event("disconnect", session.sid, reason, run_async=False)  # noqa: SLF001
        finally:
            self._engine.forget(session)
