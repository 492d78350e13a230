"""Tokens of issuers with key sets: rotation, faults, and what must never be taken (S3, S9)."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any

import jwt
import orjson
import pytest

from libs.auth.jwks import KeysUnavailable
from libs.auth.tokens import InvalidToken
from libs.auth.verifier import Rules, Verifier
from tests.integration.issuer import Issuer, issuing

pytestmark = pytest.mark.covers("S3", "S9", "S22")

SECRET = "a secret of at least thirty-two bytes"
LIFETIME, PAUSE = 300.0, 10.0


class Clock:
    """Seconds, as the test says."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
async def issuer() -> AsyncIterator[Issuer]:
    async with issuing() as one:
        yield one


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def verifier(issuer: Issuer, clock: Clock) -> AsyncIterator[Verifier]:
    rules = Rules(secret=SECRET, issuers={issuer.name: issuer.url}, keys_lifetime=LIFETIME, keys_pause=PAUSE)
    one = Verifier(rules, clock)
    yield one
    await one.close()


async def refused(verifier: Verifier, token: str) -> InvalidToken:
    with pytest.raises(InvalidToken) as fault:
        await verifier.verify(token)
    return fault.value


async def until(condition: Any) -> None:
    async with asyncio.timeout(5):
        while not condition():
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256"])
async def test_a_token_of_the_issuer_is_taken(verifier: Verifier, issuer: Issuer, algorithm: str) -> None:
    issuer.add("two", algorithm)
    who = await verifier.verify(f"Bearer {issuer.token('two', sub='u', tenantId='t')}")
    assert (who.user_id, who.tenant) == ("u", "t")


async def test_keys_are_fetched_once_for_many_who_come_together(verifier: Verifier, issuer: Issuer) -> None:
    token = issuer.token("one", sub="u")
    await asyncio.gather(*(verifier.verify(token) for _ in range(50)))
    await verifier.verify(token)
    assert issuer.asked == 1


async def test_without_a_key_id_the_only_key_counts(verifier: Verifier, issuer: Issuer, clock: Clock) -> None:
    token = issuer.token("one", sub="u", header={})
    assert (await verifier.verify(token)).user_id == "u"
    issuer.add("two")
    clock.now += LIFETIME + 1
    await verifier.verify(token)  # begins to renew the keys
    await until(lambda: issuer.asked == 2)
    await until(lambda: len(verifier._keys[issuer.name]._keys or ()) == 2)
    assert "not known to its issuer" in str(await refused(verifier, token))


async def test_a_new_key_is_found_at_once_and_an_old_one_ends(verifier: Verifier, issuer: Issuer, clock: Clock) -> None:
    old = issuer.token("one", sub="u")
    await verifier.verify(old)
    issuer.published.clear()
    issuer.add("two")
    clock.now += PAUSE + 1
    assert (await verifier.verify(issuer.token("two", sub="v"))).user_id == "v"
    assert "not known to its issuer" in str(await refused(verifier, old))


async def test_made_up_key_ids_do_not_reach_the_issuer(verifier: Verifier, issuer: Issuer, clock: Clock) -> None:
    await verifier.verify(issuer.token("one", sub="u"))
    for number in range(20):
        await refused(verifier, issuer.token("one", sub="u", header={"kid": f"made up {number}"}))
    assert issuer.asked == 1
    clock.now += PAUSE + 1
    await refused(verifier, issuer.token("one", sub="u", header={"kid": "made up"}))
    assert issuer.asked == 2


async def test_known_keys_stay_while_the_issuer_is_away(verifier: Verifier, issuer: Issuer, clock: Clock) -> None:
    token = issuer.token("one", sub="u")
    await verifier.verify(token)
    issuer.answer = (503, b"")
    for _ in range(3):
        clock.now += LIFETIME + 1
        assert (await verifier.verify(token)).user_id == "u"
    await until(lambda: issuer.asked > 1)
    clock.now += PAUSE + 1
    with pytest.raises(KeysUnavailable):  # nobody can say whether this one is good
        await verifier.verify(issuer.token("one", sub="u", header={"kid": "new"}))


