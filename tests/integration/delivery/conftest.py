"""Real workers on the session's broker and database, with a real SMTP server beside them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator

import pytest

from devstack.layout import Layout
from devstack.services import Services
from devstack.smtp_peer import SmtpPeer, smtp_environment
from tests.integration.delivery.planned import Plan, Work, planning

# Quick retries, short leases and scans, so that a test takes seconds.
QUICK = {
    "CARILLON_DELIVERY_LEASE": "4",
    "CARILLON_DELIVERY_TIMEOUT": "2",
    "CARILLON_DELIVERY_SCAN_INTERVAL": "0.1",
    "CARILLON_DELIVERY_RETRY_BASE": "0.2",
    "CARILLON_DELIVERY_RETRY_CAP": "1",
    "CARILLON_DELIVERY_REST_CAP": "1",
    "CARILLON_PUBLIC_URL": "https://app.example.test",
}

StartWorkers = Callable[..., Services]


@pytest.fixture
def mail() -> Iterator[SmtpPeer]:
    """The SMTP server that workers send to."""
    with SmtpPeer() as peer:
        yield peer


@pytest.fixture
async def plan(database: str) -> AsyncIterator[Plan]:
    """Plans deliveries in the test's own database."""
    async with planning(database) as plan:
        yield plan


@pytest.fixture
def work(kafka_bootstrap: str, topics: str) -> Work:
    """The test's own topics."""
    return Work(kafka_bootstrap, topics)


@pytest.fixture
def start_workers(start_services: Callable[[Layout], Services], mail: SmtpPeer, work: Work) -> StartWorkers:
    """Call it to get delivery processes: `start_workers(2, CARILLON_DELIVERY_LEASE="60")`."""

    def start(count: int = 1, **environment: str) -> Services:
        told = QUICK | smtp_environment(mail.port) | environment
        return start_services(Layout(counts={"delivery": count}, environment=told))

    return start
