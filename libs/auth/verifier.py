"""Verifies tokens: HS256 by the shared secret, RS256 and ES256 by the keys of the issuer that the token names.

The algorithm chooses where the key comes from and nothing else does, so a public key is never tried as a secret.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

import httpx
import jwt
from jwt.algorithms import HMACAlgorithm

from libs.auth.claims import ClaimNames, identity
from libs.auth.jwks import ALGORITHMS, KeySet
from libs.auth.tokens import ALGORITHM, Identity, InvalidToken, strip_bearer


@dataclass(frozen=True, slots=True)
class Rules:
    """What a token must fulfil. Times are seconds.

    Args:
        secret: HMAC key; None takes no HS256.
        issuer: which HS256 tokens must name; None takes any.
        audience: of which a token must name one. Without any, tokens that name an audience are refused (RFC 7519).
        issuers: URL of the key set (JWKS) by issuer, for RS256 and ES256.
    """

    secret: str | None = None
    issuer: str | None = None
    audience: Sequence[str] = ()
    leeway: float = 5.0
    issuers: Mapping[str, str] = field(default_factory=dict)
    claims: ClaimNames = field(default_factory=ClaimNames)
    keys_lifetime: float = 300.0
    keys_pause: float = 10.0


class Verifier:
    """Close it at the end: it holds connections to issuers."""

    def __init__(self, rules: Rules, clock: Callable[[], float] = time.monotonic) -> None:
        self._rules = rules
        # Environment proxies are not for issuers, and a redirect may not lead to another's keys.
        self._client = httpx.AsyncClient(trust_env=False, follow_redirects=False)
        times = {"lifetime": rules.keys_lifetime, "pause": rules.keys_pause}
        self._keys = {issuer: KeySet(url, self._client, clock, **times) for issuer, url in rules.issuers.items()}
        self._audience = list(rules.audience) or None
        self._secret = None if rules.secret is None else _prepared(rules.secret)

    async def verify(self, token: str) -> Identity:
        """The identity of a token. Raises InvalidToken, or KeysUnavailable when its issuer cannot be asked."""
        token = strip_bearer(token)
        try:
            header = _header(token.partition(".")[0])
            algorithm = header.get("alg")
            if algorithm == ALGORITHM:
                claims = self._decode(token, self._secret_key(), algorithm, self._rules.issuer)
            elif isinstance(algorithm, str) and algorithm in ALGORITHMS:
                claims = await self._by_issuer(token, algorithm, header.get("kid"))
            else:
                raise InvalidToken("the token is signed with an algorithm that is not taken")
        except jwt.ExpiredSignatureError:
            raise InvalidToken("the token has expired", expired=True) from None
        except (jwt.PyJWTError, ValueError) as error:
            raise InvalidToken(str(error)) from None
        return identity(claims, self._rules.claims)

    async def close(self) -> None:
        """Gives the connections back."""
        for keys in self._keys.values():
            await keys.close()
        await self._client.aclose()

    def _secret_key(self) -> jwt.PyJWK:
        if self._secret is None:
            raise InvalidToken(f"{ALGORITHM} is not taken here")
        return self._secret

    async def _by_issuer(self, token: str, algorithm: str, key_id: Any) -> dict[str, Any]:
        issuer = jwt.decode(token, options={"verify_signature": False}).get("iss")
        keys = self._keys.get(issuer) if isinstance(issuer, str) else None
        if keys is None:
            raise InvalidToken("the token's issuer is not known")
        key = await keys.find(key_id if isinstance(key_id, str) else None, algorithm)
        if key is None:
            raise InvalidToken("the token's key is not known to its issuer")
        return self._decode(token, key, algorithm, issuer)

    def _decode(self, token: str, key: jwt.PyJWK, algorithm: str, issuer: str | None) -> dict[str, Any]:
        return jwt.decode(
            token,
            key,
            algorithms=[algorithm],
            audience=self._audience,
            issuer=issuer,
            leeway=self._rules.leeway,
            options={"require": ["exp"]},
        )


@lru_cache(256)
def _header(segment: str) -> Mapping[str, Any]:
    """What a token says of itself: read once for all tokens that an issuer made alike. Decoding checks it again."""
    return jwt.get_unverified_header(segment + "..")


class _Hmac(HMACAlgorithm):
    """HMAC with a key that has been looked at: the library looks for public keys in it with every token."""

    def prepare_key(self, key: str | bytes) -> bytes:
        """The key as it is."""
        return key.encode() if isinstance(key, str) else key


def _prepared(secret: str) -> jwt.PyJWK:
    """Raises InvalidKeyError for a secret that is a public key."""
    encoded = base64.urlsafe_b64encode(HMACAlgorithm(HMACAlgorithm.SHA256).prepare_key(secret)).rstrip(b"=")
    key = jwt.PyJWK({"kty": "oct", "k": encoded.decode()}, ALGORITHM)
    key.Algorithm = _Hmac(HMACAlgorithm.SHA256)
    return key
