"""The ids of the events of one request."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from libs.runtime.ids import derived

#: The id of the event with this index (from 0).
Ids = Callable[[int], UUID]


def of_one(root: UUID) -> Ids:
    """A request with one event: the id is the event's."""
    return lambda _index: root


def of_many(root: UUID) -> Ids:
    """A request with a list: each event's id follows from the request's, so that a repeated request repeats them."""
    text = str(root)
    return lambda index: derived("item", text, str(index))
