"""The Socket.IO server: python-socketio's AsyncServer on our transport."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from functools import partial
from typing import Any

import socketio

from libs.fanout.counts import Counts
from libs.fanout.dispatch import Dispatch
from libs.fanout.engine import Engine
from libs.fanout.head import Environ
from libs.fanout.limits import Limits
from libs.fanout.members import FanoutManager
from libs.fanout.packets import CONNECT_ERROR, Packets
from libs.fanout.reasons import Reason
from libs.fanout.session import Session


class AsyncServer(socketio.AsyncServer):
    """The same constructor arguments and methods as socketio.AsyncServer, and `limits`.

    Bounds of its own: events of one client beyond `limits.events_running` wait, and `await emit` waits for the sockets
    when it is faster than they are.
    """

    def __init__(
        self,
        client_manager: Any = None,
        *arguments: Any,
        json: Any = None,
        limits: Limits | None = None,
        **options: Any,
    ) -> None:
        self._limits = limits or Limits()
        manager = FanoutManager() if client_manager is None else FanoutManager.adopt(client_manager)
        super().__init__(manager, *arguments, **options)
        self.packets = Packets(vars(self)["packet_class"], json, self._limits.attachments)
        self.packet_class: Any = self.packets.packet_class
        self.manager.json = self.packet_class.json
        self.environ: Any = _Environs(self.eio)

    def _engineio_server_class(self) -> Callable[..., Engine]:
        return partial(Engine, limits=self._limits, receiver=Dispatch(self))

    # --- beyond python-socketio ---

    def encode(self, event: str, *arguments: Any, namespace: str = "/") -> bytes:
        """An event's bytes for `write`: made once, sent to any number of clients."""
        return self.packets.event(namespace, [event, *arguments])

    def encode_halves(
        self, event: str, data: Mapping[str, Any], field: str, namespace: str = "/"
    ) -> Callable[[Any], bytes]:
        """As `encode`, for an event whose data differs in one field: the rest is encoded once, before and after it."""
        return self.packets.halves(namespace, event, data, field)

    def write(self, sids: Iterable[str], encoded: bytes, namespace: str = "/") -> int:
        """Encoded events to clients, in order with everything else they are sent; how many of them are connected.

        It does not wait: call `breathe` between many.
        """
        sessions = self.manager.sessions(namespace, sids)
        if len(sessions) == 1:
            self.eio.flush.send(sessions[0], encoded)
        else:
            self.eio.flush.send_all(sessions, encoded)
        return len(sessions)

    async def breathe(self) -> None:
        """Waits while more has been sent than the sockets have been given."""
        await self.eio.flush.breathe()

    def drop(self, sid: str, namespace: str = "/") -> None:
        """Closes a client's connection after what is queued. It may come back by itself, unlike after `disconnect`."""
        member = self.manager.member(sid, namespace)
        if member is not None:
            member.session.end(Reason.SERVER_DISCONNECT)

    async def fail(self, reason: str, sid: str, namespace: str = "/") -> None:
        """Tells a client that was let in that its connection failed after all, and disconnects it."""
        member = self.manager.member(sid, namespace)
        if member is not None:
            packet = self.packet_class(CONNECT_ERROR, data={"message": reason}, namespace=namespace)
            self.eio.flush.send(member.session, self.packets.frames(packet))
            await self.disconnect(sid, namespace)

    def ping(self, sid: str, namespace: str = "/") -> None:
        """A ping beside the regular ones: its pong says that everything before it has arrived."""
        member = self.manager.member(sid, namespace)
        if member is not None:
            member.session.ping()

    def watch_pings(self, pinged: Callable[[str], None], ponged: Callable[[str], None]) -> None:
        """Calls `pinged` with each ping to a client, and `ponged` with each pong for one: a sid for each namespace."""
        self.eio.pinged = partial(_told, pinged)
        self.eio.ponged = partial(_told, ponged)

    async def drain(self, seconds: float) -> None:
        """Takes no new client and closes those there are, spread over `seconds`; see Engine.drain."""
        await self.eio.drain(seconds)

    @property
    def counts(self) -> Counts:
        """Totals for metrics."""
        return self.eio.counts  # type: ignore[no-any-return]

    @property
    def loop_lag(self) -> float:
        """Seconds by which the loop was late at the last tick."""
        return self.eio.wheel.lag  # type: ignore[no-any-return]

    # --- python-socketio's own methods, on our sessions ---

    def get_environ(self, sid: str, namespace: str | None = None) -> Any:
        """The environ of the request that opened a client's session; None for a stranger."""
        member = self.manager.member(sid, namespace or "/")
        return None if member is None else member.session.environ

    async def _send_packet(self, eio_sid: str, pkt: Any) -> None:
        session: Session | None = self.eio.sockets.get(eio_sid)
        if session is None or session.ended:
            return
        if isinstance(pkt.data, str):  # of a CONNECT_ERROR: the protocol wants an object
            pkt.data = {"message": pkt.data}
        self.eio.flush.send(session, self.packets.frames(pkt))


def _told(hears: Callable[[str], None], session: Session) -> None:
    for member in session.memberships().values():
        hears(member.sid)


class _Environs(MutableMapping[str, Any]):
    """`server.environ`: the sessions keep theirs."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def __getitem__(self, sid: str) -> Environ:
        return self._engine.sockets[sid].environ  # type: ignore[no-any-return]

    def __contains__(self, sid: object) -> bool:
        return sid in self._engine.sockets

    def __setitem__(self, sid: str, environ: Any) -> None:
        """The session has it already."""

    def __delitem__(self, sid: str) -> None:
        """It goes with the session."""

    def __iter__(self) -> Iterator[str]:
        return iter(self._engine.sockets)

    def __len__(self) -> int:
        return len(self._engine.sockets)
