"""Who may do what, and how much of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from libs.auth import api_keys, tokens
from libs.auth.verifier import Rules, Verifier
from libs.runtime.clock import utc_now
from libs.runtime.quota import Bucket, Granted, Limited, Quota
from services.ingest.domain.access import Denied, Principal, key_principal
from services.ingest.handlers.access import Access

pytestmark = pytest.mark.covers("F2-4", "F2-5", "S3")

SECRET = "a secret of at least thirty-two bytes"
KEY = api_keys.create()


class OneKey:
    """services.ingest.ports.Keys with a single key."""

    async def principal(self, key_id: str, secret: str) -> Principal | None:
        if key_id != KEY.key_id or not api_keys.matches(secret, KEY.hash):
            return None
        return key_principal(key_id, "acme", frozenset({"events:write"}), frozenset({"beta"}))


def token(**claims: Any) -> str:
    return tokens.issue({"sub": "ada", **claims}, SECRET, now=utc_now(), lifetime=timedelta(days=1))


def access(secret: str | None = SECRET) -> Access:
    return Access(
        OneKey(),
        None if secret is None else Verifier(Rules(secret)),
        frozenset({"admin"}),
        frozenset({"platform.admin"}),
    )


async def test_a_key_by_either_header() -> None:
    for headers in ((f"Bearer {KEY.text}", None), (None, KEY.text)):
        found = await access().principal(*headers)
        assert isinstance(found, Principal)
        assert (found.actor, found.tenant) == (f"key:{KEY.key_id}", "acme")
        assert found.may("events:write")
        assert found.may("status:read")  # who publishes may ask what became of it
        assert not found.may("keys:write")
        assert found.may_name("beta")
        assert not found.may_name("gamma")


async def test_an_administrators_token_is_for_its_tenant_alone() -> None:
    found = await access().principal(f"Bearer {token(roles=['admin'], tenantId='acme')}", None)
    assert isinstance(found, Principal)
    assert (found.actor, found.tenant, found.is_platform) == ("user:ada", "acme", False)
    assert found.may("keys:write")
    assert not found.may_name("beta")


async def test_a_platform_administrator_may_name_every_tenant() -> None:
    found = await access().principal(token(roles=["platform.admin"]), None)
    assert isinstance(found, Principal)
    assert found.is_platform


@pytest.mark.parametrize(
    ("credential", "status", "reason"),
    [
        (None, 401, "no-credential"),
        ("  ", 401, "no-credential"),
        ("nonsense", 401, "invalid-token"),
        (f"ck_{KEY.key_id}_wrong", 401, "unknown-key"),
        (token(exp=1), 401, "expired-token"),
        (token(roles=["member"]), 403, "not-an-administrator"),
    ],
    ids=["nothing", "spaces", "nonsense", "another secret", "expired", "no administrator"],
)
async def test_who_is_turned_away(credential: str | None, status: int, reason: str) -> None:
    found = await access().principal(credential, None)
    assert isinstance(found, Denied)
    assert (found.status, found.reason) == (status, reason)


async def test_without_a_secret_no_token_is_taken() -> None:
    found = await access(secret=None).principal(token(roles=["admin"]), None)
    assert isinstance(found, Denied)
    assert found.reason == "no-tokens"


def test_a_bucket_fills_steadily_and_holds_no_more_than_its_burst() -> None:
    quota = Quota("events", "events", per_second=10, burst=20)
    bucket = Bucket.full(quota, 100.0)
    assert bucket.take(15, quota, 100.0) == Granted(remaining=5, reset=2)
    assert bucket.take(15, quota, 100.0) == Limited(remaining=5, retry_after=1)
    assert bucket.take(15, quota, 101.0) == Granted(remaining=0, reset=2)
    assert bucket.take(20, quota, 1_000.0) == Granted(remaining=0, reset=2)
    assert bucket.take(1, quota, 900.0) == Limited(remaining=0, retry_after=1)  # a clock that went back gives nothing
