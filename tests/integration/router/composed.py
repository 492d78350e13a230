"""The router's handlers on real stores, composed as in its process, without Faust: tests decide what is in a batch."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import timedelta
from functools import partial

import asyncpg

from libs.catalogue.feed import Catalogues
from libs.kafka.cluster import cluster_id
from libs.kafka.producer import LazyProducer, create_producer
from libs.postgres.pool import create_pool
from libs.postgres.progress import Progress
from libs.runtime.clock import utc_now
from libs.runtime.health import Progress as Liveness
from libs.schemas import topics
from services.router.adapters.directory import PostgresDirectory
from services.router.adapters.due import PostgresDue
from services.router.adapters.expansions import PostgresExpansions
from services.router.adapters.kafka_log import KafkaPartitions, started_consumer
from services.router.adapters.ledger import PostgresLedger
from services.router.adapters.outbox import KafkaOutbox
from services.router.adapters.positions import PostgresPositions
from services.router.domain.audience import AudienceRules
from services.router.domain.incoming import Record
from services.router.handlers.batch import BatchHandler
from services.router.handlers.due import DueHandler
from services.router.handlers.expansion import ExpansionHandler
from services.router.handlers.holding import Holding
from services.router.handlers.preparing import Preparation
from tests.integration.router.system import DEADLINE, System
from tests.vault import vault

RULES = AudienceRules(frozenset({"admin", "owner"}), "system-org", "system-admin", {"billing": "delivery.dead"})
OFFLINE_GRACE = timedelta(seconds=30)


class Router:
    """The router's handlers on real stores, without Faust: batches are handed in, so tests decide what is in one."""

    pool: asyncpg.Pool
    catalogues: Catalogues

    def __init__(
        self, batch: BatchHandler, expansion: ExpansionHandler, outbox: KafkaOutbox, due: DueHandler, work: PostgresDue
    ) -> None:
        self.batch, self.expansion, self.outbox, self.due, self.work = batch, expansion, outbox, due, work
        self.stop = asyncio.Event()

    async def handle(self, *records: Record | Sequence[Record]) -> None:
        """One batch."""
        flat = [one for item in records for one in ([item] if isinstance(item, Record) else item)]
        async with asyncio.timeout(DEADLINE):
            await self.batch.handle(flat)

    async def expand(self) -> None:
        """Decides the members of all groups that wait."""
        while await self.expansion._page():
            pass


@asynccontextmanager
async def routing(system: System, *, page_size: int = 500, audience_limit: int = 5_000) -> AsyncIterator[Router]:
    """A router, composed as in services.router.app."""
    async with AsyncExitStack() as stack:
        pool = await create_pool(system.dsn, "carillon_router", max_size=4)
        stack.push_async_callback(pool.close)
        outbox = KafkaOutbox(LazyProducer(partial(create_producer, system.bootstrap)), system.prefix, utc_now)
        stack.push_async_callback(outbox.close)
        consumer = await started_consumer(system.bootstrap)
        stack.push_async_callback(consumer.stop)
        log, grace, stop = KafkaPartitions(consumer), timedelta(seconds=30), asyncio.Event()
        positions = PostgresPositions(pool, Progress("router", await cluster_id(system.bootstrap)), log)
        sealing = vault()
        ledger = PostgresLedger(pool, positions, sealing, grace)
        liveness = Liveness("events", 60)
        deliverable, catalogues = frozenset(topics.DELIVERY), Catalogues(pool.fetch)
        expansion = ExpansionHandler(
            PostgresExpansions(pool, grace),
            outbox,
            catalogues,
            Holding(Liveness("expansions", 60), stop),
            deliverable=deliverable,
            page_size=page_size,
            interval=0.1,
            offline_grace=OFFLINE_GRACE,
        )
        preparation = Preparation(
            PostgresDirectory(pool),
            catalogues,
            RULES,
            deliverable=deliverable,
            audience_limit=audience_limit,
            offline_grace=OFFLINE_GRACE,
        )
        batch = BatchHandler(
            preparation,
            ledger,
            outbox,
            log,
            holding=Holding(liveness, stop),
            on_group=expansion.tell,
        )
        work = PostgresDue(pool, sealing, grace)
        due = DueHandler(work, ledger, outbox, Holding(Liveness("due", 60), stop), interval=0.1)
        router = Router(batch, expansion, outbox, due, work)
        router.stop, router.pool, router.catalogues = stop, pool, catalogues
        yield router
