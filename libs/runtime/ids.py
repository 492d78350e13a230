"""Identifiers that are the same when the same thing happens again."""

from __future__ import annotations

from typing import NamedTuple, Self
from uuid import UUID, uuid5

#: Names the `Place` at which a record that is sent again first stood: it stays the same event.
FIRST_PLACE_HEADER = "carillon-first-place"
#: The namespace of the ids that producers give on `noti`.
NOTI = "noti"
NAMESPACE = UUID("5f1c5c52-0d43-5a0a-9d43-0f7f0c3a7e11")

# A separator that no id can contain (ids have no control characters), so parts cannot run into each other.
_SEPARATOR = "\x1f"


def derived(*parts: str) -> UUID:
    """The UUIDv5 of the parts: equal parts, equal id, on every machine and after every crash."""
    return uuid5(NAMESPACE, _SEPARATOR.join(parts))


class Place(NamedTuple):
    """Where a record stands. `timestamp` in milliseconds: a topic that was made anew begins at offset 0 again."""

    topic: str
    partition: int
    offset: int
    timestamp: int

    def __str__(self) -> str:
        return f"{self.topic}:{self.partition}:{self.offset}:{self.timestamp}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads what `str` writes. Raises ValueError."""
        topic, *numbers = text.rsplit(":", 3)
        if len(numbers) != 3 or not topic or not all(n.isascii() and n.isdecimal() and len(n) < 20 for n in numbers):
            raise ValueError(f"{text!r} is not topic:partition:offset:timestamp")
        return cls(topic, *map(int, numbers))


def event_id(tenant: str, given: str | None, named: tuple[str, str] | None, place: Place) -> UUID:
    """The id of an event on `noti`: by the id that it gives itself, else by the namespace and id that stand beside it,
    else by its place. Given ids make a repeated publish the same event; the place makes a repeated read the same."""
    if given is not None:
        return derived(tenant, NOTI, given)
    return derived(tenant, *named) if named is not None else derived(place.topic, *map(str, place[1:]))


def delivery_id(notification: UUID, channel: str, user_id: str) -> UUID:
    """The id of the one delivery of a notification to a person on a channel."""
    return derived("delivery", str(notification), channel, user_id)


def endpoint_recipient(endpoint_id: str) -> str:
    """What stands for a tenant's endpoint where a delivery names its person: no person's id holds a blank."""
    return f"endpoint {endpoint_id}"
