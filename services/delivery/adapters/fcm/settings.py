"""Settings of Firebase Cloud Messaging: a service account's credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
from google.oauth2.service_account import Credentials
from pydantic import Field, HttpUrl
from pydantic_settings import BaseSettings, SettingsConfigDict

_SCOPE = "https://www.googleapis.com/auth/firebase.messaging"


class FcmSettings(BaseSettings):
    """`CARILLON_FCM_` variables."""

    model_config = SettingsConfigDict(env_prefix="CARILLON_", env_file=".env", extra="ignore", frozen=True)

    fcm_credentials_file: Path | None = Field(None, description="a service account's JSON file")
    fcm_url: HttpUrl = Field(HttpUrl("https://fcm.googleapis.com/"), description="where messages are sent to")

    @property
    def credentials(self) -> Credentials | None:
        """The service account. Raises OSError or ValueError when the file is none."""
        if self.fcm_credentials_file is None:
            return None
        return service_account(orjson.loads(self.fcm_credentials_file.read_bytes()))


def service_account(information: dict[str, Any]) -> Credentials:
    """What Google's JSON file says, for sending messages. Raises ValueError."""
    made: Credentials = Credentials.from_service_account_info(information, scopes=[_SCOPE])
    if not made.project_id:
        raise ValueError("the service account names no project")
    return made
