"""Settings of the delivery service. Each provider has settings of its own in its folder."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, HttpUrl, ValidationInfo, field_validator
from pydantic.alias_generators import to_camel
from pydantic_settings import NoDecode

from libs.auth.links import LinkSettings
from libs.runtime.settings import ChannelSettings, ServiceSettings
from libs.schemas.events import Channel
from libs.sealing.settings import SealingSettings
from services.delivery.domain.retry import Backoff, RetryPolicy


class ChannelTuning(BaseModel):
    """What one channel has of its own; what is left out is as for all. Rates are per process; 0 is no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True)

    concurrency: int | None = Field(None, ge=1, le=1_000)
    max_attempts: int | None = Field(None, ge=1, le=100)
    retry_base: float | None = Field(None, gt=0)
    retry_cap: float | None = Field(None, gt=0)
    per_second: float = Field(0.0, ge=0)
    per_tenant_second: float = Field(0.0, ge=0)


class Settings(ServiceSettings, ChannelSettings, LinkSettings, SealingSettings):
    """`CARILLON_` variables of the service. Times are seconds."""

    http_port: int = Field(3004, ge=1, le=65535)
    public_url: HttpUrl | None = Field(None, description="where relative action links of notifications lead")
    delivery_concurrency: int = Field(16, ge=1, le=1_000, description="calls to a provider at once, per process")
    delivery_lease: float = Field(60.0, ge=1, description="how long a claim holds without news of its holder")
    delivery_timeout: float | None = Field(None, gt=0, description="for one whole call; half of the lease by default")
    delivery_scan_interval: float = Field(1.0, gt=0, description="how often due work is looked for")
    delivery_max_attempts: int = Field(10, ge=1, le=100)
    delivery_retry_base: float = Field(5.0, gt=0, description="the first retry comes within this time")
    delivery_retry_cap: float = Field(1_800.0, gt=0, description="a retry waits no longer than this")
    delivery_rest_cap: float = Field(60.0, gt=0, description="an overloaded provider rests no longer than this")
    delivery_tuning: dict[Channel, ChannelTuning] = Field(
        default_factory=dict, description='JSON by channel, such as {"sms": {"perSecond": 10, "maxAttempts": 3}}'
    )
    sms_senders: dict[str, str] = Field(
        default_factory=dict, description='JSON by the start of numbers, such as {"+49": "Carillon"}'
    )
    email_providers: Annotated[tuple[Literal["smtp", "ses"], ...], NoDecode] = Field(
        ("smtp",), min_length=1, description="who sends mail: the next one where one cannot"
    )
    sms_providers: Annotated[tuple[Literal["twilio", "sns"], ...], NoDecode] = Field(
        ("twilio",), min_length=1, description="who sends text messages: the next one where one cannot"
    )
    sms_max_segments: int = Field(4, ge=1, le=10, description="a longer text is cut")

    @field_validator("email_providers", "sms_providers", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @field_validator("delivery_timeout")
    @classmethod
    def _ends_before_the_lease(cls, value: float | None, info: ValidationInfo) -> float | None:
        if value is not None and value >= 0.9 * info.data.get("delivery_lease", 0.0):
            raise ValueError("must be shorter than nine tenths of CARILLON_DELIVERY_LEASE")
        return value

    @property
    def call_timeout(self) -> float:
        """Seconds that one call to a provider may take."""
        return self.delivery_timeout or min(30.0, self.delivery_lease / 2)

    def tuning(self, channel: str) -> ChannelTuning:
        """What the channel has of its own."""
        return self.delivery_tuning.get(channel, ChannelTuning())  # type: ignore[call-overload,no-any-return]

    def retry_policy(self, channel: str) -> RetryPolicy:
        """How a channel's deliveries are retried."""
        own = self.tuning(channel)
        backoff = Backoff(own.retry_base or self.delivery_retry_base, own.retry_cap or self.delivery_retry_cap)
        return RetryPolicy(backoff, own.max_attempts or self.delivery_max_attempts)
