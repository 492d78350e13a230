"""What the routes of suppressions, endpoints and reports take."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from libs.schemas.events import EventName, Id
from services.ingest.domain.reports import Event
from services.ingest.domain.suppressions import SuppressedChannel
from services.ingest.entrypoints.http.models import Body

EndpointId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]{1,100}$")]
EndpointChannel = Literal["webhook", "slack", "discord", "teams"]
_Url = Annotated[str, Field(min_length=8, max_length=2_000)]
_Types = Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=200)]
_Description = Annotated[str, Field(max_length=500)]


class SuppressionRequest(Body):
    """An address. It is not kept: its hash is, with enough of it to recognise it by."""

    channel: SuppressedChannel
    address: Annotated[str, Field(min_length=3, max_length=320, pattern=r"^[^\x00-\x1f]+$")]


class EndpointRequest(Body):
    """An endpoint. Empty `events` and `types` want everything that names the channel."""

    id: EndpointId | None = None
    channel: EndpointChannel = "webhook"
    url: _Url
    events: list[EventName] = Field(default_factory=list)
    types: _Types = Field(default_factory=list)
    description: _Description | None = None


class EndpointPatch(Body):
    """What is left out stays as it is."""

    url: _Url | None = None
    events: list[EventName] | None = None
    types: _Types | None = None
    description: _Description | None = None
    disabled: bool | None = None


class ReportBody(Body):
    """What became of a delivery, from a provider without a route of its own; `deliveryId` or `messageId` names it."""

    event: Event
    provider: Annotated[str, Field(min_length=1, max_length=50, pattern=r"^[a-z0-9-]+$")]
    delivery_id: UUID | None = None
    message_id: Id | None = None
    code: Annotated[str, Field(max_length=100)] | None = None
