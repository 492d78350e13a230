"""The command, and a small system that adds up."""

from __future__ import annotations

import asyncio
import uuid

import pytest

from libs.kafka.cluster import cluster_id
from libs.kafka.topics import ensure_topics
from tests.integration.cli.running import Command
from tests.integration.cli.system import SMALL


@pytest.fixture(scope="module")
def prefix(kafka_bootstrap: str) -> str:
    """The prefix of the module's topics, which all exist."""
    prefix = f"cli{uuid.uuid4().hex[:8]}."
    asyncio.run(ensure_topics(kafka_bootstrap, prefix))
    return prefix


@pytest.fixture(scope="module")
def cluster(kafka_bootstrap: str) -> str:
    """The broker's cluster id."""
    return asyncio.run(cluster_id(kafka_bootstrap))


@pytest.fixture
def carillon(kafka_bootstrap: str, database: str, prefix: str) -> Command:
    """`carillon(…)` runs the command."""
    return Command(
        {
            "CARILLON_KAFKA_BOOTSTRAP": kafka_bootstrap,
            "CARILLON_KAFKA_TOPIC_PREFIX": prefix,
            "CARILLON_POSTGRES_DSN": database,
        }
    )


@pytest.fixture(scope="module")
def filled_topics(kafka_bootstrap: str, prefix: str) -> None:
    """Four records on `noti`, three on a typed topic: what the small system has processed."""
    Command({"CARILLON_KAFKA_BOOTSTRAP": kafka_bootstrap, "CARILLON_KAFKA_TOPIC_PREFIX": prefix}).produce(
        "noti", b"1", b"2", b"3", b"4"
    )
    Command({"CARILLON_KAFKA_BOOTSTRAP": kafka_bootstrap, "CARILLON_KAFKA_TOPIC_PREFIX": prefix}).produce(
        "service.event", b"1", b"2", b"3"
    )


@pytest.fixture
def small(carillon: Command, filled_topics: None, prefix: str, cluster: str) -> Command:
    """The command on a system of three notifications in which everything adds up."""
    for statement in SMALL:
        carillon.sql(statement.replace("{prefix}", prefix).replace("{cluster}", cluster))
    return carillon
