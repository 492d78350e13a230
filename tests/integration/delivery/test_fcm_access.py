"""Access tokens for FCM: one for all calls, a new one when it is refused; to have none is between Google and us."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from starlette.responses import JSONResponse, PlainTextResponse, Response

from libs.runtime.clock import utc_now
from services.delivery.adapters.fcm.client import FcmClient
from services.delivery.adapters.fcm.settings import service_account
from services.delivery.adapters.http.asking import Asker
from services.delivery.domain.delivery import Device
from services.delivery.domain.push import PushMessage
from services.delivery.errors import Fault, Unavailable
from tests.integration.delivery.asked import TIMEOUT
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import Got, running
from tests.integration.delivery.peers.pushes import Fcm

pytestmark = pytest.mark.covers("F2-5")

DEVICE = Device("d", "fcm", "a-registration-token")
MESSAGE = PushMessage("A title", "Words", None, "a-notification", "normal", 60, "topic")


class Stubborn(Fcm):
    """Answers what it is told to where tokens are asked for."""

    refusal: Response | None = None

    def answer(self, got: Got, case: Case) -> Response:
        return self.refusal if got.path == self.aside and self.refusal else super().answer(got, case)


@pytest.fixture
async def peer() -> AsyncIterator[Stubborn]:
    """FCM, with its token endpoint."""
    async with running(Stubborn()) as peer:
        yield peer


@pytest.fixture
async def client(peer: Stubborn) -> AsyncIterator[FcmClient]:
    """A client that has no token yet."""
    asker = Asker(TIMEOUT)
    yield FcmClient(asker, service_account(peer.credentials), f"{peer.url}/", utc_now)
    await asker.close()


async def test_calls_at_once_share_a_token(client: FcmClient, peer: Stubborn) -> None:
    await asyncio.gather(*(client.send(DEVICE, MESSAGE) for _ in range(5)))
    assert (peer.tokens, len(peer.requests)) == (1, 5)


async def test_a_token_that_is_refused_is_made_anew(client: FcmClient, peer: Stubborn) -> None:
    await client.send(DEVICE, MESSAGE)
    peer.tokens += 1  # the one that the client has is an old one now
    with pytest.raises(Unavailable, match="provider-refuses-us"):
        await client.send(DEVICE, MESSAGE)
    await client.send(DEVICE, MESSAGE)
    assert peer.tokens == 3


@pytest.mark.parametrize(
    "refusal",
    [
        JSONResponse({"error": "invalid_grant"}, 400),
        JSONResponse({"error": "internal_failure"}, 500),
        JSONResponse({"token_type": "Bearer"}),
        JSONResponse({"access_token": "x", "expires_in": "soon"}),
        PlainTextResponse("nonsense"),
    ],
)
async def test_without_a_token_nothing_is_sent_and_no_attempt_counts(
    client: FcmClient, peer: Stubborn, refusal: Response
) -> None:
    peer.refusal = refusal
    with pytest.raises(Fault) as raised:
        await client.send(DEVICE, MESSAGE)
    assert (type(raised.value), raised.value.reason) == (Unavailable, "provider-refuses-us")
    assert peer.requests == []
    peer.refusal = None
    await client.send(DEVICE, MESSAGE)
