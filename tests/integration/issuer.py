"""An issuer of tokens with a key set of its own: it rotates, fails, is slow and lies when told to."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from devstack.ports import free_port
from libs.http.server import serving
from libs.runtime.clock import utc_now

Private = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass
class Issuer:
    """`published` are the ids of the keys that its set holds; `asked` counts requests.

    `answer` is sent instead of the set when it is not None; nothing is sent until `slow` is set when it is not None.
    """

    port: int
    keys: dict[str, Private] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)
    answer: tuple[int, bytes] | None = None
    slow: asyncio.Event | None = None
    asked: int = 0

    @property
    def name(self) -> str:
        """What stands in `iss`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Of its key set."""
        return f"{self.name}/keys"

    def add(self, key_id: str, algorithm: str = "RS256") -> None:
        """Makes a key and publishes it."""
        made: Private
        if algorithm == "RS256":
            made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        else:
            made = ec.generate_private_key(ec.SECP256R1())
        self.keys[key_id] = made
        self.published.append(key_id)

    def token(
        self, key_id: str, *, lifetime: float = 3600.0, header: dict[str, Any] | None = None, **claims: Any
    ) -> str:
        """Signed with one of its keys, whether that is published or not."""
        key, now = self.keys[key_id], utc_now()
        algorithm = "RS256" if isinstance(key, rsa.RSAPrivateKey) else "ES256"
        given = {"iss": self.name, "iat": now, "exp": now + timedelta(seconds=lifetime)} | claims
        return jwt.encode(given, key, algorithm, headers={"kid": key_id} if header is None else header)

    def pem(self, key_id: str) -> bytes:
        """A public key as text."""
        return self.keys[key_id].public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def document(self) -> bytes:
        """The key set."""
        return orjson.dumps({"keys": [_listed(key_id, self.keys[key_id]) for key_id in self.published]})

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        self.asked += 1
        status, body = self.answer or (200, self.document())
        await send({"type": "http.response.start", "status": status, "headers": [(b"connection", b"close")]})
        if self.slow is not None:
            await self.slow.wait()
        await send({"type": "http.response.body", "body": body})


def _listed(key_id: str, key: Private) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPrivateKey):
        return RSAAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id, "use": "sig"}
    return ECAlgorithm.to_jwk(key.public_key(), as_dict=True) | {"kid": key_id, "alg": "ES256"}


@contextlib.asynccontextmanager
async def issuing(port: int | None = None) -> AsyncIterator[Issuer]:
    """A running issuer with one RS256 key, `one`."""
    issuer = Issuer(free_port() if port is None else port)
    issuer.add("one")
    async with serving(issuer, "127.0.0.1", issuer.port):
        yield issuer
        if issuer.slow is not None:
            issuer.slow.set()
