"""Settings of APNs: a signing key and whose it is."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, HttpUrl, ValidationInfo, field_validator

from libs.runtime.settings import Settings


class ApnsSettings(Settings):
    """`CARILLON_APNS_` variables."""

    apns_key_id: str | None = Field(None, description="the signing key's id")
    apns_team_id: str | None = None
    apns_topic: str | None = Field(None, description="the application's bundle id")
    apns_key_file: Path | None = Field(None, description="the signing key, a .p8 file")
    apns_url: HttpUrl = Field(HttpUrl("https://api.push.apple.com/"), description="or the sandbox's")

    @field_validator("apns_key_file")
    @classmethod
    def _is_complete(cls, value: Path | None, info: ValidationInfo) -> Path | None:
        if value is not None and not all(info.data.get(f"apns_{name}") for name in ("key_id", "team_id", "topic")):
            raise ValueError("needs CARILLON_APNS_KEY_ID, CARILLON_APNS_TEAM_ID and CARILLON_APNS_TOPIC")
        return value
