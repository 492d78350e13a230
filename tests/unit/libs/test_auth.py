"""Tokens of people and agents, and keys of services."""

from datetime import timedelta
from typing import Any

import jwt
import pytest

from libs.auth import api_keys, tokens
from libs.runtime.clock import utc_now

pytestmark = pytest.mark.covers("S3", "S22", "F0-7")

SECRET = "a secret of at least thirty-two bytes"


def issued(lifetime: float = 86_400, **claims: Any) -> str:
    # Tokens in a list of cases are made when tests are collected, long before some of them run.
    return tokens.issue(claims, SECRET, now=utc_now(), lifetime=timedelta(seconds=lifetime))


def test_claims_are_read_by_all_their_names() -> None:
    who = tokens.verify(issued(sub="u", tenantId="t", orgId="o", orgIds=["p", "o"], role="ADMIN"), SECRET)
    assert (who.user_id, who.tenant, who.org_ids, who.roles) == ("u", "t", ("p", "o"), ("ADMIN",))
    assert who.reader == "u"


def test_an_agent_reads_an_inbox_of_its_own() -> None:
    assert tokens.verify(issued(agentId="a"), SECRET).reader == "agent:a"


@pytest.mark.parametrize("dressed", ["Bearer {}", "  bearer {} ", "{}\n"])
def test_bearer_and_spaces_are_optional(dressed: str) -> None:
    assert tokens.verify(dressed.format(issued(sub="u")), SECRET).user_id == "u"


def test_an_expired_token_says_so() -> None:
    with pytest.raises(tokens.InvalidToken) as refused:
        tokens.verify(issued(-60, sub="u"), SECRET)
    assert refused.value.expired


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        issued(),
        jwt.encode({"sub": "u", "exp": 4_000_000_000}, SECRET + "x", "HS256"),
        jwt.encode({"sub": "u", "exp": 4_000_000_000}, "", "none"),
        jwt.encode({"sub": "u"}, SECRET, "HS256"),
        issued(sub="agent:7"),
    ],
    ids=["empty", "garbage", "nobody", "signature", "alg none", "no expiry", "a user as agent"],
)
def test_what_cannot_be_trusted_is_refused(token: str) -> None:
    with pytest.raises(tokens.InvalidToken) as refused:
        tokens.verify(token, SECRET)
    assert not refused.value.expired


def test_a_key_matches_its_hash_alone() -> None:
    key, other = api_keys.create(), api_keys.create()
    parts = api_keys.split(key.text)
    assert parts is not None
    assert parts[0] == key.key_id
    assert api_keys.matches(parts[1], key.hash)
    assert not api_keys.matches(parts[1], other.hash)
    assert api_keys.split("eyJ.a.b") is None
