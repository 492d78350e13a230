"""A whole Carillon with its people, what happens to it, and what must be true in the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta

import asyncpg
import httpx
import orjson
from aiokafka import AIOKafkaProducer

from devstack.layout import DEVELOPMENT_SECRET
from devstack.smtp_peer import SmtpPeer
from devstack.stack import Stack
from libs.auth.tokens import issue
from libs.runtime.clock import utc_now
from tests.chaos.followers import Follower, following
from tests.chaos.stream import People, Stream, close_producers, publish

SETTLE = 150.0  # seconds in which everything must have arrived after the last disturbance


@dataclass
class World:
    """The processes of a test module. Every scenario brings its own people, so they do not meet."""

    stack: Stack
    mail: SmtpPeer

    @property
    def bootstrap(self) -> str:
        return self.stack.kafka.bootstrap

    def followers(self, people: People) -> list[Follower]:
        """A client for everybody, on all gateways."""
        urls = [gateway.url for gateway in self.stack.services.of("gateway")]
        return [Follower(user, token(user), urls) for user in people.users]

    async def enrol(self, people: People) -> None:
        """Puts the people into the directory and waits until they are in it."""
        producer_records = [orjson.dumps(value) for _, value in people.directory()]
        keys = [key.encode() for key, _ in people.directory()]
        await _produce_keyed(self.bootstrap, "directory", keys, producer_records)
        await self.eventually(lambda: self._enrolled(people), "the directory to be taken in")

    async def _enrolled(self, people: People) -> bool:
        query = "select count(*) from memberships where user_id = any($1) and room like 'org:%' and left_at is null"
        return bool(await self.value(query, list(people.users)) == len(people.users))

    async def value(self, query: str, *arguments: object) -> object:
        """One value from the database."""
        connection = await asyncpg.connect(self.stack.neighbours.postgres_dsn)
        try:
            return await connection.fetchval(query, *arguments)
        finally:
            await connection.close()

    async def eventually(self, condition: object, what: str, timeout: float = SETTLE) -> None:
        """Waits for an async condition; fails saying what it waited for."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                while not await condition():  # type: ignore[operator]  # an async callable
                    await asyncio.sleep(0.25)
                return
        raise AssertionError(f"waited {timeout:.0f} s in vain for {what}")

    @contextlib.asynccontextmanager
    async def streaming(
        self, people: People, count: int, *, rate: float, reconnects: bool = False
    ) -> AsyncIterator[Stream]:
        """Publishes a stream while the block disturbs; afterwards everything must have arrived exactly once.

        `reconnects`: the disturbance must have cost clients their socket, or the test has shown nothing.
        """
        await self.enrol(people)
        stream = Stream(people, count)
        events = stream.events()
        followers = self.followers(people)
        async with following(followers):
            publishing = asyncio.create_task(publish(self.bootstrap, "noti", events, rate))
            try:
                yield stream
                await publishing
            finally:
                publishing.cancel()
                await close_producers()
            await self._settled(followers, stream)
        assert not reconnects or sum(follower.connects for follower in followers) > len(followers)
        await self._verify(followers, stream)

    async def _settled(self, followers: list[Follower], stream: Stream) -> None:
        wanted = sum(len(numbers) for numbers in stream.shown_to.values())

        async def arrived() -> bool:
            return sum(len(follower.shown) for follower in followers) >= wanted

        with contextlib.suppress(AssertionError):  # what is missing is said below, person by person
            await self.eventually(arrived, "the sockets")

    async def _verify(self, followers: list[Follower], stream: Stream) -> None:
        faults = [fault for f in followers for fault in f.faults(stream.shown_to[f.user_id])]
        faults += [f"{f.user_id}: resync {f.resyncs[1:]}" for f in followers if len(f.resyncs) > 1]
        assert faults[:20] == []
        await self._verify_inboxes(followers, stream)
        await self.eventually(lambda: self._mailed(stream), "the mails")
        await self._verify_mail(stream)
        await asyncio.to_thread(self.audit)

    async def _verify_inboxes(self, followers: list[Follower], stream: Stream) -> None:
        async with httpx.AsyncClient(base_url=followers[0].urls[0], timeout=30) as client:
            for follower in followers:
                numbers = await _inbox(client, follower.token)
                assert sorted(numbers) == sorted(stream.shown_to[follower.user_id]), follower.user_id

    async def _mailed(self, stream: Stream) -> bool:
        got = self._mail_by_person(stream)
        return all(len(got[user]) >= len(numbers) for user, numbers in stream.mailed_to.items())

    async def _verify_mail(self, stream: Stream) -> None:
        """At least once, and always under the same Message-ID."""
        got = self._mail_by_person(stream)
        assert {user: len(ids) for user, ids in got.items()} == {u: len(n) for u, n in stream.mailed_to.items()}

    def _mail_by_person(self, stream: Stream) -> dict[str, set[str]]:
        got: dict[str, set[str]] = {user: set() for user in stream.mailed_to}
        for message in self.mail.messages:
            user = message.recipients[0].partition("@")[0]
            if user in got:
                got[user].add(message.headers["Message-ID"])
        return got

    def audit(self) -> None:
        """`carillon audit` says that nothing is missing."""
        neighbours = self.stack.neighbours
        result = subprocess.run(
            [sys.executable, "-m", "cli.main", "audit", "--wait", "60"],
            env=os.environ | neighbours.environment(),
            capture_output=True,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout + result.stderr


def token(user: str) -> str:
    """A token of a plain user; rooms come from the directory."""
    return issue({"sub": user}, DEVELOPMENT_SECRET, now=utc_now(), lifetime=timedelta(hours=2))


async def _inbox(client: httpx.AsyncClient, bearer: str) -> list[int]:
    numbers: list[int] = []
    cursor: str | None = None
    while True:
        query = {"limit": "100"} | ({"cursor": cursor} if cursor else {})
        answer = await client.get("/api/v1/notifications", params=query, headers={"Authorization": f"Bearer {bearer}"})
        answer.raise_for_status()
        page = answer.json()
        numbers += [item["data"]["n"] for item in page["items"]]
        cursor = page.get("nextCursor")
        if not cursor:
            return numbers


async def _produce_keyed(bootstrap: str, topic: str, keys: list[bytes], values: list[bytes]) -> None:
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, acks="all") as producer:
        await asyncio.gather(
            *[await producer.send(topic, value, key=key) for key, value in zip(keys, values, strict=True)]
        )
