"""Whose tokens open a gateway, by sockets and HTTP alike, and for how long (S3, S9, S22, F2-4)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from devstack.ports import free_port
from tests.integration.gateway.clients import Client, client, eventually, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe
from tests.integration.issuer import Issuer, issuing

pytestmark = pytest.mark.covers("S3", "S9", "S22", "F2-4", "F1-1", "F1-5")

PAUSE = 0.2


@pytest.fixture(scope="module")
def port() -> int:
    return free_port()


@pytest.fixture(scope="module")
def environment(port: int) -> dict[str, str]:
    issuer = f"http://127.0.0.1:{port}"
    return ENVIRONMENT | {
        "CARILLON_JWKS": f"{issuer}={issuer}/keys",
        "CARILLON_JWKS_PAUSE": str(PAUSE),
        "CARILLON_JWT_AUDIENCE": "carillon",
        "CARILLON_CLAIM_TENANT": "tenantId,org.tenant",
        "CARILLON_CLAIM_ROLES": "realm_access.roles,https://roles.example/roles",
    }


@pytest.fixture
async def issuer(port: int, name: str) -> AsyncIterator[Issuer]:
    """With a key `one` that is known to nobody else: gateways keep those of earlier tests."""
    async with issuing(port) as one:
        one.published.clear()
        one.add(name)
        yield one


def ours(user: str, **claims: Any) -> str:
    return token(user, aud="carillon", **claims)


async def called(url: str, bearer: str) -> httpx.Response:
    async with httpx.AsyncClient() as http:
        headers = {"Authorization": f"Bearer {bearer}"}
        return await http.get(f"{url}/api/v1/notifications/unread-count", headers=headers)


async def told_by(url: str, bearer: str) -> Client:
    """A client that was told no."""
    one = await Client(url).connect(auth={"token": bearer})
    await one.event("error")
    await asyncio.wait_for(one.disconnected.wait(), 5)
    return one


async def test_a_token_of_an_issuer_opens_sockets_and_http(
    gateways: Gateways, issuer: Issuer, scribe: Scribe, name: str
) -> None:
    await scribe.tenant(f"t{name}")
    claims: dict[str, Any] = {"sub": f"u{name}", "aud": ["other", "carillon"], "org": {"tenant": f"t{name}"}}
    claims |= {"realm_access": {"roles": ["r1"]}, "https://roles.example/roles": "r2"}
    bearer = issuer.token(name, **claims)
    async with client(gateways.url, bearer) as one:
        assert {"role:r1", "role:r2", f"user:u{name}"} <= set((await one.event("connected"))["rooms"])
        await scribe.publish(f"user:u{name}", tenant=f"t{name}", data={"n": 1})
        await one.shows(1)
    assert (await called(gateways.other, bearer)).json() == {"count": 1}


async def test_what_is_not_ours_is_refused_on_both(
    gateways: Gateways, issuer: Issuer, scribe: Scribe, name: str
) -> None:
    await scribe.tenant(f"off{name}")
    await scribe.pool.execute("update tenants set disabled_at = now() where tenant = $1", f"off{name}")
    wrong = {
        issuer.token(name, sub="u"): "invalid-token",  # no audience
        issuer.token(name, sub="u", aud="carillon", lifetime=-60): "expired-token",
        issuer.token(name, sub="u", aud="carillon", header={"kid": "another"}): "invalid-token",
        ours("u", tenantId=f"none{name}"): "unknown-tenant",
        ours("u", tenantId=f"off{name}"): "disabled-tenant",
        token("u"): "invalid-token",
        "nonsense": "invalid-token",
    }
    for bearer, code in wrong.items():
        answer = await called(gateways.url, bearer)
        assert (answer.status_code, answer.json()["type"]) == (401, f"urn:carillon:problem:{code}")
        assert (await told_by(gateways.url, bearer)).of("error")[0]["code"] == "UNAUTHORIZED"
    async with httpx.AsyncClient() as http:
        metrics = (await http.get(f"{gateways.url}/metrics")).text
    log = gateways.services.of("gateway")[0].log.read_text(encoding="utf-8")
    for door in ("http", "socket"):
        for code in set(wrong.values()):
            assert f'carillon_gateway_unauthorized_total{{door="{door}",reason="{code}"}}' in metrics
    assert '"unauthorized"' in log
    assert not any(bearer in log for bearer in wrong if bearer != "nonsense")


async def test_an_issuer_that_is_away_is_nobodys_fault(gateways: Gateways, issuer: Issuer, name: str) -> None:
    known = issuer.token(name, sub=f"u{name}", aud="carillon")
    assert (await called(gateways.url, known)).status_code == 200
    issuer.add(f"{name}-2")
    issuer.answer = (500, b"")
    new = issuer.token(f"{name}-2", sub=f"u{name}", aud="carillon")
    await asyncio.sleep(PAUSE)
    answer = await called(gateways.url, new)
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    one = await told_by(gateways.url, new)
    assert one.of("error")[0]["code"] == "SERVER_ERROR"
    assert (await called(gateways.url, known)).status_code == 200
    issuer.answer = None
    await eventually(lambda: _opens(gateways.url, new), "the issuer's new key")


async def _opens(url: str, bearer: str) -> bool:
    return (await called(url, bearer)).status_code == 200


async def test_a_token_is_asked_for_again_before_it_is_over_and_once(gateways: Gateways, name: str) -> None:
    async with (
        client(gateways.url, ours(f"u{name}", lifetime=30)) as one,
        client(gateways.url, ours(f"u{name}")) as other,
    ):
        assert "expiresAt" in await one.event("token.expiring")
        await one.io.emit("authenticate", {"token": ours(f"u{name}", lifetime=20)})
        await one.until(lambda: len(one.of("token.expiring")) == 2)  # of the new one, which is as short
        assert len(one.of("connected")) == 2
        assert not one.of("error")
        assert not other.of("token.expiring")


async def test_a_tenant_that_is_disabled_loses_its_sockets(gateways: Gateways, scribe: Scribe, name: str) -> None:
    await scribe.tenant(f"t{name}", f"x{name}")
    async with (
        client(gateways.url, ours("u", tenantId=f"t{name}")) as gone,
        client(gateways.url, ours("u", tenantId=f"x{name}")) as stays,
    ):
        await scribe.pool.execute("update tenants set disabled_at = now() where tenant = $1", f"t{name}")
        assert (await gone.event("error"))["code"] == "UNAUTHORIZED"
        await asyncio.wait_for(gone.disconnected.wait(), 5)
        assert not stays.disconnected.is_set()
