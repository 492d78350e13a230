"""Settings of Amazon SNS: the region, and whose requests they are."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, HttpUrl, SecretStr, ValidationInfo, field_validator

from libs.runtime.settings import Settings
from services.delivery.adapters.aws.signing import AccessKey


class SnsSettings(Settings):
    """`CARILLON_SNS_` variables."""

    sns_region: str | None = Field(None, pattern=r"^[a-z0-9-]+$", description="such as eu-central-1")
    sns_secret: SecretStr | None = Field(None, description="the secret access key")
    sns_secret_file: Path | None = Field(None, description="read instead of CARILLON_SNS_SECRET")
    sns_key_id: str | None = Field(None, description="the access key's id; by default what the machine has")
    sns_sender: str | None = Field(None, pattern=r"^[A-Za-z0-9]{1,11}$", description="a sender's name, where allowed")
    sns_url: HttpUrl | None = Field(None, description="the region's own by default")

    @field_validator("sns_key_id")
    @classmethod
    def _has_a_secret(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not (info.data.get("sns_secret") or info.data.get("sns_secret_file")):
            raise ValueError("needs CARILLON_SNS_SECRET or CARILLON_SNS_SECRET_FILE")
        return value

    @property
    def url(self) -> str:
        """Where requests go, with a slash at its end."""
        return str(self.sns_url or f"https://sns.{self.sns_region}.amazonaws.com/")

    @property
    def key(self) -> AccessKey | None:
        """Raises OSError."""
        if not self.sns_key_id:
            return None
        if self.sns_secret_file is not None:
            return AccessKey(self.sns_key_id, self.sns_secret_file.read_text().strip())
        return AccessKey(self.sns_key_id, self.sns_secret.get_secret_value() if self.sns_secret else "")
