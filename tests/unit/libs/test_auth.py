"""Tokens of people and agents, and keys of services."""

from datetime import timedelta
from typing import Any

import jwt
import pytest

from libs.auth import api_keys, tokens
from libs.auth.claims import ClaimNames
from libs.auth.verifier import Rules, Verifier
from libs.runtime.clock import utc_now

pytestmark = pytest.mark.covers("S3", "S22", "F0-7")

SECRET = "a secret of at least thirty-two bytes"


def issued(lifetime: float = 86_400, **claims: Any) -> str:
    # Tokens in a list of cases are made when tests are collected, long before some of them run.
    return tokens.issue(claims, SECRET, now=utc_now(), lifetime=timedelta(seconds=lifetime))


async def read(token: str, **rules: Any) -> tokens.Identity:
    return await Verifier(Rules(SECRET, **rules)).verify(token)


async def test_claims_are_read_by_all_their_names() -> None:
    who = await read(issued(sub="u", tenantId="t", orgId="o", orgIds=["p", "o"], role="ADMIN"))
    assert (who.user_id, who.tenant, who.org_ids, who.roles) == ("u", "t", ("p", "o"), ("ADMIN",))
    assert who.reader == "u"


async def test_an_agent_reads_an_inbox_of_its_own() -> None:
    assert (await read(issued(agentId="a"))).reader == "agent:a"


async def test_claims_may_have_names_of_the_issuers_choice() -> None:
    names = ClaimNames(user=("who.id", "sub"), roles=("realm_access.roles", "https://x.example/roles"), tenant=("tid",))
    claims: dict[str, Any] = {"who": {"id": 7}, "sub": "other", "realm_access": {"roles": ["a", "b"]}, "tid": "t"}
    claims |= {"https://x.example/roles": "c", "roles": ["unread"]}
    who = await read(issued(**claims), claims=names)
    assert (who.user_id, who.tenant, who.roles) == ("7", "t", ("a", "b", "c"))
    assert (await read(issued(sub="u", who="text", realm_access=[1]), claims=names)).user_id == "u"


@pytest.mark.parametrize("dressed", ["Bearer {}", "  bearer {} ", "{}\n"])
async def test_bearer_and_spaces_are_optional(dressed: str) -> None:
    assert (await read(dressed.format(issued(sub="u")))).user_id == "u"


async def test_an_expired_token_says_so() -> None:
    with pytest.raises(tokens.InvalidToken) as refused:
        await read(issued(-60, sub="u"))
    assert refused.value.expired


async def test_clocks_may_differ_by_the_leeway() -> None:
    assert (await read(issued(-20, sub="u"), leeway=30.0)).user_id == "u"


async def test_issuer_and_audience_are_asked_for_where_they_are_set() -> None:
    good = issued(sub="u", iss="us", aud=["x", "carillon"])
    assert (await read(good, issuer="us", audience=("carillon", "other"))).user_id == "u"
    for rules in ({"issuer": "them"}, {"audience": ("z",)}, {"issuer": "us"}):
        with pytest.raises(tokens.InvalidToken):
            await read(good, **rules)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "nonsense",
        issued(),
        jwt.encode({"sub": "u", "exp": 4_000_000_000}, SECRET + "x", "HS256"),
        jwt.encode({"sub": "u", "exp": 4_000_000_000}, "", "none"),
        jwt.encode({"sub": "u"}, SECRET, "HS256"),
        jwt.encode({"sub": "u", "exp": 4_000_000_000}, SECRET + SECRET, "HS512"),
        issued(sub="agent:7"),
        issued(sub="", id=True),
    ],
    ids=["empty", "garbage", "nobody", "signature", "alg none", "no expiry", "HS512", "a user as agent", "no text"],
)
async def test_what_cannot_be_trusted_is_refused(token: str) -> None:
    with pytest.raises(tokens.InvalidToken) as refused:
        await read(token)
    assert not refused.value.expired


def test_a_key_matches_its_hash_alone() -> None:
    key, other = api_keys.create(), api_keys.create()
    parts = api_keys.split(key.text)
    assert parts is not None
    assert parts[0] == key.key_id
    assert api_keys.matches(parts[1], key.hash)
    assert not api_keys.matches(parts[1], other.hash)
    assert api_keys.split("eyJ.a.b") is None
