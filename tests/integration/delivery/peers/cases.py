"""What may happen to a request: the same cases for every provider."""

from __future__ import annotations

from enum import Enum, auto


class Case(Enum):
    """What a peer does with the next requests."""

    ACCEPTED = auto()
    SLOW = auto()  # accepted, after a while
    THROTTLED = auto()
    BAD_ADDRESS = auto()
    SERVER_ERROR = auto()
    SILENT = auto()  # takes the whole request and never answers
    RESET = auto()  # takes the whole request and breaks the connection
    MALFORMED = auto()  # answers what is not its protocol
