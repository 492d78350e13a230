"""What the commands must be told: the services' own variables, and only those that a command needs."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from libs.auth.tokens import MIN_SECRET_BYTES
from libs.runtime.settings import PREFIX


class CliSettings(BaseSettings):
    """The base: read from the environment and from `.env`."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_file=".env", extra="ignore", frozen=True)


class TokenSettings(CliSettings):
    """To sign development tokens."""

    jwt_secret: str = Field(min_length=MIN_SECRET_BYTES, description="HMAC key of the tokens, as the gateway has it")


class KafkaSettings(CliSettings):
    """To reach the topics."""

    kafka_bootstrap: str = Field(min_length=1, description="host:port[,host:port…] of the Kafka brokers")
    kafka_topic_prefix: str = Field("", description="put before every topic name")


class PostgresSettings(CliSettings):
    """To reach the database."""

    postgres_dsn: str = Field(pattern=r"^postgres(ql)?://", description="DSN of the PostgreSQL database")


class StoresSettings(KafkaSettings, PostgresSettings):
    """To reach both."""


class HttpSettings(CliSettings):
    """To publish over HTTP."""

    api_key: str = Field(min_length=1, description="an API key with the scope events:write")
