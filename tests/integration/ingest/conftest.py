"""Ingest on the session's broker and the test's own topics and database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.integration.ingest.system import System, ingesting, observing


@pytest.fixture
async def system(kafka_bootstrap: str, topics: str, database: str) -> AsyncIterator[System]:
    """The test's side: publish, read, look."""
    async with observing(kafka_bootstrap, topics, database) as system:
        yield system


@pytest.fixture
async def http(system: System) -> AsyncIterator[httpx.AsyncClient]:
    """A running ingest, spoken to as an administrator."""
    async with ingesting(system) as client:
        yield client


@pytest.fixture
async def shared_http(http: httpx.AsyncClient) -> httpx.AsyncClient:
    """The same, for tests that leave nothing behind."""
    return http
