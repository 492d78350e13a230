"""What every test may use: a real broker and a real database server, shared by the session, and services on them."""

from __future__ import annotations

import asyncio
import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from devstack.cache import locked
from devstack.layout import Layout, Neighbours
from devstack.postgres_address import PostgresAddress
from devstack.services import Services
from devstack.shared import SharedStores, ask
from devstack.stack import Stack
from libs.kafka.topics import ensure_topics
from libs.postgres.migrations import migrate

T = TypeVar("T")

_STORES = "CARILLON_TEST_STORES"  # tells pytest-xdist's workers where the stores of the session are
_kept = pytest.StashKey[SharedStores]()


def pytest_configure(config: pytest.Config) -> None:
    """The process that the developer started keeps the stores, its workers (if any) ask for them."""
    if not hasattr(config, "workerinput"):
        directory = Path(tempfile.mkdtemp(prefix="carillon-tests-"))
        os.environ[_STORES] = str(directory)
        config.stash[_kept] = SharedStores(directory)


def pytest_unconfigure(config: pytest.Config) -> None:
    if _kept in config.stash:
        config.stash[_kept].close()
        shutil.rmtree(os.environ.pop(_STORES), ignore_errors=True)


@pytest.fixture(scope="session")
def kafka_bootstrap() -> str:
    """host:port of the session's broker."""
    return f"127.0.0.1:{ask(_stores(), 'kafka')}"


@pytest.fixture(scope="session")
def postgres_server() -> PostgresAddress:
    """The session's database server: dsn(), create_database(), drop_database(), execute()."""
    return PostgresAddress(ask(_stores(), "postgres"))


@pytest.fixture(scope="session")
def database_template(postgres_server: PostgresAddress) -> str:
    """Name of a database with every migration applied, made once a session."""
    name = "carillon_template"
    with locked(_stores() / f"{name}.lock"):
        if not postgres_server.has_database(name):
            _run(migrate(postgres_server.create_database("carillon_migrating")))
            postgres_server.execute(f"alter database carillon_migrating rename to {name}")
    return name


@pytest.fixture
def database(postgres_server: PostgresAddress, database_template: str) -> Iterator[str]:
    """DSN of a migrated database of the test's own."""
    yield from _fresh_database(postgres_server, database_template)


@pytest.fixture
def empty_database(postgres_server: PostgresAddress) -> Iterator[str]:
    """DSN of a database of the test's own with nothing in it."""
    yield from _fresh_database(postgres_server, None)


@pytest.fixture
def topic_prefix(kafka_bootstrap: str) -> Iterator[str]:
    """A prefix of the test's own, for example `t3f9a.`; topics that begin with it are deleted afterwards."""
    prefix = f"t{uuid.uuid4().hex[:8]}."
    yield prefix
    _run(_delete_topics(kafka_bootstrap, prefix))


@pytest.fixture
def topics(kafka_bootstrap: str, topic_prefix: str) -> str:
    """`topic_prefix`, with all topics of the platform made."""
    _run(ensure_topics(kafka_bootstrap, topic_prefix))
    return topic_prefix


@pytest.fixture
def neighbours(kafka_bootstrap: str, database: str, topic_prefix: str) -> Neighbours:
    """The session's broker and the test's own database and topics, as services are told of them."""
    return Neighbours(kafka_bootstrap, database, topic_prefix)


@pytest.fixture
def start_services(neighbours: Neighbours, tmp_path: Path) -> Iterator[Callable[[Layout], Services]]:
    """Call it with a Layout to get running service processes on the session's stores; they end with the test."""
    started: list[Services] = []

    def start(layout: Layout) -> Services:
        started.append(Services(tmp_path / f"services-{len(started) + 1}", neighbours, layout))
        started[-1].start()
        return started[-1]

    yield start
    for services in started:
        services.kill()
        _show_logs(services)


@pytest.fixture
def start_stack(tmp_path: Path) -> Iterator[Callable[[Layout], Stack]]:
    """Call it with a Layout to get services with a broker and a database of their own, which may be killed."""
    started: list[Stack] = []

    def start(layout: Layout) -> Stack:
        started.append(Stack(tmp_path / f"stack-{len(started) + 1}", layout, durable=False))
        started[-1].start()
        return started[-1]

    yield start
    for stack in started:
        stack.kill()
        _show_logs(stack.services)
        shutil.rmtree(stack.directory / "kafka", ignore_errors=True)
        shutil.rmtree(stack.directory / "postgres", ignore_errors=True)


def _fresh_database(server: PostgresAddress, template: str | None) -> Iterator[str]:
    name = f"test_{uuid.uuid4().hex}"
    yield server.create_database(name, template)
    server.drop_database(name)


def _show_logs(services: Services) -> None:
    for process in services.values():  # pytest shows this when the test has failed
        print(f"--- end of {process.log}\n{process.tail()}")


async def _delete_topics(bootstrap: str, prefix: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    await admin.start()
    try:
        if mine := [topic for topic in await admin.list_topics() if topic.startswith(prefix)]:
            await admin.delete_topics(mine)
    finally:
        await admin.close()


def _run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine in a thread: pytest-asyncio's own loop is left alone."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


def _stores() -> Path:
    return Path(os.environ[_STORES])
