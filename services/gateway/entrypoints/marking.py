"""The bodies of what is done to notifications."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from libs.runtime.clock import utc_now
from services.gateway.domain.marks import Action
from services.gateway.entrypoints.listing import Narrowing

_Seq = Annotated[int, Field(ge=0, lt=2**63)]
#: What the client has seen: `{room: seq}`, or its position, `{room: [epoch, seq]}`.
_Seen = Annotated[dict[str, _Seq | tuple[_Seq, _Seq]], Field(max_length=5_000)]
_MAX_IDS = 500
_LONGEST = timedelta(days=366)


class Positions(BaseModel):
    """Up to where something is meant; without them everything is."""

    positions: _Seen | None = None


class _Until(BaseModel):
    """When something snoozed comes back: at a time, or in so many minutes."""

    model_config = ConfigDict(extra="forbid")

    until: AwareDatetime | None = None
    minutes: Annotated[int | None, Field(ge=1, le=366 * 24 * 60)] = None

    def timed(self) -> Self:
        """Settles the time. Raises ValueError where none is named, or one that is not in the coming year."""
        now = utc_now()
        if self.until is None and self.minutes is not None:
            self.until = now + timedelta(minutes=self.minutes)
        if self.until is None or not now < self.until <= now + _LONGEST:
            raise ValueError("until: a time in the coming year, or minutes, is needed")
        return self


class Snooze(_Until):
    """`{until}` or `{minutes}`."""

    @model_validator(mode="after")
    def _settled(self) -> Self:
        return self.timed()


class Bulk(_Until):
    """One thing that is done to many: to `ids`, or to the newest that match `filter`, none after `positions`."""

    operation: Literal["read", "unread", "seen", "archived", "unarchived", "snoozed", "unsnoozed", "deleted"]
    ids: Annotated[tuple[UUID, ...] | None, Field(min_length=1, max_length=_MAX_IDS)] = None
    filter: Narrowing | None = None
    positions: _Seen | None = None

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.ids is None) == (self.filter is None):
            raise ValueError("either ids or filter is needed")
        return self.timed() if self.operation == "snoozed" else self

    def action(self) -> Action:
        """What is to be done."""
        return Action(self.operation, self.until if self.operation == "snoozed" else None)
