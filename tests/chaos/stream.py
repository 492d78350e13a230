"""A stream of numbered events: who must be shown which, who must get which by mail, and publishing it for certain."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from libs.runtime.clock import iso, utc_now

USERS_PER_ORG = 20


@dataclass(frozen=True)
class People:
    """The users of one scenario, each in one organisation."""

    prefix: str
    users: Sequence[str]

    @classmethod
    def of(cls, prefix: str, count: int) -> People:
        return cls(prefix, [f"{prefix}-u{i}" for i in range(count)])

    def org_of(self, user: str) -> str:
        return f"{self.prefix}-o{self.users.index(user) // USERS_PER_ORG}"

    def orgs(self) -> list[str]:
        return sorted({self.org_of(user) for user in self.users})

    def members(self, org: str) -> list[str]:
        return [user for user in self.users if self.org_of(user) == org]

    def directory(self) -> list[tuple[str, dict[str, Any]]]:
        """Key and value of each record of the topic `directory`."""
        users = [
            (f"user:default:{u}", {"kind": "user", "id": u, "email": f"{u}@example.test", "displayName": u})
            for u in self.users
        ]
        orgs = [(f"org:default:{org}", {"kind": "org", "id": org}) for org in self.orgs()]
        members = [
            (f"membership:default:{self.org_of(u)}/{u}", {"kind": "membership", "orgId": self.org_of(u), "userId": u})
            for u in self.users
        ]
        return users + orgs + members


@dataclass
class Stream:
    """`count` events: eight in ten to a person, one in ten to a person with mail, one in ten to an organisation."""

    people: People
    count: int
    first: int = 0
    shown_to: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    mailed_to: dict[str, set[int]] = field(default_factory=lambda: defaultdict(set))

    def events(self) -> list[dict[str, Any]]:
        """The events in their `{event, data}` form; fills `shown_to` and `mailed_to`."""
        choice = random.Random(self.people.prefix + str(self.first))  # the same stream every time
        return [self._event(n, choice) for n in range(self.first, self.first + self.count)]

    def _event(self, n: int, choice: random.Random) -> dict[str, Any]:
        user = choice.choice(self.people.users)
        data: dict[str, Any] = {"id": f"{self.people.prefix}-{n}", "data": {"n": n, "text": "x" * 100}}
        metadata = {"timestamp": iso(utc_now())}
        if n % 10 == 0:
            org = self.people.org_of(user)
            for member in self.people.members(org):
                self.shown_to[member].add(n)
            data |= {"title": "For everybody", "message": f"number {n}", "metadata": metadata | {"orgId": org}}
            return {"event": "system.notification", "data": data}
        self.shown_to[user].add(n)
        data["recipients"] = {"userIds": [user]}
        if n % 10 == 1:
            self.mailed_to[user].add(n)
            agent = {"orgId": self.people.org_of(user), "userId": user, "agentId": f"{self.people.prefix}-agent"}
            data |= {"name": "request_help", "title": "Help", "message": f"number {n}", "metadata": metadata | agent}
            return {"event": "agent.event", "data": data}
        return {"event": "service.event", "data": data | {"name": "shop.order.updated", "metadata": metadata}}


async def publish(bootstrap: str, topic: str, records: Sequence[Mapping[str, Any]], rate: float) -> None:
    """Produces each event until the broker has it; a repeated one carries the same id. Paced, in events a second."""
    began, sent = time.monotonic(), 0
    waiting = list(records)
    while waiting:
        chunk, waiting = waiting[:50], waiting[50:]
        waiting = await _produce(bootstrap, topic, chunk) + waiting
        sent += len(chunk)
        await asyncio.sleep(max(0.0, began + sent / rate - time.monotonic()))


_producers: dict[str, AIOKafkaProducer] = {}


async def _produce(bootstrap: str, topic: str, chunk: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Those of the chunk that were not acknowledged."""
    try:
        producer = await _producer(bootstrap)
        sent = [await producer.send(topic, orjson.dumps(record)) for record in chunk]
        results = await asyncio.gather(*sent, return_exceptions=True)
    except (KafkaError, OSError, TimeoutError):
        await close_producers()
        return list(chunk)
    failed = [record for record, result in zip(chunk, results, strict=True) if isinstance(result, BaseException)]
    if failed:
        await close_producers()
    return failed


async def _producer(bootstrap: str) -> AIOKafkaProducer:
    if bootstrap not in _producers:
        producer = AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all", request_timeout_ms=5000)
        try:
            await producer.start()
        except BaseException:
            await producer.stop()
            raise
        _producers[bootstrap] = producer
    return _producers[bootstrap]


async def close_producers() -> None:
    """Ends the connections; the next publish opens new ones."""
    while _producers:
        _, producer = _producers.popitem()
        with contextlib.suppress(KafkaError, OSError, TimeoutError):
            await asyncio.wait_for(producer.stop(), 5)
