"""Signed links that a person follows without logging in: to unsubscribe from what they were sent (RFC 8058), and the
picture that tells that a mail was opened.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import jwt
from pydantic import Field, HttpUrl, SecretStr, field_validator

from libs.auth.tokens import MIN_SECRET_BYTES
from libs.runtime.settings import Settings

_ALGORITHM = "HS256"
_AUDIENCE = "carillon:unsubscribe"  # a key that signs something else as well makes no such link by accident
_OPENED = "carillon:opened"  # nor does one link do what the other does
UNSUBSCRIBE = "/api/v1/unsubscribe/"
OPENS = "/api/v1/opens/"
CALLBACKS = "/api/v1/callbacks/"


@dataclass(frozen=True, slots=True)
class Unsubscribe:
    """Who wants no more of what: notifications of a type (catalogue key) on a channel.

    `address` is the `address_hash` of where it was sent: who left the directory may come back with it.
    """

    tenant: str
    user_id: str
    channel: str
    type: str
    delivery: UUID
    address: bytes | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A mail whose picture was fetched."""

    tenant: str
    delivery: UUID


class LinkSettings(Settings):
    """What those who make such links and those who take them are told alike."""

    api_url: HttpUrl | None = Field(
        None, description="the public origin: unsubscribe links, pictures and call-backs lead there"
    )
    link_secret: SecretStr | None = Field(None, description="signs these links; at least 32 bytes")
    link_secret_file: Path | None = Field(None, description="read instead of CARILLON_LINK_SECRET")

    @field_validator("link_secret")
    @classmethod
    def _link_secret_is_long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"at least {MIN_SECRET_BYTES} bytes are needed")
        return value

    @property
    def secret(self) -> str | None:
        """The key of links; without one there are none. Raises OSError."""
        if self.link_secret_file is not None:
            return self.link_secret_file.read_text().strip()
        return self.link_secret.get_secret_value() if self.link_secret else None

    @property
    def origin(self) -> str | None:
        """Without a slash at its end."""
        return str(self.api_url).rstrip("/") if self.api_url else None


def sign(asked: Unsubscribe, secret: str) -> str:
    """The last part of the link's path. It does not end: mail is read years later."""
    claims = {
        "aud": _AUDIENCE,
        "t": asked.tenant,
        "u": asked.user_id,
        "c": asked.channel,
        "k": asked.type,
        "d": asked.delivery.hex,
    }
    if asked.address is not None:
        claims["a"] = asked.address.hex()
    return jwt.encode(claims, secret, _ALGORITHM)


def address_hash(tenant: str, channel: str, address: str) -> bytes:
    """Of an email address; as the database's function of the same name, by which suppressions are found."""
    return sha256("\x1f".join((tenant, channel, address.strip(" ").lower())).encode()).digest()


def verify(token: str, secret: str) -> Unsubscribe | None:
    """What the link asks for, or None where it was not signed here."""
    try:
        found = jwt.decode(token, secret, [_ALGORITHM], audience=_AUDIENCE)
        address = bytes.fromhex(found["a"]) if "a" in found else None
        return Unsubscribe(
            str(found["t"]), str(found["u"]), str(found["c"]), str(found["k"]), UUID(found["d"]), address
        )
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError):
        return None


def sign_opened(opened: Opened, secret: str) -> str:
    """The last part of the picture's path."""
    return jwt.encode({"aud": _OPENED, "t": opened.tenant, "d": opened.delivery.hex}, secret, _ALGORITHM)


def verify_opened(token: str, secret: str) -> Opened | None:
    """Which mail it is, or None where the link was not signed here."""
    try:
        found = jwt.decode(token, secret, [_ALGORITHM], audience=_OPENED)
        return Opened(str(found["t"]), UUID(found["d"]))
    except (jwt.InvalidTokenError, KeyError, ValueError, TypeError, AttributeError):
        return None
