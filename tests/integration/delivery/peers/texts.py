"""Twilio's Messages resource and Amazon SNS's Publish, with their errors."""

from __future__ import annotations

import base64
from urllib.parse import parse_qs

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from starlette.responses import JSONResponse, Response

from services.delivery.adapters.aws.signing import AccessKey
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import Got, HttpPeer

REGION = "eu-central-1"
WHO = AccessKey("AKIDEXAMPLE", "a-secret")
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
        return _form(got)


class Sns(HttpPeer):
    """https://docs.aws.amazon.com/sns/latest/api/API_Publish.html"""

    def answer(self, got: Got, case: Case) -> Response:
        if got.headers["authorization"] != self._signed(got):
            return _xml(403, "SignatureDoesNotMatch")
        form = _form(got)
        assert (form["Action"], form["MessageAttributes.entry.2.Value.StringValue"]) == ("Publish", "Carillon")
        assert form["Message"]
        if not form["PhoneNumber"].startswith("+"):
            return _xml(400, "InvalidParameter")
        match case:
            case Case.THROTTLED:
                return _xml(400, "Throttling", {"Retry-After": "7"})
            case Case.BAD_ADDRESS:
                return _xml(400, "InvalidParameter")
            case Case.SERVER_ERROR:
                return _xml(500, "InternalError")
            case _:
                done = "<PublishResult><MessageId>94f20ce6-13c5-43a0-9a9e-ca52d816e90b</MessageId></PublishResult>"
                return Response(f"<PublishResponse>{done}</PublishResponse>", 200, media_type="text/xml")

    def _signed(self, got: Got) -> str:
        return signature(got, f"{self.url}/", "sns")


def signature(got: Got, url: str, service: str) -> str:
    """What a request must be signed with."""
    request = AWSRequest("POST", url, {"content-type": got.headers["content-type"]}, got.body)
    request.headers["X-Amz-Date"] = got.headers["x-amz-date"]
    request.context["timestamp"] = got.headers["x-amz-date"]
    auth = SigV4Auth(Credentials(WHO.key_id, WHO.secret), service, REGION)
    told = auth.signature(auth.string_to_sign(request, auth.canonical_request(request)), request)
    names = auth.signed_headers(auth.headers_to_sign(request))
    scope = f"Credential={auth.scope(request)}, SignedHeaders={names}, Signature={told}"
    return f"AWS4-HMAC-SHA256 {scope}"


def _form(got: Got) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(got.body.decode()).items()}


def _xml(status: int, code: str, headers: dict[str, str] | None = None) -> Response:
    error = f"<Error><Type>Sender</Type><Code>{code}</Code><Message>+15005550001</Message></Error>"
    said = f"<ErrorResponse>{error}</ErrorResponse>"
    return Response(said, status, headers, "text/xml")


def _refused(status: int, code: int, headers: dict[str, str] | None = None) -> Response:
    said = {"code": code, "message": "The number +15005550001 …", "more_info": "…", "status": status}
    return JSONResponse(said, status, headers)