async def test_old_keys_are_renewed_without_anybody_waiting(verifier: Verifier, issuer: Issuer, clock: Clock) -> None:
    token = issuer.token("one", sub="u")
    await verifier.verify(token)
    issuer.slow = asyncio.Event()
    clock.now += LIFETIME + 1
    async with asyncio.timeout(1):
        await verifier.verify(token)
    await until(lambda: issuer.asked == 2)


@pytest.mark.parametrize(
    "answer",
    [(500, b""), (302, b""), (200, b"<html>"), (200, b"[]"), (200, b'{"keys": []}'), (200, b" " * 300_000)],
    ids=["fault", "redirect", "no json", "no set", "no keys", "too large"],
)
async def test_keys_that_cannot_be_had_are_no_verdict(
    verifier: Verifier, issuer: Issuer, clock: Clock, answer: tuple[int, bytes]
) -> None:
    token, issuer.answer = issuer.token("one", sub="u"), answer
    for _ in range(3):
        with pytest.raises(KeysUnavailable):
            await verifier.verify(token)
    assert issuer.asked == 1
    issuer.answer = None
    clock.now += PAUSE + 1
    assert (await verifier.verify(token)).user_id == "u"


async def test_an_issuer_that_never_answers_is_given_up(verifier: Verifier, issuer: Issuer) -> None:
    issuer.slow = asyncio.Event()
    with pytest.raises(KeysUnavailable):
        await asyncio.wait_for(verifier.verify(issuer.token("one", sub="u")), 10)


async def test_a_set_may_hold_keys_that_are_not_for_us(verifier: Verifier, issuer: Issuer) -> None:
    ours = issuer.document()[len(b'{"keys":[') : -2]
    others = (
        b'{"kty":"oct","kid":"one","k":"c2VjcmV0"},{"kty":"OKP","crv":"X25519","x":"AA"},{"kty":"RSA"},7,'
        b'{"kty":"RSA","use":"enc","kid":"e","n":"AQAB","e":"AQAB"},'
    )
    issuer.answer = (200, b'{"keys":[' + others + ours + b"]}")
    assert (await verifier.verify(issuer.token("one", sub="u"))).user_id == "u"


async def test_what_pretends_to_be_of_the_issuer_is_refused(verifier: Verifier, issuer: Issuer) -> None:
    await verifier.verify(issuer.token("one", sub="u"))
    claims = {"sub": "u", "iss": issuer.name, "exp": 4_000_000_000}
    kid = {"kid": "one"}
    # PyJWT will not sign with a public key as a secret, so this one is put together by hand, as an attacker does.
    confused = _signed_by_hand(claims, kid, issuer.pem("one"))
    issuer.add("hidden")
    issuer.published.remove("hidden")
    await refused(verifier, confused)
    await refused(verifier, jwt.encode(claims, "", "none", headers=kid))
    await refused(verifier, jwt.encode(claims, issuer.keys["one"], "RS512", headers=kid))
    await refused(verifier, issuer.token("hidden", sub="u", header=kid))
    await refused(verifier, issuer.token("one", sub="u", iss="http://somebody.example"))
    await refused(verifier, issuer.token("one", sub="u", aud="another service"))
    assert (await refused(verifier, issuer.token("one", sub="u", lifetime=-60))).expired


def _signed_by_hand(claims: dict[str, Any], header: dict[str, Any], secret: bytes) -> str:
    def text(part: bytes) -> str:
        return base64.urlsafe_b64encode(part).rstrip(b"=").decode()

    body = f"{text(orjson.dumps(header | {'alg': 'HS256', 'typ': 'JWT'}))}.{text(orjson.dumps(claims))}"
    return f"{body}.{text(hmac.new(secret, body.encode(), hashlib.sha256).digest())}"
