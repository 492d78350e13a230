"""Amazon SES's SendEmail, with its errors."""

from __future__ import annotations

import base64
from email import message_from_bytes
from email.utils import parseaddr

import orjson
from starlette.responses import JSONResponse, Response

from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import Got, HttpPeer
from tests.integration.delivery.peers.texts import signature


class Ses(HttpPeer):
    """https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html"""

    def answer(self, got: Got, case: Case) -> Response:
        if got.headers["authorization"] != signature(got, f"{self.url}{got.path}", "ses"):
            return _refused(403, "SignatureDoesNotMatch")
        assert got.path == "/v2/email/outbound-emails"
        asked = orjson.loads(got.body)
        mail = message_from_bytes(base64.b64decode(asked["Content"]["Raw"]["Data"]))
        assert asked["Destination"]["ToAddresses"] == [parseaddr(mail["To"])[1]]
        assert {tag["Name"] for tag in asked["EmailTags"]} == {"carillon-tenant", "carillon-delivery"}
        match case:
            case Case.THROTTLED:
                return _refused(429, "TooManyRequestsException", {"Retry-After": "7"})
            case Case.BAD_ADDRESS:
                return _refused(400, "MessageRejected")
            case Case.SERVER_ERROR:
                return _refused(500, "InternalFailure")
            case _:
                return JSONResponse({"MessageId": "010701-example-000000"})


def _refused(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    told = {"x-amzn-errortype": f"{code}:http://internal.amazon.com/coral/", **(headers or {})}
    return JSONResponse({"message": "Address ada@example.test …"}, status, told)
