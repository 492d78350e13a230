"""What ingest needs to be told, beyond what every service does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from libs.auth.settings import TokenRules
from libs.runtime.settings import ServiceSettings

Names = Annotated[frozenset[str], NoDecode]


class IngestSettings(ServiceSettings, TokenRules):
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

    @field_validator("platform_roles", "noti_tenants", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(part.strip() for part in value.split(",") if part.strip())
        return value
