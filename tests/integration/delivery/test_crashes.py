"""Workers that die, overlap, stop or lose a neighbour: nothing is lost, and a repeat bears the same Message-ID."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import httpx
import pytest

from devstack.kafka import EmbeddedKafka
from devstack.layout import Layout, Neighbours
from devstack.postgres import EmbeddedPostgres
from devstack.services import Services
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.smtp_script import Reaction
from tests.integration.delivery.conftest import QUICK, StartWorkers
from tests.integration.delivery.planned import Plan, Planned, Work, planning

pytestmark = pytest.mark.covers("F2-5")


def _copies(mail: SmtpPeer, deliveries: list[Planned]) -> Counter[int]:
    """How many people got how many copies; each copy under the one Message-ID of its delivery."""
    got = defaultdict(list)
    for message in mail.messages:
        got[message.recipients[0]].append(message.headers["Message-ID"])
    for delivery in deliveries:
        assert set(got[delivery.address]) == {delivery.message_id}
    return Counter(len(ids) for ids in got.values())


async def test_killed_again_and_again_every_mail_is_sent(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    deliveries = await plan.many([f"user-{n}" for n in range(500)])
    (worker,) = start_workers(CARILLON_DELIVERY_LEASE="2", CARILLON_DELIVERY_TIMEOUT="1").of("delivery")
    await work.name(deliveries, each=7)
    chance = random.Random(7)
    for _ in range(4):
        before = len(mail.messages)
        await asyncio.to_thread(mail.wait_for, before + chance.randint(20, 60))
        worker.kill()
        worker.spawn()
    await plan.until_all("sent", 500)
    copies = _copies(mail, deliveries)
    assert sum(copies.values()) == 500
    assert sum(n * people for n, people in copies.items()) <= 500 + 4 * 16  # no more in doubt than calls at once
    assert await plan.states() == {"sent": 500}


async def test_two_workers_and_repeated_records_send_once(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    deliveries = await plan.many([f"user-{n}" for n in range(150)], due_in=0)  # the due-scans take part as well
    start_workers(2)
    for each in (1, 5, 20):
        await work.name(deliveries, each=each)
    await plan.until_all("sent", 150)
    await work.name(deliveries, each=50)
    after = await plan.one("after")
    await work.name([after])
    await plan.until(after, "sent")
    assert _copies(mail, [*deliveries, after]) == {1: 151}


async def test_sigterm_ends_the_slice_and_gives_back_the_rest(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    deliveries = await plan.many([f"user-{n}" for n in range(40)])
    for delivery in deliveries:
        mail.react(delivery.address, Reaction("data", delay=0.5))
    (worker,) = start_workers(CARILLON_DELIVERY_CONCURRENCY="4", CARILLON_DELIVERY_LEASE="60").of("delivery")
    await work.name(deliveries, each=40)
    await plan.until_all("sent", 4)
    assert await asyncio.to_thread(worker.stop) == 0
    states = await plan.states()
    assert set(states) == {"sent", "planned"}
    assert states["sent"] == len(mail.messages)
    worker.spawn()
    await plan.until_all("sent", 40)
    assert _copies(mail, deliveries) == {1: 40}


async def test_unreadable_records_do_not_stop_the_others(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    start_workers()
    unreadable = [b"{", b"\xff", None, b'{"channel": "push", "deliveries": []}', b'{"channel": "email"}']
    newer = b'{"schemaVersion": 2, "channel": "email", "deliveries": []}'
    nul = b'{"channel": "email", "deliveries": [{"tenant": "a\\u0000", "id": "%s"}]}' % str(uuid4()).encode()
    await work.produce([(b"same", value) for value in (*unreadable, newer, nul)])
    delivery = await plan.one()
    await work.name([delivery])
    await plan.until(delivery, "sent")
    letters = [letter for _, letter in await work.dead(7)]
    assert {letter.code for letter in letters} == {"unreadable-record"}
    assert {letter.source.offset for letter in letters} == set(range(7))


@pytest.fixture
def own_postgres(tmp_path: Path) -> Iterator[EmbeddedPostgres]:
    """A database server that may be stopped."""
    server = EmbeddedPostgres(tmp_path / "postgres", durable=False)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def own_kafka(tmp_path: Path) -> Iterator[EmbeddedKafka]:
    """A broker that may be stopped."""
    broker = EmbeddedKafka(tmp_path / "kafka")
    broker.start()
    yield broker
    broker.kill()


async def test_without_kafka_or_postgres_it_holds_and_goes_on(
    own_kafka: EmbeddedKafka, own_postgres: EmbeddedPostgres, mail: SmtpPeer, tmp_path: Path
) -> None:
    neighbours = Neighbours(own_kafka.bootstrap, own_postgres.create_database("carillon"))
    layout = Layout(counts={"delivery": 1}, environment=QUICK | smtp_environment(mail.port))
    services = Services(tmp_path / "services", neighbours, layout)
    await asyncio.to_thread(services.start)
    try:
        (worker,) = services.of("delivery")
        work = Work(own_kafka.bootstrap, "")
        async with planning(neighbours.postgres_dsn) as plan:
            own_kafka.kill()
            unnamed = await plan.one("no-kafka", due_in=0)
            refused = await plan.one("refused", due_in=0)
            mail.react(refused.address, Reaction("rcpt", "550 no"))
            await plan.until(unnamed, "sent")
            await plan.until(refused, "failed")
            await asyncio.to_thread(own_kafka.start)
            ((_, letter),) = await work.dead(1, timeout=60)
            assert letter.id == refused.id
            named = await plan.one("kafka-again")
            await work.name([named])
            await plan.until(named, "sent", timeout=60)
            waiting = await plan.many(["x", "y", "z"])

        await asyncio.to_thread(own_postgres.stop)
        await work.name(waiting)
        await _answers(worker.url, "/readyz", 503)
        await _answers(worker.url, "/healthz", 200)
        await asyncio.to_thread(own_postgres.start)
        async with planning(neighbours.postgres_dsn) as plan:
            await plan.until_all("sent", 5)
        await _answers(worker.url, "/readyz", 200)
        assert worker.running
    finally:
        services.kill()


async def _answers(url: str, path: str, status: int, timeout: float = 20.0) -> None:
    async with httpx.AsyncClient(base_url=url) as client, asyncio.timeout(timeout):
        while (await client.get(path, timeout=10)).status_code != status:
            await asyncio.sleep(0.1)
