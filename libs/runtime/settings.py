"""Typed settings from `CARILLON_` variables, validated once; the error names the variable."""

from __future__ import annotations

import sys
from typing import Any, Literal, NoReturn, TypeVar

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "CARILLON_"
EXIT_BAD_SETTINGS = 2

S = TypeVar("S", bound=BaseSettings)


class ServiceSettings(BaseSettings):
    """What every service needs to be told. A service adds its own fields in a subclass."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)

    environment: Literal["development", "production"] = "production"
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"] = "INFO"
    kafka_bootstrap: str = Field(min_length=1, description="host:port[,host:port…] of the Kafka brokers")
    kafka_topic_prefix: str = Field("", description="put before every topic and consumer group name")
    postgres_dsn: str = Field(pattern=r"^postgres(ql)?://", description="DSN of the PostgreSQL database")
    http_host: str = "127.0.0.1"
    http_port: int = Field(ge=1, le=65535)
    shutdown_timeout: float = Field(20.0, gt=0, description="seconds a graceful stop may take")


def load(cls: type[S], **overrides: Any) -> S:
    """The settings from the environment; exits with status 2 and one line a fault when they are wrong."""
    try:
        return cls(**overrides)
    except ValidationError as error:
        _refuse(error)


def _refuse(error: ValidationError) -> NoReturn:
    for fault in error.errors():
        name = PREFIX + "_".join(str(part) for part in fault["loc"]).upper()
        said = "is not set" if fault["type"] == "missing" else f"is wrong: {fault['msg']}"
        print(f"{name} {said}", file=sys.stderr)
    sys.exit(EXIT_BAD_SETTINGS)
