"""Composition root of delivery: the only place that knows concrete classes."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from functools import partial

import asyncpg

from libs.catalogue.feed import Catalogues
from libs.http.server import operator_app, serving
from libs.kafka.producer import LazyProducer, create_producer
from libs.postgres.pool import create_pool
from libs.runtime.clock import utc_now
from libs.runtime.health import Health
from libs.runtime.logging import get_logger
from libs.schemas import topics
from libs.schemas.events import ENDPOINT_CHANNELS
from libs.sealing.vault import Vault
from services.delivery import metrics
from services.delivery.adapters.addresses import PostgresAddresses
from services.delivery.adapters.kafka import KafkaRecords
from services.delivery.adapters.ledger import PostgresLedger
from services.delivery.adapters.lifecycle import PostgresLifecycle
from services.delivery.domain.pace import steady
from services.delivery.domain.retry import Backoff
from services.delivery.entrypoints.consumer import Trigger, create_consumer
from services.delivery.entrypoints.scans import BurialScan, DueScan
from services.delivery.entrypoints.worker import Worker, ending
from services.delivery.handlers.burial import Burial
from services.delivery.handlers.calling import Calling
from services.delivery.handlers.intake import Intake
from services.delivery.handlers.lifecycle import Relay
from services.delivery.handlers.patience import patiently
from services.delivery.handlers.sending import Sending
from services.delivery.handlers.telling import Telling
from services.delivery.handlers.wording import Worded
from services.delivery.ports import DeadLetters, Provider
from services.delivery.providers import CHANNELS, Building
from services.delivery.settings import Settings

_STUCK = 60.0  # seconds without a sign of life
_CLOSE = 3.0  # seconds for saying good-bye to a database that may be away
_log = get_logger(__name__)


async def run(settings: Settings, channels: Sequence[str], stop: asyncio.Event) -> None:
    """Delivers on these channels until `stop`."""
    health = Health()
    async with AsyncExitStack() as stack:
        addresses = PostgresAddresses()
        building = Building(settings, addresses, stack)
        catalogues = Catalogues(addresses.changes)
        providers = {channel: _providers(channel, building, catalogues) for channel in channels}
        await stack.enter_async_context(serving(operator_app(health), settings.http_host, settings.http_port))
        health.checks |= dict.fromkeys(["postgres", *(f"{channel}-consumer" for channel in channels)], _starting)
        starting = health.watch("start", _STUCK)
        pool = await patiently(partial(_pool, settings, len(channels)), starting, stop, "postgres")
        stack.push_async_callback(_close, pool)
        addresses.pool = pool
        producer = LazyProducer(partial(create_producer, settings.kafka_bootstrap, client_id="carillon-delivery"))
        stack.push_async_callback(producer.discard)
        prefix = settings.kafka_topic_prefix
        letters = KafkaRecords(
            producer, prefix + topics.DELIVERY_DEAD.name, prefix + topics.NOTIFICATION_LIFECYCLE.name
        )
        ledgers = partial(PostgresLedger, pool, Vault(settings.masters, metrics.UNSEALABLE))
        workers = [
            _worker(settings, channel, providers[channel], ledgers, letters, health, stop) for channel in channels
        ]
        health.checks["postgres"] = partial(_answers, pool)
        for worker in workers:
            health.checks[f"{worker.channel}-consumer"] = worker.assigned
        health.progress.remove(starting)
        _log.info("started", channels=list(channels), port=settings.http_port)
        stopping = asyncio.create_task(_unready(health, stop))
        relay = Relay(PostgresLifecycle(pool), letters, health.watch("lifecycle", _STUCK))
        await patiently(catalogues.ready, starting, stop, "postgres")
        relaying = asyncio.create_task(ending(relay.run(stop), stop))
        learning = asyncio.create_task(catalogues.keep_fresh())
        try:
            await asyncio.gather(*(w.run(health, stop, settings.shutdown_timeout) for w in workers), relaying)
        finally:
            stopping.cancel()
            relaying.cancel()
            learning.cancel()
        _log.info("stopped", channels=list(channels))


def _providers(channel: str, building: Building, catalogues: Catalogues) -> list[Provider]:
    known = CHANNELS[channel]
    made = [known.providers[name](building) for name in known.order(channel, building.settings)]
    return made if channel in ENDPOINT_CHANNELS else [Worded(p, lambda t, key: catalogues.of(t).get(key)) for p in made]


def _worker(
    settings: Settings,
    channel: str,
    providers: Sequence[Provider],
    ledgers: Callable[..., PostgresLedger],
    letters: DeadLetters,
    health: Health,
    stop: asyncio.Event,
) -> Worker:
    repeatable, shared = CHANNELS[channel].repeatable, CHANNELS[channel].shared
    topic, prefix = topics.DELIVERY[channel].name, settings.kafka_topic_prefix
    ledger = ledgers(channel, settings.delivery_lease, repeatable=repeatable)
    own = settings.tuning(channel)
    pace = steady(own.concurrency or settings.delivery_concurrency, Backoff(1.0, settings.delivery_rest_cap))
    policy = settings.retry_policy(channel)
    calling = Calling(ledger, providers, policy, pace, utc_now, repeatable=repeatable, shared=shared)
    watched = health.watch(f"{channel}-sending", _STUCK)
    sending = Sending(
        ledger, calling, Telling(utc_now), watched, per_second=own.per_second, per_tenant=own.per_tenant_second
    )
    for provider in providers:
        metrics.LIMIT.labels(channel, provider.name).set_function(partial(_limit, calling, provider.name))
        metrics.IN_FLIGHT.labels(channel, provider.name).set_function(partial(_running, calling, provider.name))
    intake = Intake(ledger, sending, stop)
    consumer = partial(create_consumer, settings.kafka_bootstrap, f"{prefix}delivery-{channel}")
    burial = Burial(ledger, letters, topic, utc_now)
    return Worker(
        channel,
        settings.delivery_scan_interval,
        Trigger(channel, prefix + topic, consumer, intake, letters, utc_now),
        DueScan(channel, ledger, intake, health.watch(f"{channel}-due-scan", _STUCK), stop),
        BurialScan(burial, health.watch(f"{channel}-burial", _STUCK), stop),
        sending,
    )


async def _pool(settings: Settings, channels: int) -> asyncpg.Pool:
    # A connection for each of the loops of a channel (consumer, due-scan, burial, sending), one for
    # readiness and one for the lifecycle.
    return await create_pool(settings.postgres_dsn, "carillon_delivery", max_size=4 * channels + 2)


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(_CLOSE):
            await pool.close()
    except TimeoutError:
        pool.terminate()


def _limit(calling: Calling, provider: str) -> int:
    return calling.paces[provider].limit


def _running(calling: Calling, provider: str) -> int:
    return calling.running[provider]


async def _starting() -> str | None:
    return "still starting"


async def _answers(pool: asyncpg.Pool) -> str | None:
    return None if await pool.fetchval("select 1", timeout=2) == 1 else "does not answer"


async def _unready(health: Health, stop: asyncio.Event) -> None:
    await stop.wait()
    health.stopping = True
