"""Socket.IO on sessions: which packet does what. Handlers are called by python-socketio's own methods."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from libs.fanout import packets
from libs.fanout.departures import Departures
from libs.fanout.errors import Violation
from libs.fanout.reasons import Reason
from libs.fanout.rooms import CONNECTED
from libs.fanout.session import Session

if TYPE_CHECKING:
    from libs.fanout.server import AsyncServer


class Dispatch:
    """The receiver of an AsyncServer's sessions."""

    def __init__(self, server: AsyncServer) -> None:
        self._server = server
        self._unfinished: dict[str, Any] = {}  # packets that wait for attachments, by session
        self._departures = Departures(self._leave)

    def immediate(self, _session: Session) -> bool:
        """Clients are asked who they are with their CONNECT, after the session has opened."""
        return True

    def received(self, session: Session, data: str | bytes) -> None:
        """A plain event goes straight to its handler; what must keep its order waits for what came before."""
        if session.inbox is None and self._server.async_handlers and isinstance(data, str) and data.startswith("2"):
            if session.sid in self._unfinished:
                raise Violation("packet without its attachments")
            self._event(session, self._server.packets.read(data))
        else:
            self._server.eio.intake.queue(session, data)

    async def handle(self, session: Session, data: str | bytes) -> None:
        """A message whose turn has come."""
        packet = self._unfinished.get(session.sid)
        if packet is None:
            packet = self._server.packets.read(data)
            if packet.attachment_count:
                self._unfinished[session.sid] = packet
                return
        else:
            if not self._server.packets.attach(packet, data):
                return
            del self._unfinished[session.sid]
        await self._packet(session, packet)

    async def _packet(self, session: Session, packet: Any) -> None:
        server, namespace = self._server, packet.namespace or "/"
        match packet.packet_type:
            case packets.CONNECT:
                await self._connect(session, namespace, packet.data)
            case packets.DISCONNECT:
                await server._handle_disconnect(session.sid, namespace, Reason.CLIENT_DISCONNECT)  # noqa: SLF001
            case packets.EVENT | packets.BINARY_EVENT if server.async_handlers:
                self._event(session, packet)
            case packets.EVENT | packets.BINARY_EVENT:
                await server._handle_event(session.sid, namespace, packet.id, packet.data)  # noqa: SLF001
            case _:
                await server._handle_ack(session.sid, namespace, packet.id, packet.data)  # noqa: SLF001

    def _event(self, session: Session, packet: Any) -> None:
        namespace = packet.namespace or "/"
        member = session.member(namespace)
        if member is None or member.state != CONNECTED:
            return  # it may have been sent before the client heard that it was disconnected
        server = self._server
        work = server._handle_event_internal(server, member.sid, session.sid, packet.data, namespace, packet.id)  # noqa: SLF001
        server.eio.intake.start(session, work)

    async def _connect(self, session: Session, namespace: str, auth: Any) -> None:
        server = self._server
        if not self._known(namespace):
            await self._refuse(session, namespace, "Invalid namespace")
            return
        try:
            await server._handle_connect(session.sid, namespace, auth)  # noqa: SLF001
        except Exception:  # an application's handler: its client alone is refused, and hears so
            server.logger.exception("connect handler error")
            member = session.member(namespace)
            if member is not None:
                server.manager.basic_disconnect(member.sid, namespace)
            await self._refuse(session, namespace, "Internal server error")

    async def _refuse(self, session: Session, namespace: str, message: str) -> None:
        packet = self._server.packet_class(packets.CONNECT_ERROR, data={"message": message}, namespace=namespace)
        await self._server._send_packet(session.sid, packet)  # noqa: SLF001

    def _known(self, namespace: str) -> bool:
        server = self._server
        return (
            namespace in server.handlers
            or namespace in server.namespace_handlers
            or server.namespaces == "*"
            or namespace in server.namespaces
        )

    def gone(self, session: Session, reason: str) -> None:
        """A session has ended."""
        self._unfinished.pop(session.sid, None)
        self._departures.add((session, reason))

    async def departed(self) -> None:
        """Until the disconnect handlers of everybody who is gone have begun."""
        await self._departures.finished()

    def _leave(self, gone: tuple[Session, str]) -> None:
        session, reason = gone
        if session.memberships():
            self._server.eio.intake.run(self._say_goodbye(session, reason))
        else:
            self._server.eio.forget(session)

    async def _say_goodbye(self, session: Session, reason: str) -> None:
        server = self._server
        try:
            for namespace, member in session.memberships().items():
                if member.state == CONNECTED:
                    await self._tell(namespace, member.sid, reason)
                server.manager.basic_disconnect(member.sid, namespace)
        finally:
            server.eio.forget(session)

    async def _tell(self, namespace: str, sid: str, reason: str) -> None:
        self._server.manager.pre_disconnect(sid, namespace)
        try:
            await self._server._trigger_event("disconnect", namespace, sid, reason)  # noqa: SLF001
        except Exception:  # an application's handler: the session must be taken out of its rooms all the same
            self._server.logger.exception("disconnect handler error")
