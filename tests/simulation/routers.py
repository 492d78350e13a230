"""Two routers, composed as in services.router.app of the real handlers and the real batcher, on ports in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from datetime import timedelta
from types import SimpleNamespace
from typing import Any
from uuid import UUID

from mode.utils.queues import FlowControlEvent

from libs.runtime.health import Progress
from libs.schemas.topics import BULK
from services.router.domain.audience import AudienceRules
from services.router.domain.incoming import Record
from services.router.domain.notification import Key
from services.router.domain.offsets import Partition
from services.router.entrypoints.batcher import Batcher
from services.router.entrypoints.buffer import BoundedBuffer
from services.router.handlers.batch import BatchHandler, Follow, follow_nothing
from services.router.handlers.due import DueHandler
from services.router.handlers.expansion import ExpansionHandler
from services.router.handlers.holding import Holding
from services.router.handlers.lanes import BulkLane, FastLane, Following
from services.router.handlers.preparing import Preparation
from tests.simulation.broker import Assignment, Broker
from tests.simulation.catalogue import TENANT
from tests.simulation.database import Database
from tests.simulation.ledger import MemoryDirectory, MemoryLedger
from tests.simulation.work import (
    MemoryCatalogues,
    MemoryDue,
    MemoryExpansions,
    MemoryLog,
    MemoryOutbox,
    MemoryReached,
)
from tests.simulation.world import Process, World

FAST: tuple[Partition, ...] = (("service.event", 0), ("service.event", 1))
#: The bulk lane last: each of its partitions follows the one of the same number.
PARTITIONS: tuple[Partition, ...] = (*FAST, *((BULK[topic].name, number) for topic, number in FAST))
GRACE = timedelta(seconds=30)
_RULES = AudienceRules(frozenset({"admin"}), "system-org", "system-admin")

MakeLedger = Callable[[Process], MemoryLedger]


class _Event:
    """An event of Faust's stream."""

    def __init__(self, record: Record, broker: Broker, assignment: Assignment, process: Process) -> None:
        self.message = record
        self._broker, self._assignment, self._process = broker, assignment, process

    def ack(self) -> None:
        if not self._process.dead:
            self._broker.acknowledge(self._assignment, self.message.offset)


class Router:
    """One process: all of it is lost when it dies."""

    def __init__(
        self,
        process: Process,
        ledger: MemoryLedger,
        batches: type[BatchHandler],
        following: type[Following],
        *,
        batch: int,
    ) -> None:
        self.process, world, self._stop = process, process.world, asyncio.Event()
        outbox, catalogues = MemoryOutbox(process), MemoryCatalogues()
        common: dict[str, Any] = {"deliverable": {"email"}, "offline_grace": timedelta(seconds=30)}
        expansion = ExpansionHandler(
            MemoryExpansions(process), outbox, catalogues, self._holding(), page_size=2, interval=1.0, **common
        )
        preparation = Preparation(
            MemoryDirectory(process), catalogues, _RULES, audience_limit=100, clock=world.now, **common
        )

        def handler(follow: Follow = follow_nothing) -> BatchHandler:
            more: dict[str, Any] = {"holding": self._holding(), "on_group": expansion.tell, "follow": follow}
            return batches(preparation, ledger, outbox, MemoryLog(process), clock=world.now, **more)

        fast = FastLane(handler())
        follow = following(MemoryReached(process), self._holding(), "")
        bulk = BulkLane(handler(follow), fast, follow)
        self._queues = (_queue(), _queue())
        due = DueHandler(MemoryDue(process), ledger, outbox, self._holding(), interval=1.0, clock=world.now)
        streams = (SimpleNamespace(channel=SimpleNamespace(queue=queue)) for queue in self._queues)
        batchers = (Batcher(lane.handle, max_records=batch, max_bytes=2**30) for lane in (fast, bulk))
        reading = (batcher.run(stream) for batcher, stream in zip(batchers, streams, strict=True))
        works = (*reading, expansion.run(self._stop), due.run(self._stop))
        self.tasks = [world.loop.create_task(work) for work in works]

    def _holding(self) -> Holding:
        return Holding(Progress("simulated", 60), self._stop)

    def die(self) -> None:
        """At once, wherever it is."""
        self.process.dead = True
        for task in self.tasks:
            task.cancel()

    def fetch(self, assignment: Assignment, records: Collection[Record]) -> None:
        """What its consumer reads."""
        queue = self._queues[assignment.partition not in FAST]
        for record in records:
            queue.put_nowait(_Event(record, self.process.world.broker, assignment, self.process))


