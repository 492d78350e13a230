"""Two gateways on the session's broker and a database of the module's own, and a scribe who writes for them."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import pytest

from devstack.layout import Layout, Neighbours, counts
from devstack.postgres_address import PostgresAddress
from devstack.services import Services
from tests.integration.gateway.scribe import Scribe

#: Small limits and short times, so that tests reach them.
ENVIRONMENT = {
    "CARILLON_HEADS_INTERVAL": "1",
    "CARILLON_SLOT_HEARTBEAT": "0.5",
    "CARILLON_SLOT_LEASE": "3",
    "CARILLON_INTEREST_LINGER": "1",
    "CARILLON_RESUME_LIMIT": "50",
    "CARILLON_CATCH_UP_LIMIT": "10",
    "CARILLON_ROOM_MEMORY": "8",
    "CARILLON_CONFIRM_INTERVAL": "0.3",
    "CARILLON_DELIVERED_INTERVAL": "0.2",
    "CARILLON_RECONNECT_SPREAD": "0.5",
    "CARILLON_CONNECT_TIMEOUT": "3",
    "CARILLON_EGRESS_NETWORKS": "127.0.0.0/8",
    "CARILLON_POLICY_REFRESH": "0.2",
    "CARILLON_POLICY_GRACE": "1",
    "CARILLON_PRESENCE_GRACE": "1",
    "CARILLON_PRESENCE_INTERVAL": "0.05",
    "CARILLON_PRESENCE_HEARTBEAT": "0.5",
    "CARILLON_PRESENCE_LEASE": "2",
    "CARILLON_TYPING_REPEAT": "0.5",
    "CARILLON_TYPING_PATIENCE": "1.5",
}
ONLY_GATEWAYS = counts(ingests=0, routers=0, gateways=2, deliveries=0)


@dataclass
class Gateways:
    """Running gateways. `url` and `other` are two of them."""

    services: Services

    @property
    def url(self) -> str:
        return self.services.url("gateway", 0)

    @property
    def other(self) -> str:
        return self.services.url("gateway", 1)


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    """What the module's gateways are told; a module may say more."""
    return ENVIRONMENT


@pytest.fixture(scope="module")
def gateways(
    environment: dict[str, str],
    kafka_bootstrap: str,
    postgres_server: PostgresAddress,
    database_template: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Gateways]:
    """Shared by a module: tests keep apart by the names of people and rooms."""
    name = f"gateway_{uuid.uuid4().hex}"
    dsn = postgres_server.create_database(name, database_template)
    neighbours = Neighbours(kafka_bootstrap, dsn, f"g{uuid.uuid4().hex[:8]}.")
    layout = Layout(counts=ONLY_GATEWAYS, environment=environment)
    services = Services(tmp_path_factory.mktemp("gateways"), neighbours, layout)
    services.start()
    yield Gateways(services)
    services.kill()
    for process in services.values():
        print(f"--- end of {process.log}\n{process.tail()}")
    postgres_server.drop_database(name)


@pytest.fixture
async def scribe(gateways: Gateways) -> AsyncIterator[Scribe]:
    """Writes into the database of the module's gateways."""
    neighbours = gateways.services.neighbours
    async with Scribe(neighbours.postgres_dsn, neighbours.kafka_bootstrap, neighbours.topic_prefix) as one:
        yield one


@pytest.fixture
def name() -> str:
    """Part of every name in a test, so that tests which share gateways do not meet."""
    return uuid.uuid4().hex[:8]
