"""Typed settings from `CARILLON_` variables, validated once; the error names the variable."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal, NoReturn, Self, TypeVar

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SecretsSettingsSource,
    SettingsConfigDict,
)

from libs.runtime.legacy import LegacyNames, spelled
from libs.runtime.published import is_published
from libs.schemas.events import Channel

PREFIX = "CARILLON_"
EXIT_BAD_SETTINGS = 2
#: Where Docker puts secrets, and the manifests of Kubernetes too: a file for a variable, by the variable's name.
SECRETS = Path("/run/secrets")

S = TypeVar("S", bound=BaseSettings)


class Settings(BaseSettings):
    """The base of all: `CARILLON_` variables, then `.env`, SECRETS, and the old names of libs/runtime/legacy.py."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Old names come last."""
        files = [SecretsSettingsSource(settings_cls, SECRETS)] if SECRETS.is_dir() else []
        del file_secret_settings  # has no directory
        return init_settings, env_settings, dotenv_settings, *files, LegacyNames(settings_cls)


class ServiceSettings(Settings):
    """What every service needs to be told. A service adds its own fields in a subclass."""

    environment: Literal["development", "production"] = "production"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    kafka_bootstrap: str = Field(min_length=1, description="host:port[,host:port…] of the Kafka brokers")
    kafka_topic_prefix: str = Field("", description="put before every topic and consumer group name")
    postgres_dsn: str = Field(pattern=r"^postgres(ql)?://", description="DSN of the PostgreSQL database")
    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=1, le=65535)
    shutdown_timeout: float = Field(20.0, gt=0, description="seconds a graceful stop may take")

    @model_validator(mode="after")
    def _has_secrets_of_its_own(self) -> Self:
        for name in type(self).model_fields if self.environment == "production" else ():
            value = getattr(self, name)
            if isinstance(value, SecretStr) and is_published(value.get_secret_value()):
                advice = "make your own, or set CARILLON_ENVIRONMENT=development"
                raise ValueError(f"{spelled(name, PREFIX)} is published with the source: {advice}")
        return self


class ChannelSettings(Settings):
    """What the router, which plans, and delivery, which sends, are told alike."""

    channels: Annotated[tuple[Channel, ...], NoDecode] = Field(
        ("email", "webhook", "slack", "discord", "teams"),
        min_length=1,
        description="the external channels in use, separated by commas: push and sms once a provider is set",
    )

    @field_validator("channels", mode="before")
    @classmethod
    def _split_channels(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("channels")
    @classmethod
    def _are_external(cls, value: tuple[Channel, ...]) -> tuple[Channel, ...]:
        if "in-app" in value:
            raise ValueError("in-app is always there and not among them")
        return value


def load(cls: type[S], **overrides: Any) -> S:
    """The settings from the environment; exits with status 2 and one line a fault when they are wrong."""
    try:
        return cls(**overrides)
    except ValidationError as error:
        _refuse(error)


def refuse(reason: str) -> NoReturn:
    """Ends the process as a wrong setting does, with a line that says what is wrong."""
    print(reason, file=sys.stderr)
    sys.exit(EXIT_BAD_SETTINGS)


def _refuse(error: ValidationError) -> NoReturn:
    for fault in error.errors():
        said = "is not set" if fault["type"] == "missing" else f"is wrong: {fault['msg']}"
        # A fault that lies in no single setting names the variables itself.
        name = spelled("_".join(str(part) for part in fault["loc"]), PREFIX) if fault["loc"] else "The environment"
        print(f"{name} {said}", file=sys.stderr)
    sys.exit(EXIT_BAD_SETTINGS)
