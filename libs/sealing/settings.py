"""What a service that seals, or opens what was sealed, must be told."""

from __future__ import annotations

from pydantic import Field, SecretStr, field_validator

from libs.runtime.settings import Settings
from libs.sealing.masters import Masters


class SealingSettings(Settings):
    """The master keys."""

    sealing_keys: SecretStr = Field(
        description="master keys of sensitive data, 32 bytes in base64 each: the first for new ones, others still open"
    )

    @field_validator("sealing_keys")
    @classmethod
    def _are_keys(cls, value: SecretStr) -> SecretStr:
        Masters(value.get_secret_value())
        return value

    @property
    def masters(self) -> Masters:
        """For the Vault."""
        return Masters(self.sealing_keys.get_secret_value())
