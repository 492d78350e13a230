"""Events that the gateway itself accepts, on their typed topics: acknowledged by all in-sync replicas."""

from __future__ import annotations

import asyncio

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from libs.kafka.producer import create_producer
from libs.runtime.lifecycle import close_within
from libs.schemas.records import AcceptedEvent
from services.gateway.errors import Retryable

_CLOSE_SECONDS = 2.0
_SEND_SECONDS = 10.0


class KafkaEvents:
    """See store_ports.Events. The producer is made when it is first needed."""

    def __init__(self, bootstrap: str, prefix: str) -> None:
        self._bootstrap, self._prefix = bootstrap, prefix
        self._producer: AIOKafkaProducer | None = None
        self._turn = asyncio.Lock()

    async def publish(self, event: AcceptedEvent, key: str) -> None:
        """See store_ports.Events."""
        value = event.model_dump_json(by_alias=True, exclude_none=True).encode()
        async with self._turn:
            try:
                async with asyncio.timeout(_SEND_SECONDS):
                    producer = await self._started()
                    await producer.send_and_wait(self._prefix + event.event, value, key.encode())
            except (KafkaError, OSError, TimeoutError) as error:
                await self.close()
                raise Retryable(f"Kafka: {type(error).__name__}") from error

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            self._producer = create_producer(self._bootstrap, client_id="carillon-gateway-events")
            await self._producer.start()
        return self._producer

    async def close(self) -> None:
        """Leaves the broker; `publish` comes back."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await close_within(_CLOSE_SECONDS, "events", producer.stop())
