"""Incoming webhooks of Slack, Discord and Teams, with the answers that their documentation gives."""

from __future__ import annotations

import orjson
from starlette.responses import JSONResponse, PlainTextResponse, Response

from tests.integration.delivery.peers.cases import Case
from tests.integration.delivery.peers.http import Got, HttpPeer

_LATER = {"Retry-After": "7"}


class Slack(HttpPeer):
    """https://api.slack.com/messaging/webhooks"""

    def answer(self, got: Got, case: Case) -> Response:
        message = orjson.loads(got.body)
        if not message.get("text") or any(len(b.get("text", {}).get("text", "")) > 3000 for b in message["blocks"]):
            return PlainTextResponse("invalid_payload", 400)
        match case:
            case Case.THROTTLED:
                return PlainTextResponse("rate_limited", 429, _LATER)
            case Case.BAD_ADDRESS:
                return PlainTextResponse("no_service", 404)
            case Case.SERVER_ERROR:
                return PlainTextResponse("rollup_error", 500)
            case _:
                return PlainTextResponse("ok")


class Discord(HttpPeer):
    """https://discord.com/developers/docs/resources/webhook"""

    def answer(self, got: Got, case: Case) -> Response:
        message = orjson.loads(got.body)
        if not (message.get("content") or message.get("embeds")) or message["allowed_mentions"] != {"parse": []}:
            return JSONResponse({"message": "Cannot send an empty message", "code": 50006}, 400)
        match case:
            case Case.THROTTLED:
                said = {"message": "You are being rate limited.", "retry_after": 6.4, "global": False}
                return JSONResponse(said, 429, _LATER)
            case Case.BAD_ADDRESS:
                return JSONResponse({"message": "Unknown Webhook", "code": 10015}, 404)
            case Case.SERVER_ERROR:
                return PlainTextResponse("upstream", 502)
            case _:
                return Response(None, 204)


class Teams(HttpPeer):
    """A workflow's webhook, and a connector's habit of refusing with 200."""

    def answer(self, got: Got, case: Case) -> Response:
        (attachment,) = orjson.loads(got.body)["attachments"]
        if attachment["content"]["type"] != "AdaptiveCard":
            return PlainTextResponse("Bad payload received by generic incoming webhook.", 400)
        match case:
            case Case.THROTTLED:
                said = (
                    "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error 429 with"
                )
                return PlainTextResponse(said, 200, _LATER)
            case Case.BAD_ADDRESS:
                return PlainTextResponse("", 410)
            case Case.SERVER_ERROR:
                return JSONResponse({"error": {"code": "BadGateway"}}, 502)
            case _:
                return Response(None, 202)
