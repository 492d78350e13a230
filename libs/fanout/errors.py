"""What a peer did against the protocol, and how it is told."""

from __future__ import annotations

PROTOCOL_ERROR, NOT_TEXT, POLICY, TOO_BIG = 1002, 1007, 1008, 1009


class Violation(Exception):
    """The peer broke the protocol: its connection ends. `code` is the WebSocket close code that says why."""

    def __init__(self, reason: str, code: int = PROTOCOL_ERROR) -> None:
        super().__init__(reason)
        self.code = code


class Refused(Exception):
    """A request that is not served: an HTTP status with Engine.IO's own error number and text.

    Numbers: 0 transport unknown, 1 session unknown, 2 bad handshake method, 3 bad request, 4 forbidden,
    5 protocol version not supported.
    """

    def __init__(self, number: int, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.number, self.message, self.status = number, message, status
