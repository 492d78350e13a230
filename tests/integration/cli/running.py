"""Runs the command in this process, against the stores of the tests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import orjson
from aiokafka import TopicPartition
from typer.testing import CliRunner, Result

from cli.adapters import offsets
from cli.adapters.kafka import producing, reading
from cli.main import app
from libs.kafka.producer import acknowledged


@dataclass(frozen=True)
class Command:
    """`carillon` with its settings."""

    environment: dict[str, str]

    @property
    def dsn(self) -> str:
        return self.environment["CARILLON_POSTGRES_DSN"]

    @property
    def prefix(self) -> str:
        return self.environment["CARILLON_KAFKA_TOPIC_PREFIX"]

    def __call__(self, *arguments: str, stdin: str | None = None) -> Result:
        return CliRunner().invoke(app, list(arguments), env=self.environment | {"COLUMNS": "200"}, input=stdin)

    def json(self, *arguments: str) -> Any:
        return orjson.loads(self(*arguments, "--json").stdout)

    def sql(self, statement: str, *arguments: object) -> list[dict[str, Any]]:
        return asyncio.run(_sql(self.dsn, statement, *arguments))

    def produce(self, topic: str, *values: bytes, partition: int = 0) -> None:
        asyncio.run(_produce(self.environment["CARILLON_KAFKA_BOOTSTRAP"], self.prefix + topic, values, partition))

    def records(self, topic: str) -> list[Any]:
        return asyncio.run(_read(self.environment["CARILLON_KAFKA_BOOTSTRAP"], self.prefix + topic))


async def _sql(dsn: str, statement: str, *arguments: object) -> list[dict[str, Any]]:
    connection = await asyncpg.connect(dsn)
    try:
        return [dict(row) for row in await connection.fetch(statement, *arguments)]
    finally:
        await connection.close()


async def _produce(bootstrap: str, topic: str, values: Sequence[bytes], partition: int) -> None:
    async with producing(bootstrap) as producer:
        await acknowledged([await producer.send(topic, value, partition=partition) for value in values])


async def _read(bootstrap: str, topic: str) -> list[Any]:
    """Every record that the topic holds now."""
    spans = await offsets.read(bootstrap, [topic])
    if not spans:  # made a moment ago, and not known to every part of the broker yet
        return []
    async with reading(bootstrap) as consumer:
        consumer.assign([TopicPartition(*where) for where in spans])
        await consumer.seek_to_beginning()
        found: list[Any] = []
        while len(found) < sum(span.end - span.first for span in spans.values()):
            for batch in (await consumer.getmany(timeout_ms=500)).values():
                found += batch
        return found
