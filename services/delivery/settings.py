"""Settings of the delivery service. Each provider has settings of its own in its folder."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, HttpUrl, ValidationInfo, field_validator
from pydantic_settings import NoDecode

from libs.runtime.settings import ChannelSettings, ServiceSettings
from services.delivery.domain.retry import Backoff, RetryPolicy


class Settings(ServiceSettings, ChannelSettings):
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

    @property
    def retry_policy(self) -> RetryPolicy:
        """How a delivery is retried."""
        return RetryPolicy(Backoff(self.delivery_retry_base, self.delivery_retry_cap), self.delivery_max_attempts)
