"""The story of one notification, as the API answers it and the command prints it: no content, no addresses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel


class _Part(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, from_attributes=True, frozen=True)


class Position(_Part):
    """Where the event stood. `topic` is `http` (partition and offset 0) for what came by HTTP."""

    topic: str
    partition: int
    offset: int


class Planned(_Part):
    """What was planned. `rule` says how the audience came about, `notes` what could not be resolved or was refused for
    everybody; `addressed` are its rooms, `channels` those that the event itself names."""

    id: UUID
    tenant: str
    event: str
    type: str
    name: str | None
    severity: str
    priority: str | None
    accepted_at: datetime
    planned_at: datetime
    expires_at: datetime | None
    cancelled_at: datetime | None
    collapse_key: str | None
    catalogue_version: str
    decisions_planned: int
    traceparent: str | None
    source: Position
    rule: str
    notes: tuple[str, ...]
    addressed: tuple[str, ...]
    excluded: tuple[str, ...]
    channels: tuple[str, ...]


class Room(_Part):
    """Where the notification stands. `kind` control: it was withdrawn there, `because` says why."""

    room: str
    seq: int
    at: datetime
    kind: Literal["entry", "control"]
    because: str | None


class Group(_Part):
    """A group whose members are decided one by one, as of a time; `decided` up to the user id `cursor`."""

    room: str
    channels: tuple[str, ...]
    as_of: datetime
    cursor: str
    decided: int
    done_at: datetime | None


class Total(_Part):
    """How many people's deliveries on a channel are in a state for a reason."""

    channel: str
    state: str
    reason: str
    people: int


class Attempt(_Part):
    """A provider was asked; `code` and `detail` are its own words, without content or addresses."""

    attempt: int
    provider: str
    outcome: str
    code: str | None
    detail: str | None
    started_at: datetime
    duration_ms: int


class Collected(_Part):
    """The digest that a delivery is an item of, or is sent as."""

    id: UUID
    key: str
    reason: str
    closes_at: datetime
    closed_at: datetime | None
    outcome: str | None


class Delivered(_Part):
    """What was decided for one person (or endpoint) and channel, and what became of it."""

    id: UUID
    user_id: str
    channel: str
    state: str
    reason: str
    attempts: int
    only_offline: bool
    created_at: datetime
    updated_at: datetime
    next_attempt_at: datetime | None
    lease_until: datetime | None
    provider_message_id: str | None
    digest: Collected | None
    tried: tuple[Attempt, ...]


class Ruled(_Part):
    """One rule, by its line in the table of docs/preferences.md."""

    line: int
    rule: str
    outcome: Literal["passed", "does not apply", "decided", "not asked"]
    why: str | None


class Answered(_Part):
    """What happened on a channel or in a room, and why. `derived`: worked out now by the rules and versions of that
    time, not recorded then. `steps` are the rules one by one."""

    where: str
    state: str
    reason: str
    detail: str
    derived: bool
    steps: tuple[Ruled, ...]


class Versions(_Part):
    """By which versions was decided; None: there was none, or nobody was asked about. Addresses are as of now."""

    as_of: datetime
    catalogue: str
    preferences: int | None = None
    tenant_preferences: int | None = None


class Waiting(_Part):
    """An event that is to be told later, and is no notification yet (or was cancelled before)."""

    id: UUID
    due_at: datetime
    state: Literal["waiting", "handed-on", "cancelled"]


class Story(_Part):
    """Everything about one notification. `deliveries` are the person's, or the first ones when no person is asked
    about; `answers` and `state` (what they did to it since) are about the person. `scheduled` is what it waited for."""

    notification: Planned
    scheduled: Waiting | None
    rooms: tuple[Room, ...]
    expansions: tuple[Group, ...]
    totals: tuple[Total, ...]
    deliveries: tuple[Delivered, ...]
    versions: Versions
    reader: str | None = None
    answers: tuple[Answered, ...] = ()
    state: str | None = None


def state_of(row: Mapping[str, Any], seq: int) -> str:
    """What the person did to it, in words; `seq` is where it stands in the room that shows it."""
    for what in ("deleted", "archived", "snoozed"):
        if (at := row[f"{what}_at"]) is not None:
            return f"{what} {'until' if what == 'snoozed' else 'at'} {at:%Y-%m-%d %H:%M:%S %Z}"
    if row["read"] is not None:
        return f"read at {row['read_at']:%Y-%m-%d %H:%M:%S %Z}" if row["read"] else "marked unread"
    if (row["cleared_seq"] or 0) >= seq:
        return "cleared from the inbox"
    if (row["read_seq"] or 0) >= seq:
        return "read: everything up to it was marked read"
    return "delivered and unread" if (row["delivered_seq"] or 0) >= seq else "unread"
