"""Composition: builds the gateway from its parts. The only place that knows concrete classes."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Mapping
from contextlib import AsyncExitStack
from typing import Any

from libs.auth.verifier import Verifier
from libs.catalogue.feed import Catalogues
from libs.http.server import serving
from libs.postgres.pool import create_pool
from libs.runtime.clock import utc_now
from libs.runtime.health import Check, Health
from libs.runtime.lifecycle import Stop, first
from libs.schemas.topics import GATEWAY_INBOX
from libs.sealing.vault import Vault
from services.gateway import metrics
from services.gateway.adapters.callback import CallBack
from services.gateway.adapters.kafka_events import KafkaEvents
from services.gateway.adapters.kafka_inbox import KafkaInbox
from services.gateway.adapters.kafka_records import KafkaRecords
from services.gateway.adapters.postgres.database import Database
from services.gateway.adapters.postgres.directory import PostgresDirectory
from services.gateway.adapters.postgres.inbox import PostgresInbox
from services.gateway.adapters.postgres.logs import PostgresLogs
from services.gateway.adapters.postgres.policies import PostgresPolicies
from services.gateway.adapters.postgres.presence import PostgresPresence
from services.gateway.adapters.postgres.slots import PostgresSlots
from services.gateway.domain.commands import MarkRead
from services.gateway.entrypoints import forwarding, presence
from services.gateway.entrypoints.application import application
from services.gateway.entrypoints.caller import bearer
from services.gateway.handlers.company import Circle
from services.gateway.handlers.live import Live, Neighbours
from services.gateway.handlers.reading import Reading
from services.gateway.handlers.telling import Telling
from services.gateway.rest import Rest
from services.gateway.settings import Settings
from services.gateway.transports import Transports

_STUCK_SECONDS = 60.0


async def run(settings: Settings, stop: Stop) -> None:
    """Runs until `stop`. HTTP answers first, so that a gateway that waits for its neighbours can say so."""
    async with AsyncExitStack() as stack:
        health, database = Health(), await _database(stack, settings)
        ingest = await stack.enter_async_context(forwarding.create_client(settings.ingest_url))
        topic = settings.kafka_topic_prefix + GATEWAY_INBOX.name
        inbox = KafkaInbox(settings.kafka_bootstrap, topic)
        stack.push_async_callback(inbox.close)
        records = KafkaRecords(settings.kafka_bootstrap, topic, health.watch("records", _STUCK_SECONDS))
        origins = _origins(settings)
        catalogues = Catalogues(database.fetch)
        transports = Transports(settings, catalogues.of, origins)
        verifier = Verifier(settings.token_rules())
        stack.push_async_callback(verifier.close)
        slots = PostgresSlots(database, _holder(), GATEWAY_INBOX.partitions, settings.slot_lease)
        call_back = CallBack(settings.egress_networks, settings.policy_timeout, utc_now)
        stack.push_async_callback(call_back.close)
        presences = PostgresPresence(database, settings.presence_lease)
        circle = Circle(_holder(), slots, records, PostgresPolicies(database), call_back, presences)
        vault = Vault(settings.masters, metrics.UNSEALABLE)
        logs, directory = PostgresLogs(database, vault), PostgresDirectory(database)
        mailbox = PostgresInbox(database, vault)
        world = Neighbours(slots, inbox, logs, mailbox, directory, verifier, transports.every, circle, catalogues.of)
        live = Live(settings, world, utc_now, health)
        transports.open(live)
        telling = Telling(slots, records, live.following, live.watch)
        events = KafkaEvents(settings.kafka_bootstrap, settings.kafka_topic_prefix)
        stack.push_async_callback(events.close)
        rest = Rest(settings, database, vault, events, live.access, telling, catalogues.of)
        live.events.assign({MarkRead: Reading(rest.inbox).mark_read})
        health.checks |= {"postgres": database.fault, "feed": _attached(live)}
        routers = [
            *rest.routers(bearer(live.credentials), ingest),
            presence.router(live.company.numbers, bearer(live.credentials)),
            transports.router(live),
        ]
        routes = [*forwarding.routes(ingest), *transports.routes(live)]
        app = transports.application(application(health, routers, routes, origins))
        for port in dict.fromkeys(port for port in (settings.http_port, settings.extra_port) if port is not None):
            await stack.enter_async_context(_serving(settings, app, port, transports.server_options))
        try:
            await first(stop.wait(), records.run(), catalogues.keep_fresh(), *live.loops(), *rest.loops(health))
        finally:
            health.stopping = True
            await live.stop()


async def _database(stack: AsyncExitStack, settings: Settings) -> Database:
    pool = await create_pool(settings.postgres_dsn, "carillon_gateway", min_size=0, max_size=settings.postgres_pool)
    stack.callback(pool.terminate)
    return Database(pool)


def _serving(settings: Settings, app: Any, port: int, options: Mapping[str, Any]) -> Any:
    # A long poll may still hang when sockets have been told to go: it is cut off before the stop takes too long.
    grace = max(1, int(settings.shutdown_timeout / 2))
    return serving(app, settings.http_host, port, timeout_graceful_shutdown=grace, **options)


def _origins(settings: Settings) -> tuple[str, ...]:
    """Who may call from a browser: in development everybody, in production only who is named."""
    return settings.cors_origins or (("*",) if settings.environment == "development" else ())


def _attached(live: Live) -> Check:
    async def check() -> str | None:
        return live.feed.fault

    return check


def _holder() -> str:
    """A name for this process that no other has, and that says where it runs."""
    return f"{socket.gethostname()}:{os.getpid()}:{secrets.token_hex(4)}"
