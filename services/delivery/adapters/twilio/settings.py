"""Settings of Twilio: the account, and who the sender is."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, HttpUrl, SecretStr, ValidationInfo, field_validator

from libs.runtime.settings import Settings


class TwilioSettings(Settings):
    """`CARILLON_TWILIO_` variables."""

    twilio_token: SecretStr | None = Field(None, description="the account's auth token")
    twilio_token_file: Path | None = Field(None, description="read instead of CARILLON_TWILIO_TOKEN")
    twilio_account: str | None = Field(None, pattern=r"^AC[0-9a-zA-Z]{32}$", description="the account's SID")
    twilio_from: str | None = Field(None, description="a number, a sender's name, or a messaging service (MG…)")
    twilio_url: HttpUrl = HttpUrl("https://api.twilio.com/")

    @field_validator("twilio_account")
    @classmethod
    def _has_a_token(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value and not (info.data.get("twilio_token") or info.data.get("twilio_token_file")):
            raise ValueError("needs CARILLON_TWILIO_TOKEN or CARILLON_TWILIO_TOKEN_FILE")
        return value

    @property
    def token(self) -> str:
        """The token, read anew: the file may have been replaced. Raises OSError."""
        if self.twilio_token_file is not None:
            return self.twilio_token_file.read_text().strip()
        return self.twilio_token.get_secret_value() if self.twilio_token else ""
