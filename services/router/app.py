"""The composition root of the router."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer

from libs.catalogue.feed import Catalogues
from libs.http.server import operator_app, serving
from libs.kafka.cluster import cluster_id
from libs.kafka.producer import LazyProducer, create_producer
from libs.postgres.pool import create_pool
from libs.postgres.progress import Progress
from libs.runtime.clock import utc_now
from libs.runtime.health import Health
from libs.runtime.health import Progress as Liveness
from libs.runtime.lifecycle import Stop, close_within, first
from libs.schemas import topics
from libs.sealing.vault import Vault
from services.router import metrics
from services.router.adapters.catalogue import keep_release
from services.router.adapters.directory import PostgresDirectory
from services.router.adapters.due import PostgresDue
from services.router.adapters.erasing import PostgresErasing
from services.router.adapters.expansions import PostgresExpansions
from services.router.adapters.kafka_log import KafkaPartitions, started_consumer
from services.router.adapters.ledger import PostgresLedger
from services.router.adapters.outbox import KafkaOutbox
from services.router.adapters.positions import PostgresPositions
from services.router.adapters.retention import PostgresRetention
from services.router.domain.retention import Keeping
from services.router.entrypoints.batcher import Batcher, Handle
from services.router.entrypoints.consuming import consume
from services.router.entrypoints.faust_app import create, require_compiled
from services.router.errors import GivenBack, Misconfigured
from services.router.handlers.batch import BatchHandler, Follow, follow_nothing
from services.router.handlers.due import DueHandler
from services.router.handlers.erasing import ErasingHandler
from services.router.handlers.expansion import ExpansionHandler
from services.router.handlers.holding import Holding
from services.router.handlers.lanes import BulkLane, FastLane, Following
from services.router.handlers.preparing import Preparation
from services.router.handlers.retention import RetentionHandler
from services.router.handlers.watching import Watch
from services.router.settings import Settings

CONSUMER = "router"  # in the table of progress, and the consumer group
CLOSE_TIMEOUT, ANSWER_TIMEOUT = 3.0, 2.0
_AHEAD = 4  # batches that are in memory before their turn, at most
EXPANSION_LIMIT = DUE_LIMIT = 60.0
RETENTION_LIMIT = 120.0  # beyond its interval: a step ends or fails within the statement timeout


@dataclass(frozen=True, slots=True)
class _Neighbours:
    cluster: str
    reader: AIOKafkaConsumer
    outbox: KafkaOutbox
    pool: asyncpg.Pool
    catalogues: Catalogues
    vault: Vault


async def run(settings: Settings, stop: Stop) -> None:
    """Serves until `stop` is set. Raises Misconfigured for what no waiting would mend."""
    require_compiled()
    health = Health(checks={"start": _not_started})
    progress = health.watch("events", settings.router_stall_limit)
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(serving(operator_app(health), settings.http_host, settings.http_port))
        try:
            neighbours = await _meet(settings, Holding(progress, stop), stack)
        except GivenBack:
            return
        await _check_forward_topics(settings, neighbours.reader)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_until_stopped(health, stop))
            for work in _compose(settings, neighbours, health, stop):
                tasks.create_task(work)


def _compose(settings: Settings, neighbours: _Neighbours, health: Health, stop: Stop) -> list[Any]:
    """Builds every part; returns what runs until the process stops."""
    pool, grace, catalogues = neighbours.pool, timedelta(seconds=settings.delivery_grace), neighbours.catalogues
    offline_grace = timedelta(seconds=settings.offline_grace)
    log = KafkaPartitions(neighbours.reader)
    positions = PostgresPositions(pool, Progress(CONSUMER, neighbours.cluster), log)
    expansion = ExpansionHandler(
        PostgresExpansions(pool, grace),
        neighbours.outbox,
        catalogues,
        Holding(health.watch("expansions", EXPANSION_LIMIT), stop),
        deliverable=settings.channels,
        page_size=settings.router_expansion_page,
        interval=settings.router_expansion_interval,
        offline_grace=offline_grace,
    )
    preparation = Preparation(
        PostgresDirectory(pool),
        catalogues,
        settings.audience_rules,
        deliverable=settings.channels,
        audience_limit=settings.router_audience_limit,
        offline_grace=offline_grace,
    )
    ledger = PostgresLedger(pool, positions, neighbours.vault, grace)

    def batches(progress: Liveness, follow: Follow = follow_nothing) -> BatchHandler:
        return BatchHandler(
            preparation,
            ledger,
            neighbours.outbox,
            log,
            holding=Holding(progress, stop),
            on_group=expansion.tell,
            follow=follow,
        )

    due = DueHandler(
        PostgresDue(pool, neighbours.vault, grace),
        ledger,
        neighbours.outbox,
        Holding(health.watch("due work", DUE_LIMIT), stop),
        interval=settings.router_due_interval,
    )
    erasing = ErasingHandler(
        PostgresErasing(pool),
        ledger,
        neighbours.outbox,
        Holding(health.watch("erasures", DUE_LIMIT), stop),
        interval=settings.router_expansion_interval,
    )
    retention = RetentionHandler(
        PostgresRetention(pool),
        Holding(health.watch("retention", settings.retention_interval + RETENTION_LIMIT), stop),
        Keeping(settings.retention_days, settings.audit_days),
        interval=settings.retention_interval,
        rows=settings.retention_rows,
    )
    health.checks = {"database": partial(_database_answers, pool)}
    return [
        *_lanes(settings, batches, positions, log, health, stop),
        expansion.run(stop),
        due.run(stop),
        retention.run(stop),
        erasing.run(stop),
        first(stop.wait(), catalogues.keep_fresh()),
    ]


def _lanes(
    settings: Settings,
    batches: Callable[..., BatchHandler],
    positions: PostgresPositions,
    log: KafkaPartitions,
    health: Health,
    stop: Stop,
) -> Iterator[Any]:
    """A consumer for each lane, and what watches it."""
    progress, bulk_progress = health.progress[0], health.watch("bulk events", settings.router_stall_limit)
    fast = FastLane(batches(progress))
    follow = Following(positions, Holding(bulk_progress, stop), settings.kafka_topic_prefix)
    bulk = BulkLane(batches(bulk_progress, follow), fast, follow)
    lanes = (
        ("fast", CONSUMER, fast.handle, topics.TYPED, settings.router_batch_records, progress),
        ("bulk", f"{CONSUMER}-bulk", bulk.handle, topics.BULK, settings.router_bulk_records, bulk_progress),
    )
    for name, group, handle, read, most, liveness in lanes:
        watch = Watch(name, log, positions, liveness)
        health.checks[f"{name} partitions"] = watch.ready
        names = [settings.kafka_topic_prefix + topic.name for topic in read.values()]
        application = partial(_application, settings, group, names, most, handle, watch)
        yield consume(application, liveness, stop, settings.shutdown_timeout)
        yield watch.run(stop)


def _application(
    settings: Settings, group: str, read: Collection[str], most: int, handle: Handle, watch: Watch
) -> tuple[Any, Batcher]:
    watch.unassigned()
    batcher = Batcher(handle, max_records=most, max_bytes=settings.router_batch_bytes)
    group, ahead = settings.kafka_topic_prefix + group, min(settings.router_buffer_records, _AHEAD * most)
    return create(settings, group, read, batcher.run, watch.assigned, ahead=ahead), batcher


async def _meet(settings: Settings, holding: Holding, stack: AsyncExitStack) -> _Neighbours:
    """Connects, waiting for neighbours that are away; what was opened is closed with the stack."""
    bootstrap = settings.kafka_bootstrap
    create = partial(create_producer, bootstrap, client_id="carillon-router")
    meeting = partial(holding.until_done, "start")

    async def pool() -> asyncpg.Pool:
        return await create_pool(settings.postgres_dsn, "carillon_router", min_size=2, max_size=7)

    cluster = await meeting(partial(cluster_id, bootstrap))
    reader = await meeting(partial(started_consumer, bootstrap))
    stack.push_async_callback(lambda: close_within(CLOSE_TIMEOUT, "reader", reader.stop()))
    outbox = KafkaOutbox(LazyProducer(create), settings.kafka_topic_prefix, utc_now)
    stack.push_async_callback(outbox.close)
    await meeting(outbox.start)
    database = await meeting(pool)
    stack.callback(database.terminate)
    catalogues = Catalogues(database.fetch)
    await meeting(catalogues.refresh)
    await meeting(partial(keep_release, database, catalogues.base))
    vault = Vault(settings.masters, metrics.UNSEALABLE)
    if foreign := await meeting(partial(vault.foreign, database.fetch)):
        raise Misconfigured(f"CARILLON_SEALING_KEYS lacks keys that are in use: {', '.join(foreign)}")
    return _Neighbours(cluster, reader, outbox, database, catalogues, vault)


async def _check_forward_topics(settings: Settings, reader: AIOKafkaConsumer) -> None:
    there = await reader.topics()
    missing = [topic for topic in settings.forward_topics.values() if settings.kafka_topic_prefix + topic not in there]
    if missing:
        raise Misconfigured(f"CARILLON_FORWARD_TOPICS names topics that do not exist: {', '.join(sorted(missing))}")


async def _until_stopped(health: Health, stop: Stop) -> None:
    await stop.wait()
    health.stopping = True


async def _not_started() -> str | None:
    return "still waiting for Kafka or PostgreSQL"


async def _database_answers(pool: asyncpg.Pool) -> str | None:
    async with asyncio.timeout(ANSWER_TIMEOUT):
        await pool.fetchval("select 1")
    return None
