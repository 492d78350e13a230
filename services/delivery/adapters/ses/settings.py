"""Settings of Amazon SES: the region, and whose requests they are."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, HttpUrl, SecretStr, ValidationInfo, field_validator

from libs.runtime.settings import Settings
from services.delivery.adapters.aws.signing import AccessKey


class SesSettings(Settings):
    """`CARILLON_SES_` variables. The sender is CARILLON_SMTP_FROM, as for SMTP."""

    ses_region: str | None = Field(None, pattern=r"^[a-z0-9-]+$", description="such as eu-central-1")
    ses_secret: SecretStr | None = Field(None, description="the secret access key")
    ses_secret_file: Path | None = Field(None, description="read instead of CARILLON_SES_SECRET")
    ses_key_id: str | None = Field(None, description="the access key's id; by default what the machine or pod has")
    ses_configuration_set: str | None = Field(None, pattern=r"^[A-Za-z0-9_-]{1,64}$", description="tells of bounces")
    ses_url: HttpUrl | None = Field(None, description="the region's own by default")

    @field_validator("ses_key_id")
    @classmethod
    def _has_a_secret(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not (info.data.get("ses_secret") or info.data.get("ses_secret_file")):
            raise ValueError("needs CARILLON_SES_SECRET or CARILLON_SES_SECRET_FILE")
        return value

    @property
    def url(self) -> str:
        """Where requests go, with a slash at its end."""
        return str(self.ses_url or f"https://email.{self.ses_region}.amazonaws.com/")

    @property
    def key(self) -> AccessKey | None:
        """Raises OSError."""
        if not self.ses_key_id:
            return None
        if self.ses_secret_file is not None:
            return AccessKey(self.ses_key_id, self.ses_secret_file.read_text().strip())
        return AccessKey(self.ses_key_id, self.ses_secret.get_secret_value() if self.ses_secret else "")
