"""Replays dead letters and remembers which."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import asyncpg
from aiokafka import AIOKafkaProducer

from cli.adapters.dead_letters import Found
from cli.domain.replay import Impossible, PlanAgain, Position, Resend, plan
from libs.auth.tokens import DEFAULT_TENANT
from libs.postgres.queries import load

_SQL = load(Path(__file__).with_name("dead.sql"))


class Replays:
    """Replays letters of one cluster. `prefix` stands before every topic name."""

    def __init__(self, connection: asyncpg.Connection, producer: AIOKafkaProducer, cluster: str, prefix: str) -> None:
        self._connection, self._producer = connection, producer
        self._cluster, self._prefix = cluster, prefix

    async def done(self, letters: Sequence[Found]) -> set[Position]:
        """Which of them have been replayed before."""
        keys = [(found.position.topic, found.position.partition, found.position.offset) for found in letters]
        columns = [list(column) for column in zip(*keys, strict=True)] if keys else [[], [], []]
        rows = await self._connection.fetch(_SQL["replayed"], self._cluster, *columns)
        return {Position(*row) for row in rows}

    async def replay(self, found: Found) -> str | Impossible:
        """Does it and remembers it afterwards: a crash in between repeats it, which changes nothing.

        Returns where the record or the delivery now stands. Raises aiokafka.errors.KafkaError, asyncpg.PostgresError.
        """
        outcome = await self._act(plan(found.letter, found.position, self._prefix))
        if not isinstance(outcome, Impossible):
            await self._remember(found)
        return outcome

    async def _act(self, planned: Resend | PlanAgain | Impossible) -> str | Impossible:
        match planned:
            case Resend():
                return await self._resend(planned)
            case PlanAgain():
                return await self._plan_again(planned)
            case Impossible():
                return planned

    async def _resend(self, resend: Resend) -> str:
        sent = await self._producer.send_and_wait(
            resend.topic, resend.value, key=resend.key, headers=list(resend.headers)
        )
        return f"{sent.topic}:{sent.partition}:{sent.offset}"

    async def _plan_again(self, again: PlanAgain) -> str | Impossible:
        changed = await self._connection.fetchval(_SQL["plan_again"], again.tenant, again.delivery)
        return (
            f"delivery {again.delivery} is planned" if changed else Impossible("the delivery is not failed (any more)")
        )

    async def _remember(self, found: Found) -> None:
        position = found.position
        async with self._connection.transaction():
            await self._connection.execute(
                _SQL["note"], self._cluster, position.topic, position.partition, position.offset
            )
            await self._connection.execute(_SQL["audit"], found.letter.tenant or DEFAULT_TENANT, str(position))
