"""Settings of Web Push: our key, and who we are."""

from __future__ import annotations

import base64
import binascii
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey, derive_private_key
from pydantic import Field, SecretStr

from libs.runtime.settings import Settings


class WebPushSettings(Settings):
    """`CARILLON_WEBPUSH_` variables."""

    webpush_key: SecretStr | None = Field(None, description="VAPID private key: 32 bytes in base64url")
    webpush_key_file: Path | None = Field(None, description="read instead of CARILLON_WEBPUSH_KEY")
    webpush_subject: str = Field(
        "mailto:carillon@localhost", pattern=r"^(mailto:|https://)", description="whom push services may write to"
    )

    @property
    def configured(self) -> bool:
        """Whether there is a key."""
        return self.webpush_key is not None or self.webpush_key_file is not None

    def key(self) -> EllipticCurvePrivateKey:
        """The key. Raises ValueError when it is none."""
        given = self.webpush_key.get_secret_value() if self.webpush_key else ""
        text = self.webpush_key_file.read_text().strip() if self.webpush_key_file else given
        try:
            raw = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        except binascii.Error:
            raise ValueError("CARILLON_WEBPUSH_KEY is not base64url") from None
        if len(raw) != 32:
            raise ValueError("CARILLON_WEBPUSH_KEY must be 32 bytes in base64url")
        return derive_private_key(int.from_bytes(raw, "big"), SECP256R1())
