"""What the routes of ephemeral events and of policies take."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from libs.auth.grants import MIN_KEY_BYTES
from libs.schemas import rooms
from libs.schemas.ephemerals import MAX_BATCH, EphemeralEvent
from services.ingest.entrypoints.http.models import Body

EphemeralEvents = EphemeralEvent | Annotated[list[EphemeralEvent], Field(max_length=MAX_BATCH)]
_Room = Annotated[str, StringConstraints(max_length=300)]


class PolicyRequest(Body):
    """Any one of the ways lets somebody in.

    `members` are rooms whose members may join, `{id}` standing for the resource's id. With `grantKey` a grant may be
    signed; left out, the one that is set stays, and null takes it away. `url` is asked for everybody else, signed with
    the secret that is shown when it is made. `clientEvents`: those inside may send each other events of their own.
    """

    members: Annotated[list[_Room], Field(max_length=20)] = Field(default_factory=list)
    grant_key: Annotated[str, StringConstraints(max_length=500)] | None = None
    url: Annotated[str, StringConstraints(max_length=2_000)] | None = None
    rotate_secret: bool = False
    cache_seconds: Annotated[int, Field(ge=1, le=3_600)] = 60
    client_events: bool = False

    @field_validator("members")
    @classmethod
    def _are_groups(cls, value: list[str]) -> list[str]:
        for room in value:
            if room != rooms.TENANT and not (rooms.is_log(room) and ":" in room and room.isprintable()):
                raise ValueError(f"{room!r} is none of tenant, user:…, agent:…, topic:…, dept:…, role:…, org:…")
        return value

    @field_validator("grant_key")
    @classmethod
    def _is_long_enough(cls, value: str | None) -> str | None:
        if value is not None and len(value.encode()) < MIN_KEY_BYTES:
            raise ValueError(f"at least {MIN_KEY_BYTES} bytes are needed")
        return value
