"""A browser's push service, FCM and APNs, with the answers that their documentation gives."""

from __future__ import annotations

import os
from typing import Any

import http_ece
import jwt
import orjson
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from starlette.responses import JSONResponse, Response

from services.delivery.domain.delivery import Device
from services.delivery.domain.encryption import point, unpadded
from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import Got, HttpPeer

_LATER = {"Retry-After": "7"}
_PEM, _PKCS8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(_PEM, _PKCS8, serialization.NoEncryption()).decode()


class WebPushService(HttpPeer):
    """Checks VAPID, then plays the browser: `shown` are the messages that it could decrypt."""

    def __init__(self) -> None:
        super().__init__()
        self._key, self._auth = ec.generate_private_key(ec.SECP256R1()), os.urandom(16)
        self.shown: list[dict[str, Any]] = []

    def subscription(self, url: str, name: str = "d") -> Device:
        """The browser's subscription."""
        return Device(
            name, "web", f"{url}/push/{name}", {"p256dh": unpadded(point(self._key)), "auth": unpadded(self._auth)}
        )

    def answer(self, got: Got, case: Case) -> Response:
        self._vouched(got.headers["authorization"])
        if case is not Case.ACCEPTED:
            status = {Case.THROTTLED: 429, Case.BAD_ADDRESS: 410, Case.SERVER_ERROR: 500}[case]
            return Response(None, status, _LATER if status == 429 else {})
        content = http_ece.decrypt(got.body, private_key=self._key, auth_secret=self._auth, version="aes128gcm")
        self.shown.append(orjson.loads(content))
        return Response(None, 201, {"Location": "/message/1"})

    def _vouched(self, authorization: str) -> None:
        scheme, _, rest = authorization.partition(" ")
        given = dict(part.strip().split("=", 1) for part in rest.split(","))
        raw = _decoded(given["k"])
        key = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), raw)
        claims = jwt.decode(given["t"], key, ["ES256"], audience=self.url)
        assert scheme == "vapid"
        assert claims["sub"].startswith("mailto:")


def _decoded(text: str) -> bytes:
    """base64url without padding."""
    return bytes(jwt.utils.base64url_decode(text))


class Fcm(HttpPeer):
    """https://firebase.google.com/docs/reference/fcm/rest/v1, with Google's token endpoint beside it."""

    aside = "/token"

    def __init__(self) -> None:
        super().__init__()
        self._key = rsa.generate_private_key(65537, 2048)
        self.tokens = 0

    @property
    def credentials(self) -> dict[str, str]:
        """A service account's JSON."""
        return {
            "type": "service_account",
            "project_id": "example",
            "client_email": "carillon@example.test",
            "private_key": _pem(self._key),
            "private_key_id": "1",
            "token_uri": f"{self.url}/token",
        }

    def answer(self, got: Got, case: Case) -> Response:
        if got.path == self.aside:
            return self._token(got)
        if got.headers["authorization"] != f"Bearer access-{self.tokens}":
            return _google(401, "UNAUTHENTICATED")
        assert got.path == "/v1/projects/example/messages:send"
        message = orjson.loads(got.body)["message"]
        assert message["token"]
        assert message["notification"]["title"]
        match case:
            case Case.THROTTLED:
                return _google(429, "RESOURCE_EXHAUSTED", "QUOTA_EXCEEDED", _LATER)
            case Case.BAD_ADDRESS:
                return _google(404, "NOT_FOUND", "UNREGISTERED")
            case Case.SERVER_ERROR:
                return _google(500, "INTERNAL", "INTERNAL")
            case _:
                return JSONResponse({"name": "projects/example/messages/1"})

    def _token(self, got: Got) -> Response:
        form = dict(part.split("=", 1) for part in got.body.decode().split("&"))
        audience = "https://oauth2.googleapis.com/token"  # wherever it is asked for
        claims = jwt.decode(form["assertion"], self._key.public_key(), ["RS256"], audience=audience)
        assert (claims["iss"], claims["scope"].rpartition("/")[2]) == ("carillon@example.test", "firebase.messaging")
        self.tokens += 1
        return JSONResponse({"access_token": f"access-{self.tokens}", "expires_in": 3599, "token_type": "Bearer"})


def _google(status: int, name: str, code: str = "", headers: dict[str, str] | None = None) -> Response:
    kind = "type.googleapis.com/google.firebase.fcm.v1.FcmError"
    details = [{"@type": kind, "errorCode": code}] if code else []
    return JSONResponse(
        {"error": {"code": status, "message": "words", "status": name, "details": details}}, status, headers
    )


class Apns(HttpPeer):
    """https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns"""

    def __init__(self) -> None:
        super().__init__()
        self._key = ec.generate_private_key(ec.SECP256R1())

    @property
    def private_key(self) -> str:
        """The signing key, as Apple gives it out."""
        return _pem(self._key)

    def answer(self, got: Got, case: Case) -> Response:
        token = got.headers["authorization"].removeprefix("bearer ")
        assert jwt.get_unverified_header(token)["kid"] == "KEY"
        assert jwt.decode(token, self._key.public_key(), ["ES256"])["iss"] == "TEAM"
        assert got.path == "/3/device/0a1b"
        assert got.headers["apns-topic"] == "com.example.app"
        assert len(got.headers["apns-collapse-id"]) <= 64
        assert orjson.loads(got.body)["aps"]["alert"]["title"]
        match case:
            case Case.THROTTLED:
                return JSONResponse({"reason": "TooManyRequests"}, 429, _LATER)
            case Case.BAD_ADDRESS:
                return JSONResponse({"reason": "Unregistered", "timestamp": 1}, 410)
            case Case.SERVER_ERROR:
                return JSONResponse({"reason": "InternalServerError"}, 500)
            case _:
                return Response(None, 200, {"apns-id": "1"})
