"""Settings of Firebase Cloud Messaging: a service account's credentials."""

from __future__ import annotations

from pathlib import Path

from pydantic import BaseModel, Field, HttpUrl, SecretStr

from libs.runtime.settings import Settings


class ServiceAccount(BaseModel):
    """What is needed of the JSON file that Google gives out."""

    project_id: str = Field(pattern=r"^[A-Za-z0-9:._-]+$")
    client_email: str
    private_key: SecretStr
    private_key_id: str | None = None
    token_uri: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address


class FcmSettings(Settings):
    """`CARILLON_FCM_` variables."""

    fcm_credentials_file: Path | None = Field(None, description="a service account's JSON file")
    fcm_url: HttpUrl = Field(HttpUrl("https://fcm.googleapis.com/"), description="where messages are sent to")

    @property
    def account(self) -> ServiceAccount | None:
        """The service account. Raises OSError or ValueError when the file is none."""
        if self.fcm_credentials_file is None:
            return None
        return ServiceAccount.model_validate_json(self.fcm_credentials_file.read_text())
