"""Replays records and dead letters, no faster than wanted, and remembers which letters."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from aiokafka import AIOKafkaProducer

from cli.adapters import dead_letters
from cli.domain.replay import DEAD, Impossible, PlanAgain, Position, Resend, again, plan
from cli.domain.replaying import Candidate, Fate, Tally, Wanted
from libs.auth.tokens import DEFAULT_TENANT
from libs.postgres.queries import load

_SQL = load(Path(__file__).with_name("dead.sql"))
Outcome = tuple[Fate, str]  # and where it stands now, or why not


class Replays:
    """Replays what was read from one cluster. `prefix` stands before every topic name, `rate` is records a second.

    `dry`: nothing is sent or written. Raises aiokafka.errors.KafkaError, asyncpg.PostgresError; run again, it goes on.
    """

    def __init__(
        self,
        connection: asyncpg.Connection,
        producer: AIOKafkaProducer,
        cluster: str,
        prefix: str,
        *,
        rate: float,
        dry: bool,
    ) -> None:
        self._connection, self._producer, self._cluster, self._prefix = connection, producer, cluster, prefix
        self._interval, self._dry, self._due = 1 / rate, dry, 0.0
        self.tally = Tally()

    async def run(
        self, batches: AsyncIterator[list[Any]], wanted: Wanted
    ) -> AsyncIterator[tuple[Candidate, Fate, str]]:
        """What became of each record that is meant, one after the other; `tally` has the counts."""
        async for batch in batches:
            self.tally.read += len(batch)
            candidates = [c for record in batch if (c := self._candidate(record)).meant(wanted)]
            replayed = set() if wanted.again else await self._replayed([c.position for c in candidates])
            known = await self._known(candidates)
            sent: Counter[tuple[str, str]] = Counter()
            for candidate in candidates:
                fate, said = await self._one(candidate, wanted, replayed, known)
                self.tally.fates[fate] += 1
                if candidate.code is None and fate in (Fate.NEW, Fate.DUPLICATE):
                    sent[candidate.planned.tenant or DEFAULT_TENANT, candidate.position.topic] += 1
                yield candidate, fate, said
            if sent and not self._dry:
                await self._connection.executemany(
                    _SQL["audit_events"], [(*where, orjson.dumps({"sent": n}).decode()) for where, n in sent.items()]
                )

    def _candidate(self, record: Any) -> Candidate:
        position = Position(record.topic, record.partition, record.offset)
        if record.topic.removeprefix(self._prefix) not in DEAD:
            return Candidate(position, record.timestamp, again(record, self._prefix, DEFAULT_TENANT))
        found = dead_letters.read(record)
        if found is None:
            return Candidate(position, record.timestamp, Impossible("it is no dead letter"))
        return Candidate(position, found.at, plan(found.letter, position, self._prefix), found.letter.code)

    async def _one(
        self, one: Candidate, wanted: Wanted, replayed: set[Position], known: set[tuple[str, Any]]
    ) -> Outcome:
        if one.position in replayed:
            return Fate.REPLAYED_BEFORE, ""
        if isinstance(one.planned, Impossible):
            return Fate.IMPOSSIBLE, one.planned.reason
        if one.too_old(wanted.now):
            return Fate.TOO_OLD, ""
        if isinstance(one.planned, PlanAgain):
            fate, said = await self._plan_again(one.planned)
        else:
            is_known = (one.planned.tenant, one.planned.id) in known
            fate, said = Fate.DUPLICATE if is_known else Fate.NEW, await self._send(one.planned)
        if one.code is not None and fate is not Fate.IMPOSSIBLE and not self._dry:
            await self._remember(one)
        return fate, said

    async def _send(self, resend: Resend) -> str:
        if self._dry:
            return resend.topic
        await self._pace()
        headers = list(resend.headers)
        sent = await self._producer.send_and_wait(
            resend.topic, resend.value, key=resend.key, partition=resend.partition, headers=headers
        )
        return f"{sent.topic}:{sent.partition}:{sent.offset}"

    async def _plan_again(self, again: PlanAgain) -> Outcome:
        await self._pace()
        statement = _SQL["is_failed" if self._dry else "plan_again"]
        if await self._connection.fetchval(statement, again.tenant, again.delivery) is None:
            return Fate.IMPOSSIBLE, "the delivery is not failed (any more)"
        return Fate.PLANNED, f"delivery {again.delivery} is planned"

    async def _pace(self) -> None:
        now = asyncio.get_running_loop().time()
        await asyncio.sleep(max(0.0, self._due - now))
        self._due = max(now, self._due) + self._interval

    async def _replayed(self, positions: Sequence[Position]) -> set[Position]:
        """Which letters have been replayed before."""
        columns = [[getattr(p, name) for p in positions] for name in ("topic", "partition", "offset")]
        return {Position(*row) for row in await self._connection.fetch(_SQL["replayed"], self._cluster, *columns)}

    async def _known(self, candidates: Sequence[Candidate]) -> set[tuple[str, Any]]:
        """Which events are written down, or wait for their time."""
        sent = [c.planned for c in candidates if isinstance(c.planned, Resend) and c.planned.id and c.planned.tenant]
        rows = await self._connection.fetch(_SQL["known"], [one.tenant for one in sent], [one.id for one in sent])
        return {(row["tenant"], row["id"]) for row in rows}

    async def _remember(self, one: Candidate) -> None:
        """Afterwards: a crash in between repeats it, which changes nothing."""
        p = one.position
        async with self._connection.transaction():
            await self._connection.execute(_SQL["note"], self._cluster, p.topic, p.partition, p.offset)
            await self._connection.execute(_SQL["audit"], one.planned.tenant or DEFAULT_TENANT, str(p))
