"""Why a session ended, in python-engineio's words."""

from __future__ import annotations

from typing import Final


class Reason:
    """The second argument of a disconnect handler."""

    SERVER_DISCONNECT: Final = "server disconnect"
    CLIENT_DISCONNECT: Final = "client disconnect"
    PING_TIMEOUT: Final = "ping timeout"
    TRANSPORT_CLOSE: Final = "transport close"
    TRANSPORT_ERROR: Final = "transport error"