class TwoRouters:
    """Implements tests.simulation.world.Routers. `skipping`: how many records each first move passes over."""

    def __init__(
        self,
        world: World,
        make_ledger: MakeLedger = MemoryLedger,
        batches: type[BatchHandler] = BatchHandler,
        following: type[Following] = Following,
        *,
        batch: int,
        skipping: int = 0,
    ) -> None:
        self._world, self._make_ledger, self._batch = world, make_ledger, batch
        self._batches, self._following = batches, following
        self._skipping = dict.fromkeys(PARTITIONS, skipping)
        self._started = 0
        self._ended: list[Router] = []
        self._fetched: dict[Partition, int] = {}
        self._routers = [self._start(), self._start()]
        for number, partition in enumerate(PARTITIONS):
            # What a partition of the bulk lane follows is another router's in the beginning.
            self._assign(partition, self._routers[(number + number // len(FAST)) % 2])

    def crash(self, number: int) -> None:
        router = self._routers[number % 2]
        router.die()
        self._ended.append(router)
        fresh = self._routers[number % 2] = self._start()
        for partition, assignment in list(self._world.broker.assigned.items()):
            if assignment.reader is router:
                self._assign(partition, fresh)

    def move(self, number: int) -> None:
        partition = PARTITIONS[number % len(PARTITIONS)]
        reader = self._world.broker.assigned[partition].reader
        skipping = self._skipping.pop(partition, 0)
        self._assign(partition, self._routers[1] if reader is self._routers[0] else self._routers[0], skipping)

    def cancel(self, number: int) -> None:
        self._world.database.table("cancellations").setdefault((TENANT, UUID(int=number + 1)), self._world.now())

    def done(self) -> bool:
        """Whether everything is committed, and nothing waits; what was published meanwhile is fetched first."""
        broker, database = self._world.broker, self._world.database
        for partition, assignment in list(broker.assigned.items()):
            log = broker.partitions[partition]
            if self._fetched[partition] < len(log):
                assert isinstance(assignment.reader, Router)
                assignment.reader.fetch(assignment, log[self._fetched[partition] :])
                self._fetched[partition] = len(log)
        failed = [task for router in self._routers for task in router.tasks if task.done()]
        for task in failed:
            task.result()  # a router that ended by itself has failed
        return (
            not any(gate.process.dead is False and gate.name not in _IDLE for gate in self._world.gates)
            and all(
                broker.committed[partition] >= len(log)
                for partition, log in broker.partitions.items()
                if partition in PARTITIONS
            )
            and all(row.done for row in database.table("expansions").values())
            and all(row.closed for row in database.table("digests").values())
            and all(at is None for key, at in database.table("cancellations").items() if _is_there(database, key))
            and all(row.state != "waiting" for row in database.table("scheduled").values())
            and all(row.done for row in database.table("broadcasts").values())
        )

    async def end(self) -> None:
        """Nothing of them is left."""
        for router in self._routers:
            router.die()
        tasks = [task for router in (*self._routers, *self._ended) for task in router.tasks]
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self) -> Router:
        self._started += 1
        process = Process(self._world, f"router-{self._started}")
        return Router(process, self._make_ledger(process), self._batches, self._following, batch=self._batch)

    def _assign(self, partition: Partition, router: Router, skipping: int = 0) -> None:
        assignment = self._world.broker.assign(partition, router, skipping=skipping)
        log = self._world.broker.partitions[partition]
        router.fetch(assignment, log[assignment.start :])
        self._fetched[partition] = len(log)


def _queue() -> BoundedBuffer:
    return BoundedBuffer(flow_control=FlowControlEvent(), max_records=10_000, max_bytes=2**30)


def _is_there(database: Database, key: Key) -> bool:
    """Whether there is anything to be cancelled: what was never written is looked for until it is forgotten."""
    return key in database.table("notifications") or key in database.table("scheduled")


#: Gates of who only looks whether there is something to do.
_IDLE = frozenset(
    {"look", "next page", "commit page", "page committed", "cancel", "commit cancel", "cancel committed", "tidy"}
)
