"""The gateway's settings, validated once at start; an error names the variable."""

from __future__ import annotations

from datetime import timedelta
from ipaddress import IPv4Network, IPv6Network
from typing import Annotated, Literal

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import NoDecode

from libs.auth.settings import TokenRules
from libs.outbound.settings import EgressSettings
from libs.runtime.settings import ServiceSettings
from libs.sealing.settings import SealingSettings
from services.gateway.domain.acknowledging import Patience
from services.gateway.domain.dialects.internal import Internal
from services.gateway.domain.dialects.marketplace import Marketplace
from services.gateway.domain.limits import Bounds, Rate
from services.gateway.live_settings import LiveRules
from services.gateway.rest_settings import RestRules


class Settings(ServiceSettings, TokenRules, LiveRules, RestRules, EgressSettings, SealingSettings):
    """Times are seconds."""

    http_port: int = Field(3002, ge=1, le=65535)
    extra_port: int | None = Field(None, ge=1, le=65535, description="a second port with the same routes (development)")
    jwt_secret: SecretStr = Field(description="HMAC key of HS256 tokens, and of the ids that the gateway hands out")
    token_warning: float = Field(60.0, ge=0, description="how long before a token is over its socket is told so")
    ingest_url: str = Field("http://127.0.0.1:3001", pattern=r"^https?://[^/]+$")
    cors_origins: Annotated[tuple[str, ...], NoDecode] = Field((), description="origins, with commas; * is any")

    slot_lease: float = Field(15.0, gt=0)
    slot_heartbeat: float = Field(3.0, gt=0)
    gap_patience: float = Field(0.03, ge=0, description="how long a missing entry is waited for before it is fetched")
    heads_interval: float = Field(3.0, gt=0, description="how often heads and membership versions are compared")
    interest_batch: float = Field(0.005, ge=0, description="how long first joins are collected")
    interest_linger: float = Field(10.0, ge=0, description="how long a log is followed after the last one left")

    room_memory: int = Field(64, ge=1, description="entries of each live log kept in memory")
    resume_limit: int = Field(1_000, ge=1, description="missed entries over which a client fetches anew instead")
    catch_up_limit: int = Field(100, ge=0, description="entries for a client without a position")
    connect_timeout: float = Field(10.0, gt=0)
    connect_concurrency: int = Field(1_000, ge=1, description="sockets that may be connecting at once")
    transport: Literal["fanout", "stock"] = Field("fanout", description="stock: plain python-socketio, for comparison")
    slow_bytes: int = Field(1_000_000, ge=1, description="bytes that may wait for one socket before it is closed")
    socket_message_bytes: int = Field(100_000, ge=1_000, description="of the largest message of a client")
    join_timeout: float = Field(45.0, gt=0, description="for a connection to join a namespace")
    handshake_timeout: float = Field(10.0, gt=0, description="for the head of a connection's request to arrive")
    ping_interval: float = Field(25.0, gt=0)
    ping_timeout: float = Field(20.0, gt=0)
    confirm_interval: float = Field(5.0, gt=0, description="how often an extra ping asks for what was sent")
    delivered_interval: float = Field(1.0, gt=0, description="how often delivered watermarks are written")
    repeat_interval: float = Field(5.0, gt=0, description="how often what was not acknowledged is looked through")
    repeat_after: Annotated[tuple[float, ...], NoDecode] = Field(
        (60.0, 300.0, 900.0), description="how long after it was sent something that is not acknowledged is sent again"
    )
    failed_after: float = Field(1_200.0, gt=0, description="after which what nobody confirmed counts as failed")
    drain_window: float = Field(5.0, ge=0, description="over how long a stopping gateway closes its sockets")
    reconnect_spread: float = Field(5.0, ge=0, description="over how long clients of a stopping gateway come back")

    events_window: float = Field(5.0, gt=0, description="over which client events of the marketplace dialect count")
    events_limit: int = Field(10, ge=1, description="client events in that window")
    events_per_minute: int = Field(1_000, ge=1, description="client events of a socket in every other dialect")
    told_window: float = Field(60.0, gt=0, description="over which what the internal module's sockets are told counts")
    told_limit: int = Field(1_000, ge=1, description="notifications in that window; what is over it comes as one batch")
    connections_per_user: int = Field(100, ge=0, description="at one gateway, as the next two; 0 is any number")
    connections_per_tenant: int = Field(10_000, ge=0)
    connections_per_address: int = Field(1_000, ge=0)
    ban_seconds: float = Field(60.0, gt=0, description="how long the first ban lasts; each next one twice as long")
    ban_longest: float = Field(3_600.0, gt=0)
    trusted_proxies: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="networks whose X-Forwarded-For is believed"
    )

    heartbeat_interval: float = Field(30.0, gt=0, description="between heartbeat events of the marketplace dialect")

    postgres_pool: int = Field(10, ge=2)

    @field_validator("cors_origins", "trusted_proxies", "repeat_after", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    def bounds(self) -> Bounds:
        """For the Limiter."""
        return Bounds(
            connections={
                "user": self.connections_per_user,
                "tenant": self.connections_per_tenant,
                "address": self.connections_per_address,
            },
            heard={Marketplace.namespace: Rate(self.events_limit, self.events_window)},
            otherwise=Rate(self.events_per_minute, 60.0),
            shortest=self.ban_seconds,
            longest=self.ban_longest,
        )

    def told(self) -> dict[str, Rate]:
        """What a socket may be told, by namespace of its dialect; others have no limit."""
        return {Internal.namespace: Rate(self.told_limit, self.told_window)}

    def patience(self) -> Patience:
        """With sockets that acknowledge."""
        again = tuple(timedelta(seconds=seconds) for seconds in sorted(self.repeat_after))
        return Patience(again, timedelta(seconds=self.failed_after))
