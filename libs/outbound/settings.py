"""Settings of requests to addresses that others have given us."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network
from typing import Annotated

from pydantic import Field, field_validator
from pydantic_settings import NoDecode

from libs.runtime.settings import Settings


class EgressSettings(Settings):
    """`CARILLON_EGRESS_` variables."""

    egress_networks: Annotated[tuple[IPv4Network | IPv6Network, ...], NoDecode] = Field(
        (), description="private networks that others' addresses may lead to, and then by http too: for development"
    )

    @field_validator("egress_networks", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value
