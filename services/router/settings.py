"""Settings of the router."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from libs.runtime.settings import ChannelSettings, ServiceSettings
from libs.runtime.settings import Settings as Base
from libs.schemas.retention import checked
from libs.sealing.settings import SealingSettings
from services.router.domain.audience import AudienceRules

_TOPIC = re.compile(r"^[A-Za-z0-9._-]{1,249}$")


class AudienceSettings(Base):
    """What the audience rules are told: the names by which they find people."""

    alert_roles: Annotated[tuple[str, ...], NoDecode] = Field(
        ("admin", "owner"), description="who gets an organisation's alerts: roles in it, separated by commas"
    )
    system_org: str = Field("system-org", min_length=1, description="the organisation that means the system admins")
    system_admin_role: str = Field("system-admin", min_length=1, description="the tenant's role of its system admins")
    forward_topics: Annotated[dict[str, str], NoDecode] = Field(
        default_factory=dict, description="where `service` and `queue` recipients may go: name=topic,name=topic"
    )

    @field_validator("alert_roles", mode="before")
    @classmethod
    def _split_roles(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("forward_topics", mode="before")
    @classmethod
    def _split_topics(cls, value: object) -> object:
        if not isinstance(value, str):
            return value
        pairs = [part.strip().partition("=") for part in value.split(",") if part.strip()]
        for name, _, topic in pairs:
            if not name or not _TOPIC.fullmatch(topic):
                raise ValueError(f"expected name=topic, got {name!r}={topic!r}")
        return {name: topic for name, _, topic in pairs}

    @property
    def audience_rules(self) -> AudienceRules:
        """What the audience is resolved by."""
        return AudienceRules(frozenset(self.alert_roles), self.system_org, self.system_admin_role, self.forward_topics)


class Settings(ServiceSettings, ChannelSettings, SealingSettings, AudienceSettings):
    """`CARILLON_` variables of the router. Times are seconds."""

    http_port: int = Field(3003, ge=1, le=65535)
    router_audience_limit: int = Field(5_000, ge=1, le=10_000, description="personal rooms that a rule may resolve to")
    router_batch_records: int = Field(500, ge=1, description="events in a transaction, at most")
    router_bulk_records: int = Field(50, ge=1, description="the same for the bulk lane")
    router_batch_bytes: int = Field(4 * 1024 * 1024, ge=1, description="and their bytes")
    router_buffer_records: int = Field(4_096, ge=1, description="events in memory, or four batches")
    router_buffer_bytes: int = Field(16 * 1024 * 1024, ge=1, description="and their bytes")
    router_expansion_page: int = Field(500, ge=1, description="people of a group who are decided in a transaction")
    router_expansion_interval: float = Field(2.0, gt=0, description="how often expansions of others are looked for")
    router_stall_limit: float = Field(60.0, gt=0, description="how long offsets may stand still while there is work")
    offline_grace: float = Field(30.0, ge=0, description="how long who is to be emailed only when away may come back")
    router_due_interval: float = Field(
        0.5, gt=0, description="how often scheduled, collected and cancelled work is looked for"
    )
    retention_days: int = Field(
        90,
        ge=0,
        description="how long notifications are kept, where their tenant does not say; 0: for good",
    )
    audit_days: int = Field(400, ge=0, description="how long the audit trail is kept; 0: for good")
    retention_interval: float = Field(3600.0, gt=0, description="how often what is older is looked for")
    retention_rows: int = Field(1_000, ge=10, le=10_000, description="rows that are removed in a transaction, about")
    delivery_grace: float = Field(30.0, gt=0, description="when delivery looks for work that Kafka did not bring")

    @field_validator("retention_days", "audit_days")
    @classmethod
    def _long_enough(cls, days: int) -> int:
        return checked(days)
