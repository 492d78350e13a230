"""Composition: builds ingest from its parts. The only place that knows concrete classes."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from fastapi import APIRouter, FastAPI

from libs.auth.verifier import Verifier
from libs.catalogue.feed import Catalogues
from libs.http.quotas import Quotas
from libs.http.server import serving
from libs.kafka.cluster import cluster_id
from libs.kafka.producer import create_producer
from libs.postgres.pool import create_pool
from libs.runtime.clock import utc_now
from libs.runtime.health import Health
from libs.runtime.lifecycle import Stop, first
from libs.runtime.quota import Quota
from libs.schemas.topics import DIRECTORY, NOTI
from services.ingest import live
from services.ingest.adapters.administration import PostgresAdministration
from services.ingest.adapters.cancellations import PostgresCancellations
from services.ingest.adapters.catalogue import PostgresTypes
from services.ingest.adapters.catalogue import catalogues as stored_catalogues
from services.ingest.adapters.directory_reads import PostgresDirectoryReads
from services.ingest.adapters.directory_writes import PostgresDirectory
from services.ingest.adapters.erasures import PostgresErasures
from services.ingest.adapters.idempotency import PostgresIdempotency
from services.ingest.adapters.kafka_publisher import KafkaPublisher
from services.ingest.adapters.keys import PostgresKeys
from services.ingest.adapters.lanes import KafkaEnds, PostgresDiversions
from services.ingest.adapters.ledger import CONSUMER, PostgresLedger
from services.ingest.adapters.listeners import PostgresListeners
from services.ingest.adapters.noti_consumer import create_consumer
from services.ingest.adapters.status import PostgresStatuses
from services.ingest.adapters.tenants import PostgresTenants
from services.ingest.after import compose
from services.ingest.entrypoints.directory import DirectoryEntrypoint
from services.ingest.entrypoints.http import administration, cancelling, catalogue, directory, erasing, events, status
from services.ingest.entrypoints.http.application import application
from services.ingest.entrypoints.noti import NotiEntrypoint
from services.ingest.handlers.access import Access
from services.ingest.handlers.catalogue import CatalogueChanges
from services.ingest.handlers.directory import DirectoryChanges
from services.ingest.handlers.directory_records import DirectoryRecords
from services.ingest.handlers.lanes import Lanes
from services.ingest.handlers.noti import NotiBatches, TenantScope
from services.ingest.handlers.publishing import Publishing
from services.ingest.settings import IngestSettings

_PROGRESS_SECONDS = 60.0
_CLUSTER_SECONDS = 15.0


async def run(settings: IngestSettings, stop: Stop) -> None:
    """Runs until `stop`. HTTP answers first, so that a process that waits for its neighbours can say so."""
    async with AsyncExitStack() as stack:
        pool = await create_pool(settings.postgres_dsn, "carillon_ingest", min_size=0)
        stack.push_async_callback(_close, pool)
        publisher = KafkaPublisher(
            lambda: create_producer(settings.kafka_bootstrap, client_id="carillon-ingest"), settings.kafka_topic_prefix
        )
        stack.push_async_callback(publisher.close)
        health, tenants, idempotency = Health(), PostgresTenants(pool), PostgresIdempotency(pool)
        catalogues = stored_catalogues(pool)
        lanes = _lanes(settings, pool, stack)
        noti = _noti(settings, pool, publisher, lanes, tenants, catalogues, health)
        changes = DirectoryChanges(PostgresDirectory(pool), PostgresListeners(pool), publisher)
        entries = _directory(settings, changes, publisher, tenants, health)
        health.checks |= {"kafka": publisher.fault, "postgres": tenants.fault, "noti": noti.fault}
        seconds = settings.publish_timeout
        publishing = Publishing(publisher, lanes, tenants, idempotency, catalogues, utc_now, seconds=seconds)
        after = compose(settings, pool, stack)
        access = Access(PostgresKeys(pool), _verifier(settings, stack), settings.admin_roles, settings.platform_roles)
        quotas = Quotas(_quota(settings))
        publishes = events.router(access, publishing, quotas, after.waiting)
        lives = live.routers(access, pool, publisher, tenants, catalogues, quotas, seconds=seconds)
        app = _http(pool, access, catalogues, changes, health, [publishes, *lives, *after.routers(access)])
        await stack.enter_async_context(serving(app, settings.http_host, settings.http_port))
        roads = _all(noti.run(stop), entries.run(stop), _told(health, stop))
        kept = tenants.keep_fresh(), catalogues.keep_fresh(), lanes.keep_fresh(), idempotency.keep_purged()
        await first(roads, *kept, after.waiting.run())


def _lanes(settings: IngestSettings, pool: asyncpg.Pool, stack: AsyncExitStack) -> Lanes:
    ends = KafkaEnds(lambda: AIOKafkaConsumer(bootstrap_servers=settings.kafka_bootstrap, enable_auto_commit=False))
    stack.push_async_callback(ends.close)
    share = Quota("tenant", "events", settings.tenant_rate, settings.tenant_burst)
    return Lanes(share, PostgresDiversions(pool), ends, settings.kafka_topic_prefix)


def _verifier(settings: IngestSettings, stack: AsyncExitStack) -> Verifier | None:
    if not settings.takes_tokens:
        return None
    verifier = Verifier(settings.token_rules())
    stack.push_async_callback(verifier.close)
    return verifier


def _noti(
    settings: IngestSettings,
    pool: asyncpg.Pool,
    publisher: KafkaPublisher,
    lanes: Lanes,
    tenants: PostgresTenants,
    catalogues: Catalogues,
    health: Health,
) -> NotiEntrypoint:
    prefix = settings.kafka_topic_prefix

    async def find_ledger() -> PostgresLedger:
        async with asyncio.timeout(_CLUSTER_SECONDS):
            return PostgresLedger(pool, await cluster_id(settings.kafka_bootstrap))

    return NotiEntrypoint(
        lambda: create_consumer(settings.kafka_bootstrap, prefix + CONSUMER),
        prefix + NOTI.name,
        NotiBatches(
            publisher, lanes, tenants, catalogues, TenantScope(settings.default_tenant, settings.noti_tenants), utc_now
        ),
        find_ledger,
        health.watch("noti", _PROGRESS_SECONDS),
        # The rest of the time is for leaving the group, closing the producer and ending HTTP.
        stop_seconds=settings.shutdown_timeout * 0.4,
    )


def _directory(
    settings: IngestSettings,
    changes: DirectoryChanges,
    publisher: KafkaPublisher,
    tenants: PostgresTenants,
    health: Health,
) -> DirectoryEntrypoint:
    prefix, scope = settings.kafka_topic_prefix, TenantScope(settings.default_tenant, settings.noti_tenants)
    return DirectoryEntrypoint(
        lambda: create_consumer(settings.kafka_bootstrap, f"{prefix}{CONSUMER}-directory"),
        prefix + DIRECTORY.name,
        DirectoryRecords(changes, publisher, tenants, scope, utc_now),
        health.watch("directory", _PROGRESS_SECONDS),
    )


def _http(
    pool: asyncpg.Pool,
    access: Access,
    catalogues: Catalogues,
    changes: DirectoryChanges,
    health: Health,
    further: Sequence[APIRouter],
) -> FastAPI:
    return application(
        health,
        status.router(access, PostgresStatuses(pool)),
        cancelling.router(access, PostgresCancellations(pool)),
        administration.tenants_router(access, PostgresAdministration(pool)),
        administration.keys_router(access, PostgresAdministration(pool)),
        directory.router(access, changes, PostgresDirectoryReads(pool)),
        erasing.router(access, PostgresErasures(pool), changes),
        catalogue.router(access, CatalogueChanges(PostgresTypes(pool), catalogues)),
        *further,
    )


async def _told(health: Health, stop: Stop) -> None:
    """From `stop` on the process is not ready, while it still finishes what it has."""
    await stop.wait()
    health.stopping = True


async def _all(*parts: Coroutine[Any, Any, None]) -> None:
    """Ends when all have ended, or raises at once what one of them raised."""
    async with asyncio.TaskGroup() as tasks:
        for part in parts:
            tasks.create_task(part)


async def _close(pool: asyncpg.Pool) -> None:
    pool.terminate()


def _quota(settings: IngestSettings) -> Quota | None:
    limit = settings.rate_limit
    return Quota("events", "events", limit, settings.rate_burst) if limit else None
