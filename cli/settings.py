"""What the commands must be told: the services' own variables, and only those that a command needs."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from pydantic import BeforeValidator, Field

from cli.domain import durations
from libs.auth.tokens import MIN_SECRET_BYTES
from libs.runtime.settings import Settings
from libs.sealing.settings import SealingSettings


def _duration(value: object) -> object:
    return durations.parse(value) if isinstance(value, str) else value


class TokenSettings(Settings):
    """To sign development tokens."""

    jwt_secret: str = Field(min_length=MIN_SECRET_BYTES, description="HMAC key of the tokens, as the gateway has it")
    jwt_expires_in: Annotated[timedelta, BeforeValidator(_duration)] = Field(
        timedelta(hours=8), description="how long they hold: 90s, 15m, 8h, 30d"
    )


class KafkaSettings(Settings):
    """To reach the topics."""

    kafka_bootstrap: str = Field(min_length=1, description="host:port[,host:port…] of the Kafka brokers")
    kafka_topic_prefix: str = Field("", description="put before every topic name")


class PostgresSettings(Settings):
    """To reach the database."""

    postgres_dsn: str = Field(pattern=r"^postgres(ql)?://", description="DSN of the PostgreSQL database")


class SealedSettings(PostgresSettings, SealingSettings):
    """To reach the data keys and open them."""


class StoresSettings(KafkaSettings, PostgresSettings):
    """To reach both."""


class HttpSettings(Settings):
    """To speak to the HTTP interface."""

    api_key: str = Field(min_length=1, description="an API key with the scope that the command needs")


class ApiSettings(Settings):
    """Where that is."""

    api_url: str = Field(pattern=r"^https?://", description="origin of ingest or gateway")
