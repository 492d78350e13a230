"""What ingest needs to be told, beyond what every service does."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from libs.auth.links import LinkSettings
from libs.auth.settings import TokenRules
from libs.runtime.settings import ServiceSettings, Settings

Names = Annotated[frozenset[str], NoDecode]


class IngestSettings(ServiceSettings, LinkSettings, TokenRules):
    """Lists are separated by commas. Without a secret or issuers of tokens only API keys work."""

    http_port: int = Field(3001, ge=1, le=65535)
    platform_roles: Names = Field(
        frozenset({"platform.admin"}), description="roles in a token that may act for every tenant"
    )
    default_tenant: str = Field("default", min_length=1, description="whose an event of `noti` is that names no tenant")
    noti_tenants: Names = Field(frozenset({"*"}), description="tenants that `noti` and `directory` may name; * for all")
    publish_timeout: float = Field(3.0, gt=0, le=60, description="seconds until an HTTP caller is told 503")
    rate_limit: float = Field(5_000.0, ge=0, description="events a second for each caller over HTTP; 0 for no limit")
    rate_burst: int = Field(20_000, ge=1, description="events that a caller may send at once")
    tenant_rate: float = Field(
        2_000.0, gt=0, description="a tenant's share: over so many events a second it goes by the bulk lane"
    )
    tenant_burst: int = Field(10_000, ge=1, description="events of a tenant at once that are within its share")
    wait_limit: int = Field(500, ge=0, description="notifications whose callers may wait for the result at once")

    @field_validator("platform_roles", "noti_tenants", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(part.strip() for part in value.split(",") if part.strip())
        return value


class CallbackSettings(Settings):
    """Whose call-backs are taken: the account's of CARILLON_TWILIO_TOKEN, and of these SNS topics."""

    twilio_token: SecretStr | None = Field(None, description="the account's auth token: it signs call-backs")
    twilio_token_file: Path | None = Field(None, description="read instead of CARILLON_TWILIO_TOKEN")
    ses_topics: Annotated[tuple[str, ...], NoDecode] = Field(
        (), description="ARNs of the SNS topics by which SES tells of bounces and complaints"
    )

    @field_validator("ses_topics", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @property
    def token(self) -> str | None:
        """Twilio's token, read anew: the file may have been replaced. Raises OSError."""
        if self.twilio_token_file is not None:
            return self.twilio_token_file.read_text().strip()
        return self.twilio_token.get_secret_value() if self.twilio_token else None
