"""Settings of the HTTP routes and of event streams."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from libs.auth.tokens import ADMIN_ROLES
from libs.runtime.settings import Settings


class RestRules(Settings):
    """Times are seconds."""

    log_payload_roles: Annotated[frozenset[str], NoDecode] = Field(
        ADMIN_ROLES, description="administrators with one of these roles see contents in the log of notifications"
    )
    snooze_interval: float = Field(1.0, gt=0, description="how often what was snoozed is looked at")
    answers_interval: float = Field(5.0, gt=0, description="how often answers that Kafka has not are sent again")
    webpush_public_key: str | None = Field(None, description="what browsers subscribe with (applicationServerKey)")
    rest_rate: float = Field(20.0, ge=0, description="calls a second of one caller to the HTTP routes; 0 is no limit")
    rest_burst: int = Field(200, ge=1, description="calls of one caller at once")

    sse_heartbeat: float = Field(30.0, gt=0, description="between heartbeats that keep an event stream open")
    sse_cleanup: float = Field(300.0, gt=0, description="after which a stream that takes nothing is ended")
    sse_buffer: int = Field(1_000_000, ge=1_000, description="bytes that may wait for one stream before it is closed")

    @field_validator("log_payload_roles", mode="before")
    @classmethod
    def _roles(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
