"""A router on the session's broker and the test's own topics and database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.integration.router.composed import Router, routing
from tests.integration.router.system import System, observing


@pytest.fixture
async def system(kafka_bootstrap: str, topics: str, database: str) -> AsyncIterator[System]:
    """The test's side: publish, look, plant."""
    async with observing(kafka_bootstrap, topics, database) as system:
        yield system


@pytest.fixture
async def router(system: System) -> AsyncIterator[Router]:
    """The router's handlers; the test hands batches in."""
    async with routing(system) as router:
        yield router
