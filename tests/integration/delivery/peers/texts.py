"""Twilio's Messages resource, with its errors."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs

from starlette.responses import JSONResponse, Response

from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import Got, HttpPeer

ACCOUNT = "AC" + "0" * 32


class Twilio(HttpPeer):
    """https://www.twilio.com/docs/messaging/api/message-resource"""

    token = "a-token"

    def answer(self, got: Got, case: Case) -> Response:
        if base64.b64decode(got.headers["authorization"].removeprefix("Basic ")).decode() != f"{ACCOUNT}:{self.token}":
            return _refused(401, 20003)
        assert got.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        form = self.form(got)
        if not form.get("To", "").startswith("+"):
            return _refused(400, 21211)
        assert form["Body"]
        assert form.get("From") or form.get("MessagingServiceSid")
        match case:
            case Case.THROTTLED:
                return _refused(429, 20429, {"Retry-After": "7"})
            case Case.BAD_ADDRESS:
                return _refused(400, 21614)
            case Case.SERVER_ERROR:
                return _refused(500, 20500)
            case _:
                return JSONResponse({"sid": "SM" + "1" * 32, "status": "queued"}, 201)

    @staticmethod
    def form(got: Got) -> dict[str, str]:
        """What was asked for."""
        return {name: values[0] for name, values in parse_qs(got.body.decode()).items()}


def _refused(status: int, code: int, headers: dict[str, str] | None = None) -> Response:
    said = {"code": code, "message": "The number +15005550001 …", "more_info": "…", "status": status}
    return JSONResponse(said, status, headers)
