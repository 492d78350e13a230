"""The world outside as one small server: it answers as Twilio, FCM, APNs, browsers' push services, chats and
webhooks do, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import asyncio
import base64
import secrets
import threading
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from hypercorn.asyncio import serve
from hypercorn.config import Config
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from devstack.ports import free_port

ACCOUNT = "AC" + "0" * 32
_PROJECT = "demo"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def _whole(answer: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
    """Answers when all of the request has come: over HTTP/2 the server fails on what comes after its answer."""

    async def answered(request: Request) -> Response:
        await request.body()
        return await answer(request)

    return answered


class Outside:
    """Starts as a context. `received` are the names of what was posted to it: sms, fcm, apns, push, slack, …"""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        self.received: list[str] = []
        self._directory = directory
        routes = [
            Route(f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json", _whole(self._sms), methods=["POST"]),
            Route("/token", _whole(self._token), methods=["POST"]),
            Route(f"/v1/projects/{_PROJECT}/messages:send", _whole(self._fcm), methods=["POST"]),
            Route("/3/device/{token}", _whole(self._apns), methods=["POST"]),
            Route("/{kind}/{rest:path}", _whole(self._hook), methods=["POST"]),
        ]
        self._application: Any = Starlette(routes=routes)
        self._loop, self._over = asyncio.new_event_loop(), asyncio.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    @property
    def url(self) -> str:
        """Where it listens, with a slash at its end."""
        return f"http://127.0.0.1:{self.port}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(5)

    def _run(self) -> None:
        config = Config()
        config.bind, config.graceful_timeout, config.errorlog = [f"127.0.0.1:{self.port}"], 0.5, None
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(serve(self._application, config, shutdown_trigger=self._over.wait))

    def environment(self) -> dict[str, str]:
        """What tells the services to send everything here."""
        self._directory.mkdir(parents=True, exist_ok=True)
        credentials = self._directory / "fcm.json"
        key = _pem(rsa.generate_private_key(65537, 2048)).decode()
        account = {"project_id": _PROJECT, "client_email": "demo@example.test", "private_key": key}
        credentials.write_bytes(orjson.dumps(account | {"token_uri": f"{self.url}token"}))
        apns = self._directory / "apns.p8"
        apns.write_bytes(_pem(ec.generate_private_key(ec.SECP256R1())))
        vapid = ec.generate_private_key(ec.SECP256R1()).private_numbers().private_value.to_bytes(32, "big")
        return {
            "CARILLON_CHANNELS": "email,push,sms,webhook,slack,discord,teams",
            "CARILLON_EGRESS_NETWORKS": "127.0.0.0/8",
            "CARILLON_TWILIO_ACCOUNT": ACCOUNT,
            "CARILLON_TWILIO_TOKEN": "demo",
            "CARILLON_TWILIO_FROM": "+15005550006",
            "CARILLON_TWILIO_URL": self.url,
            "CARILLON_FCM_CREDENTIALS_FILE": str(credentials),
            "CARILLON_FCM_URL": self.url,
            "CARILLON_APNS_KEY_FILE": str(apns),
            "CARILLON_APNS_KEY_ID": "DEMO",
            "CARILLON_APNS_TEAM_ID": "DEMO",
            "CARILLON_APNS_TOPIC": "test.example.demo",
            "CARILLON_APNS_URL": self.url,
            "CARILLON_WEBPUSH_KEY": _b64(vapid),
        }

    def subscription(self) -> tuple[str, dict[str, str]]:
        """The address and the keys of a browser that is pushed to here."""
        point = ec.generate_private_key(ec.SECP256R1()).public_key()
        p256dh = _b64(point.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))
        return f"{self.url}push/browser", {"p256dh": p256dh, "auth": _b64(secrets.token_bytes(16))}

    async def _sms(self, _request: Request) -> Response:
        self.received.append("sms")
        return JSONResponse({"sid": "SM" + secrets.token_hex(16), "status": "queued"}, 201)

    async def _token(self, _request: Request) -> Response:
        return JSONResponse({"access_token": "demo", "expires_in": 3600})

    async def _fcm(self, _request: Request) -> Response:
        self.received.append("fcm")
        return JSONResponse({"name": f"projects/{_PROJECT}/messages/1"})

    async def _apns(self, request: Request) -> Response:
        self.received.append("apns")
        return Response(status_code=200 if request.scope["http_version"] == "2" else 505)

    async def _hook(self, request: Request) -> Response:
        kind = request.path_params["kind"]
        self.received.append(kind)
        match kind:
            case "push":
                return Response(status_code=201)
            case "discord":
                return Response(status_code=204)
            case "teams":
                return PlainTextResponse("", 202)
            case _:
                return PlainTextResponse("ok")
