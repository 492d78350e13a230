"""Running services with two tenants."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from devstack.layout import Layout, counts
from devstack.services import Services
from tests.integration.isolation.tenants import OURS, THEIRS, Tenants


@pytest.fixture
async def tenants(start_services: Callable[[Layout], Services]) -> Tenants:
    services = await asyncio.to_thread(start_services, Layout(counts=counts(deliveries=0)))
    both = Tenants(services)
    for tenant in (OURS, THEIRS):
        await both.key(tenant)
    await both.fill()
    return both
