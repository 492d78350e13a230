"""What ingest needs to be told, beyond what every service does."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from libs.auth.tokens import ADMIN_ROLES, MIN_SECRET_BYTES
from libs.runtime.settings import ServiceSettings

Names = Annotated[frozenset[str], NoDecode]


class IngestSettings(ServiceSettings):
    """Lists are separated by commas."""

    http_port: int = Field(3001, ge=1, le=65535)
    jwt_secret: SecretStr | None = Field(
        None, description="key of administrators' tokens; without it only API keys work"
    )
    admin_roles: Names = Field(
        ADMIN_ROLES,
        description="roles in a token that may publish and administer in the token's tenant",
    )
    platform_roles: Names = Field(
        frozenset({"platform.admin"}), description="roles in a token that may act for every tenant"
    )
    default_tenant: str = Field("default", min_length=1, description="whose an event of `noti` is that names no tenant")
    noti_tenants: Names = Field(frozenset({"*"}), description="tenants that `noti` and `directory` may name; * for all")
    publish_timeout: float = Field(3.0, gt=0, le=60, description="seconds until an HTTP caller is told 503")
    rate_limit: float = Field(5_000.0, ge=0, description="events a second for each caller over HTTP; 0 for no limit")
    rate_burst: int = Field(20_000, ge=1, description="events that a caller may send at once")

    @field_validator("admin_roles", "platform_roles", "noti_tenants", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        if isinstance(value, str):
            return frozenset(part.strip() for part in value.split(",") if part.strip())
        return value

    @field_validator("jwt_secret")
    @classmethod
    def _long_enough(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value().encode()) < MIN_SECRET_BYTES:
            raise ValueError(f"at least {MIN_SECRET_BYTES} bytes are needed")
        return value
