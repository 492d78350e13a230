"""Answers to agents' questions in PostgreSQL: the first one counts, and waits there until Kafka has it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from uuid import UUID

from libs.postgres.queries import load
from libs.schemas.records import AcceptedEvent
from services.gateway.adapters.postgres.database import Database
from services.gateway.domain.answers import Answer
from services.gateway.domain.inbox import Reader

_SQL = load(Path(__file__).with_suffix(".sql"))
_ACTION = "question.answered"


class PostgresAnswers:
    """See store_ports.AnswerStore."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def put(self, who: Reader, notification: UUID, value: str, event: AcceptedEvent) -> Answer:
        """See store_ports.AnswerStore."""
        stored = event.model_dump_json(by_alias=True, exclude_none=True)
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            at = await connection.fetchval(_SQL["answer"], who.tenant, who.reader, notification, value, stored)
            if at is not None:
                await connection.execute(_SQL["audit"], who.tenant, who.reader, _ACTION, str(notification))
                return Answer(who.reader, value, at, is_new=True)
            row = await connection.fetchrow(_SQL["answered"], who.tenant, notification)
            assert row is not None
            return Answer(row["user_id"], row["value"], row["at"])

    async def of(self, who: Reader, notification: UUID) -> Answer | None:
        """See store_ports.AnswerStore."""
        async with self._database.as_reader(who.tenant, who.reader) as connection:
            row = await connection.fetchrow(_SQL["answered"], who.tenant, notification)
        return None if row is None else Answer(row["user_id"], row["value"], row["at"])

    async def waiting(self, before: datetime, limit: int) -> Sequence[tuple[UUID, AcceptedEvent]]:
        """See store_ports.AnswerStore."""
        rows = await self._database.fetch(_SQL["waiting"], before, limit)
        return [(row["notification"], AcceptedEvent.model_validate_json(row["event"])) for row in rows]

    async def told(self, tenant: str, notification: UUID) -> None:
        """See store_ports.AnswerStore."""
        await self._database.fetch(_SQL["told"], tenant, notification)
