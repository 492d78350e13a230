"""The samples of `carillon mock` arrive in all four dialects (F1-8)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from functools import partial

import pytest

from devstack.demo.examples import MEMBER
from devstack.demo.people import token
from devstack.layout import Layout, counts
from devstack.mock import NAMESPACES
from devstack.samples import samples, send
from devstack.services import Services
from tests.integration.gateway.clients import Client, client

pytestmark = pytest.mark.covers("F1-8", "S1", "S5")


def notifications(one: Client) -> set[str]:
    """Ids of what the client was shown, whatever its dialect calls them."""
    payloads = [payload for _, payload in one.told if isinstance(payload.get("position"), dict)]
    placed = [payload for payload in payloads if "room" in payload["position"]]
    return {payload.get("id") or payload["metadata"]["notificationId"] for payload in placed}


def _all(one: Client) -> bool:
    return len(notifications(one)) >= len(samples())


async def test_every_sample_is_shown_in_every_dialect(start_services: Callable[[Layout], Services]) -> None:
    url = start_services(Layout(counts=counts(deliveries=0))).url("gateway")
    sent: list[str] = []
    async with AsyncExitStack() as stack:
        await send(url, 0.0, 0, sent.append)  # the directory alone, which says where the member is
        watchers = [await stack.enter_async_context(client(url, token(MEMBER), namespace=one)) for one in NAMESPACES]
        await send(url, 0.0, 1, sent.append)
        for one in watchers:
            await one.until(partial(_all, one))
        first, *others = (notifications(one) for one in watchers)
        assert all(other == first for other in others)
    assert sent == [sample.name for sample in samples()]
