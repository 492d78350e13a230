"""Devices, subscriptions to topics, and answers to agents, over HTTP."""

from __future__ import annotations

from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from libs.auth.tokens import Identity
from libs.http.problems import Problem
from libs.runtime.clock import iso
from libs.schemas.events import Id
from services.gateway.domain.answers import MAX_ANSWER, Answer
from services.gateway.domain.devices import Platform, fault
from services.gateway.entrypoints.caller import Caller
from services.gateway.entrypoints.json_body import json_answer
from services.gateway.handlers.answers import AnswerDesk
from services.gateway.handlers.people import MAX_DEVICES, MAX_TOPICS, PeopleDesk
from services.gateway.store_ports import Device

_Key = Annotated[str, Field(max_length=200)]
_Topic = Annotated[str, Path(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f/]+$")]


class Subscription(BaseModel):
    """What a browser's PushManager gives."""

    endpoint: Annotated[str, Field(max_length=2_048)]
    keys: Annotated[dict[str, _Key], Field(max_length=8)]


class Registration(BaseModel):
    """A device: a web push `subscription`, or the `token` of FCM or APNs. The same `id` again renews it."""

    model_config = ConfigDict(extra="forbid")

    id: Id | None = None
    platform: Platform
    token: Annotated[str | None, Field(max_length=4_096, pattern=r"^[^\s\x00-\x1f]+$")] = None
    keys: Annotated[dict[str, _Key], Field(max_length=8)] = Field(default_factory=dict)
    subscription: Subscription | None = None

    def address(self) -> tuple[str, dict[str, str]]:
        """Token and keys. Raises Problem where the platform cannot use them."""
        token, keys = self.token or "", self.keys
        if self.subscription is not None:
            token, keys = self.subscription.endpoint, self.subscription.keys
        wrong = fault(self.platform, token, keys)
        if wrong is not None:
            errors = [{"field": wrong.field, "message": wrong.message}]
            raise Problem(422, "invalid-request", f"{wrong.field}: {wrong.message}", errors=errors)
        return token, keys


class Topic(BaseModel):
    """What is subscribed to."""

    model_config = ConfigDict(extra="forbid")

    topic: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\s\x00-\x1f/]+$")]


class Reply(BaseModel):
    """An answer to a question: one of its options, or any text where it has none."""

    value: Annotated[str, Field(min_length=1, max_length=MAX_ANSWER, pattern=r"^[^\x00]*$")]


def devices(desk: PeopleDesk, caller: Caller, web_push_key: str | None) -> APIRouter:
    """`/api/v1/devices`."""
    routes = APIRouter(prefix="/api/v1/devices", tags=["devices"])
    who = Depends(caller)

    async def list_devices(identity: Identity = who) -> Response:
        """The caller's devices, without their tokens."""
        return json_answer({"items": [_shown(device) for device in await desk.devices(identity)]})

    async def register_device(body: Registration, identity: Identity = who) -> Response:
        """Registers a device, or renews it. Whoever was signed in on it before is not reached there any more."""
        token, keys = body.address()
        device = await desk.register(identity, body.id, body.platform, token, keys)
        if device is None:
            raise Problem(409, "too-many-devices", f"a person may have {MAX_DEVICES} devices")
        return json_answer(_shown(device), 201)

    async def forget_device(device: str, identity: Identity = who) -> Response:
        """Nothing is pushed to it any more."""
        if not await desk.forget(identity, device):
            raise Problem(404, "not-found", "you have no such device")
        return Response(status_code=204)

    async def web_push() -> Response:
        """The key that a browser needs to subscribe (`applicationServerKey`)."""
        if web_push_key is None:
            raise Problem(404, "not-found", "web push is not set up")
        return json_answer({"key": web_push_key})

    routes.add_api_route("", list_devices, methods=["GET"])
    routes.add_api_route("", register_device, methods=["POST"], status_code=201)
    routes.add_api_route("/web-push-key", web_push, methods=["GET"])
    routes.add_api_route("/{device}", forget_device, methods=["DELETE"], status_code=204)
    return routes


def _shown(device: Device) -> dict[str, str]:
    return {"id": device.id, "platform": device.platform, "updatedAt": iso(device.updated_at)}


def subscriptions(desk: PeopleDesk, caller: Caller) -> APIRouter:
    """`/api/v1/subscriptions`."""
    routes = APIRouter(prefix="/api/v1/subscriptions", tags=["subscriptions"])
    who = Depends(caller)

    async def list_subscriptions(identity: Identity = who) -> Response:
        """The topics that the caller subscribes to."""
        items = [{"topic": topic, "since": iso(since)} for topic, since in await desk.topics(identity)]
        return json_answer({"items": items})

    async def subscribe(body: Topic, identity: Identity = who) -> Response:
        """From now on what is sent to the topic is in the caller's inbox."""
        return await put(body.topic, identity)

    async def put(topic: _Topic, identity: Identity = who) -> Response:
        """The same, with the topic in the path."""
        if not await desk.subscribe(identity, topic):
            raise Problem(409, "too-many-topics", f"a person may subscribe to {MAX_TOPICS} topics")
        return json_answer({"topic": topic}, 201)

    async def unsubscribe(topic: _Topic, identity: Identity = who) -> Response:
        """What is sent from now on is not in the caller's inbox; what was sent before stays."""
        if not await desk.unsubscribe(identity, topic):
            raise Problem(404, "not-found", "you do not subscribe to this topic")
        return Response(status_code=204)

    routes.add_api_route("", list_subscriptions, methods=["GET"])
    routes.add_api_route("", subscribe, methods=["POST"], status_code=201)
    routes.add_api_route("/{topic}", put, methods=["PUT"], status_code=201)
    routes.add_api_route("/{topic}", unsubscribe, methods=["DELETE"], status_code=204)
    return routes


def answers(desk: AnswerDesk, caller: Caller) -> APIRouter:
    """`/api/v1/notifications/{id}/responses`."""
    routes = APIRouter(prefix="/api/v1/notifications/{notification}/responses", tags=["inbox"])
    who = Depends(caller)

    async def respond(notification: UUID, body: Reply, identity: Identity = who) -> Response:
        """Answers an agent's question; the first answer of all who were asked counts."""
        row, asked = await desk.find(identity, notification)
        if row is None:
            raise Problem(404, "not-found", "there is no such notification in your inbox")
        if asked is None:
            raise Problem(409, "not-a-question", "this notification asks nothing that can be answered")
        if not asked.takes(body.value):
            offered = ", ".join(asked.options or ())
            errors = [{"field": "value", "message": f"one of: {offered}"}]
            raise Problem(422, "invalid-request", f"value: one of: {offered}", errors=errors)
        answer = await desk.answer(identity, asked, body.value)
        if not answer.is_new and (answer.user, answer.value) != (identity.reader, body.value):
            raise Problem(409, "already-answered", "somebody has answered already", answer=_told(answer))
        return json_answer(_told(answer), 201 if answer.is_new else 200)

    async def responses(notification: UUID, identity: Identity = who) -> Response:
        """The answer that was given, if any."""
        row, _ = await desk.find(identity, notification)
        if row is None:
            raise Problem(404, "not-found", "there is no such notification in your inbox")
        answer = await desk.answered(identity, notification)
        return json_answer({"items": [] if answer is None else [_told(answer)]})

    routes.add_api_route("", respond, methods=["POST"], status_code=201)
    routes.add_api_route("", responses, methods=["GET"])
    return routes


def _told(answer: Answer) -> dict[str, Any]:
    return {"userId": answer.user, "value": answer.value, "answeredAt": iso(answer.at)}
