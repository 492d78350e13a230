"""A delivery in the hands of this process, with all that is needed to send it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Endpoint:
    """An address of the tenant that notifications are posted to. `secrets` sign, the newest first."""

    id: str
    url: str = field(repr=False)
    secrets: tuple[str, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """A person's browser (`token` is its subscription's address) or application, with what its push service needs."""

    id: str
    platform: str
    token: str = field(repr=False)
    keys: Mapping[str, Any] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Whom it is for: a person, or an endpoint of the tenant. What the directory does not have (any more) is None."""

    user_id: str
    email: str | None = None
    display_name: str | None = None
    endpoint: Endpoint | None = None
    devices: tuple[Device, ...] = ()
    phone: str | None = None
    locale: str | None = None


@dataclass(frozen=True, slots=True)
class Item:
    """One notification of a digest, as it is stored."""

    title: str | None
    message: str | None
    action_url: str | None = None
    type: str = ""


@dataclass(frozen=True, slots=True)
class Content:
    """What it says: the stored notification. `message` is Markdown, `action_url` may be relative.

    `document` is the event's own: event, name, metadata, data, actor and related. `action` is what a button says,
    `markup` an email's MJML template and `values` what fills it. `items` are those of a digest. A push of a
    `collapse_key` replaces the one before it.
    """

    notification: UUID
    type: str
    severity: str = "normal"
    title: str | None = None
    message: str | None = None
    action_url: str | None = None
    document: Mapping[str, Any] = field(default_factory=dict)
    action: str | None = None
    markup: str | None = None
    values: Mapping[str, Any] = field(default_factory=dict)
    collapse_key: str | None = None
    items: tuple[Item, ...] = ()

    @property
    def worded_by(self) -> str:
        """The type whose texts it has: of a digest the one of all its items, if they have the same."""
        types = {item.type for item in self.items} or {self.type}
        return types.pop() if len(types) == 1 else self.type


@dataclass(frozen=True, slots=True)
class Delivery:
    """A claimed delivery. `token` fences the claim: what is recorded with an older token has no effect.

    `attempts` is how many have been counted before this claim. `reached` are the devices that have taken it already.
    `providers` is the tenant's own order of them, if it has one; once it is to be begun, those that may be asked.
    `uncertain_with` is the one that may have it already.
    `urgency` is 0 (first) to 3. `opens`: the tenant wants to know whether it is opened.
    """

    tenant: str
    id: UUID
    channel: str
    token: UUID
    attempts: int
    created_at: datetime
    recipient: Recipient
    content: Content
    traceparent: str | None = None
    expires_at: datetime | None = None
    reached: tuple[str, ...] = ()
    providers: tuple[str, ...] = ()
    uncertain_with: str | None = None
    urgency: int = 2
    opens: bool = False

    @property
    def log_fields(self) -> dict[str, Any]:
        """What every log line about it says (F2-7): never content, never an address."""
        return {
            "tenant_id": self.tenant,
            "user_id": self.recipient.user_id,
            "notification_type": self.content.type,
            "channels": [self.channel],
            "notification": str(self.content.notification),
            "delivery": str(self.id),
            "trace_id": self.traceparent.split("-")[1] if self.traceparent else None,
        }
