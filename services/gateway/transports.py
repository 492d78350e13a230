"""Composition of the sockets: Socket.IO, event streams and plain WebSockets, and the doors by which they come in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import socketio
from fastapi import APIRouter
from starlette.routing import BaseRoute

from libs.catalogue.catalogue import Catalogue
from libs.runtime.clock import utc_now
from services.gateway import metrics
from services.gateway.adapters import event_streams as streams
from services.gateway.adapters import plain_sockets as plain
from services.gateway.adapters.every_socket import EverySocket
from services.gateway.adapters.fanout_sockets import FanoutSockets
from services.gateway.adapters.socket_options import SocketOptions
from services.gateway.adapters.stock_sockets import StockSockets
from services.gateway.domain.dialects.registry import dialects
from services.gateway.domain.recipients import RecipientIds
from services.gateway.entrypoints import event_streams
from services.gateway.entrypoints.plain_sockets import PlainEntrance
from services.gateway.entrypoints.sockets import DialectNamespace
from services.gateway.handlers.live import Live
from services.gateway.settings import Settings


class Transports:
    """Every kind of socket; `every` is all of them as one. `origins` are whose pages may open them."""

    def __init__(self, settings: Settings, catalogue_of: Callable[[str], Catalogue], origins: tuple[str, ...]) -> None:
        self._settings, self._origins = settings, origins
        options = SocketOptions.of(settings, origins)
        self._io = FanoutSockets(options) if settings.transport == "fanout" else StockSockets(options)
        self._streams = streams.EventStreams(settings.sse_heartbeat, settings.sse_cleanup, settings.sse_buffer, utc_now)
        self._plain = plain.PlainSockets(settings.ping_interval + settings.ping_timeout, settings.slow_bytes)
        self.every = EverySocket({"": self._io, streams.KIND: self._streams, plain.KIND: self._plain})
        key = settings.jwt_secret.get_secret_value().encode()
        self._dialects = dialects(catalogue_of, RecipientIds(key))

    def open(self, live: Live) -> None:
        """Lets Socket.IO in, and tells of what sockets confirm."""
        for kind in (self._io, self._streams, self._plain):
            kind.watch(live.delivered.pinged, live.delivered.ponged)
        for dialect in self._dialects.values():
            namespace = DialectNamespace(dialect, live.door, live.events, self._settings.trusted_proxies)
            self._io.server.register_namespace(namespace)
        metrics.CLOSED_SOCKETS.read = lambda: self._io.closed

    def router(self, live: Live) -> APIRouter:
        """Event streams."""
        test, proxies = self._settings.environment == "development", self._settings.trusted_proxies
        return event_streams.router(self._streams, live.door, self._dialects, proxies, test=test)

    def routes(self, live: Live) -> list[BaseRoute]:
        """Plain WebSockets."""
        trusted = self._settings.trusted_proxies
        entrance = PlainEntrance(self._plain, live.door, live.events, self._dialects, self._origins, trusted)
        return list(entrance.routes())

    def application(self, http: Any) -> Any:
        """Socket.IO, with everything else beside it."""
        return socketio.ASGIApp(self._io.server, http)

    @property
    def server_options(self) -> Mapping[str, Any]:
        """What uvicorn is told. Its own pings are for plain WebSockets; Socket.IO has others, beside which they do no
        harm."""
        settings = self._settings
        pings = {"ws_ping_interval": settings.ping_interval, "ws_ping_timeout": settings.ping_timeout}
        return {**self._io.uvicorn_options, **pings, "ws_max_size": settings.socket_message_bytes}
