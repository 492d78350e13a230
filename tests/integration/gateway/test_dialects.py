"""Four dialects on one gateway: what each is shown, refused and answered, and that all share one inbox (S1, S5)."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

import httpx
import pytest
import socketio

from tests.integration.gateway.clients import Client, client, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers(
    "F1-1", "F1-2", "F1-3", "F2-3", "F3-3", "F4-1", "F4-2", "S1", "S5", "S6", "S9", "S21", "S22"
)

ROOT, INTERNAL, EVENTS, MARKET = NAMESPACES = ("/", "/notifications", "/events", "/ws/notifications")


@pytest.fixture(scope="module", params=["fanout", "stock"])
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """Both transports."""
    return ENVIRONMENT | {"CARILLON_TRANSPORT": request.param}


async def all_four(stack: contextlib.AsyncExitStack, gateways: Gateways, bearer: str) -> list[Client]:
    """A client of each namespace, on two gateways in turn."""
    urls = (gateways.url, gateways.other, gateways.url, gateways.other)
    return [
        await stack.enter_async_context(client(url, bearer, namespace=namespace))
        for url, namespace in zip(urls, NAMESPACES, strict=True)
    ]


async def told(one: Client, event: str, count: int) -> None:
    await one.until(lambda: len(one.of(event)) == count)


async def http(gateways: Gateways, bearer: str, method: str, path: str) -> httpx.Response:
    async with httpx.AsyncClient(base_url=gateways.url, headers={"Authorization": f"Bearer {bearer}"}) as caller:
        return await caller.request(method, path)


async def test_one_notification_reaches_all_four_and_one_reading_is_seen_in_all(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    bearer = token(f"u{name}", orgId=f"o{name}")
    async with contextlib.AsyncExitStack() as stack:
        root, internal, events, market = await all_four(stack, gateways, bearer)
        kind = {"event": "service.event", "type": "booking.created", "name": "booking.created"}
        record = await scribe.publish(f"org:o{name}", **kind, data={"n": 1})
        notification = str(record.id)
        assert (await root.event("service.event"))["metadata"]["notificationId"] == notification
        shown = await internal.event("notification:new")
        assert (shown["id"], shown["type"]["name"]) == (notification, "Booking request")
        row = await events.event("notification:new")
        assert (row["id"], row["userId"], row["type"]) == (notification, f"u{name}", "BOOKING_CREATED")
        assert (await market.event("booking.created"))["id"] == notification

        await market.say("markNotificationRead", {"notificationId": notification})
        assert (await market.event("notificationRead"))["notificationId"] == notification
        assert (await root.event("notification.read"))["userId"] == f"u{name}"
        read = await internal.event("notification:read")
        assert (read["notification_id"], read["recipient_id"]) == (notification, shown["recipient_id"])
        assert (await events.event("notification:read"))["notificationId"] == notification

        await http(gateways, bearer, "PATCH", f"/api/v1/notifications/{notification}/unread")
        assert (await internal.event("notification:unread"))["recipient_id"] == shown["recipient_id"]
        await http(gateways, bearer, "POST", "/api/v1/notifications/read-all")
        assert (await internal.event("notifications:read_all"))["marked_count"] == 1
        await events.event("notification:all-read")
        await root.event("notifications.read_all")
        await market.event("notificationsRead")


async def test_a_room_s_rows_name_their_own_readers(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with contextlib.AsyncExitStack() as stack:
        readers = {
            user: await stack.enter_async_context(client(gateways.url, token(user, orgId=f"o{name}"), namespace=EVENTS))
            for user in (f"a{name}", f'b"ü{name}', f"c{name}")
        }
        await scribe.publish(f"org:o{name}", title='quotes " and {braces}', data={"userId": "x", "n": None})
        for user, reader in readers.items():
            row = await reader.event("notification:new")
            assert (row["userId"], row["title"]) == (user, 'quotes " and {braces}')
            assert row["data"] == {"userId": "x", "n": None}


async def test_reading_again_is_answered_and_reading_what_is_not_there_is_an_error(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    record = await scribe.write(f"user:u{name}")
    async with client(gateways.url, token(f"u{name}"), namespace=MARKET) as one:
        for count in (1, 2):
            await one.say("markNotificationRead", {"notificationId": str(record.id)})
            await told(one, "notificationRead", count)
        first, second = one.of("notificationRead")
        assert first["readAt"] == second["readAt"]
        await one.say("markNotificationRead", {"notificationId": "5f1c5c52-0d43-5a0a-9d43-0f7f0c3a7e11"})
        error = await one.event("error")
        assert (error["code"], error["field"]) == ("NOT_FOUND", "notificationId")


@pytest.mark.parametrize("namespace", NAMESPACES)
async def test_what_nobody_understands_is_answered_with_an_error(gateways: Gateways, name: str, namespace: str) -> None:
    async with client(gateways.url, token(f"u{name}"), namespace=namespace) as one:
        for said in (("make coffee",), ("markNotificationRead", {"notificationId": 7}), ("subscribe",)):
            one.told.clear()
            await one.say(*said)
            await one.event("error")
        await one.say("ping")
        await one.event("pong")
        errors = {"make coffee": "UNKNOWN_EVENT", "ack": "INVALID_ARGUMENT"}
        for event, code in errors.items():
            assert (await one.ask(event, {"notificationId": "x"}))["code"] == code
        assert not one.disconnected.is_set()


@pytest.mark.parametrize("namespace", NAMESPACES)
async def test_the_token_s_places_and_a_new_token(gateways: Gateways, name: str, namespace: str) -> None:
    bearer, ready = token(f"u{name}"), "authenticated" if namespace == INTERNAL else "connected"
    places: tuple[dict[str, Any], ...] = (
        {"auth": {"token": f" Bearer {bearer}"}},
        {"headers": {"Authorization": f"Bearer {bearer}"}},
        {"query": f"?token={bearer}"},
    )
    for options in places:
        one = await Client(gateways.url, namespace).connect(**options)
        await one.event(ready)
        await one.say("authenticate", {"token": token(f"u{name}", orgId=f"o{name}")})
        await told(one, ready, 2)
        assert f"org:o{name}" in one.of(ready)[1]["rooms"]
        await one.io.disconnect()


@pytest.mark.parametrize("namespace", [ROOT, MARKET])
async def test_a_refusal_is_explained_and_ends(gateways: Gateways, namespace: str) -> None:
    one = await Client(gateways.url, namespace).connect(auth={"token": "nonsense"})
    error = await one.event("error")
    assert (error["code"], error["message"]) == ("UNAUTHORIZED", "Invalid or expired JWT token")
    await asyncio.wait_for(one.disconnected.wait(), 5)


@pytest.mark.parametrize(
    ("bearer", "code"), [("nonsense", "INVALID_TOKEN"), (token("late", lifetime=-60), "EXPIRED_TOKEN")]
)
async def test_the_internal_module_is_told_twice(gateways: Gateways, bearer: str, code: str) -> None:
    one = await Client(gateways.url, INTERNAL).connect(auth={"token": bearer})
    await one.event("connect_error")
    assert [event for event, _ in one.told] == ["auth_error", "connect_error"]
    assert one.told[0][1]["code"] == code
    assert one.told[1][1] == {"message": "Authentication failed"}


async def test_collaboration_just_ends(gateways: Gateways) -> None:
    one = await Client(gateways.url, EVENTS).connect(auth={"token": "nonsense"})
    await asyncio.wait_for(one.disconnected.wait(), 5)
    assert one.told == []


async def test_an_unknown_namespace_is_refused(gateways: Gateways) -> None:
    with pytest.raises(socketio.exceptions.ConnectionError):
        await Client(gateways.url, "/admin").connect(auth={"token": token("u")})


async def test_subscriptions_narrow_a_socket_and_no_other(gateways: Gateways, scribe: Scribe, name: str) -> None:
    room = f"user:u{name}"
    async with client(gateways.url, token(f"u{name}")) as one, client(gateways.url, token(f"u{name}")) as other:
        await one.say("subscribe", {"type": "CONTACT_CREATED"})
        assert (await one.event("subscribed"))["types"] == ["contact.created"]
        await scribe.publish(room, event="service.event", type="booking.created", name="booking.created", data={"n": 1})
        await scribe.publish(room, event="service.event", type="contact.created", name="x.y.z", data={"n": 2})
        await one.shows(2)
        await other.shows(1, 2)
        await one.say("unsubscribe")
        await one.until(lambda: len(one.of("subscribed")) == 2)
        assert one.of("subscribed")[1]["types"] is None
        await scribe.publish(room, data={"n": 3})
        await one.shows(2, 3)


async def test_two_namespaces_of_one_connection_are_two_sessions(gateways: Gateways, scribe: Scribe, name: str) -> None:
    heard: list[tuple[str, str]] = []
    both = socketio.AsyncClient(reconnection=False)
    news = asyncio.Event()

    def note(namespace: str) -> Any:
        async def noted(event: str, _payload: Any) -> None:
            heard.append((namespace, event))
            news.set()

        return noted

    for namespace in (INTERNAL, EVENTS):
        both.on("*", note(namespace), namespace=namespace)
    await both.connect(
        gateways.url, auth={"token": token(f"u{name}")}, transports=["websocket"], namespaces=[INTERNAL, EVENTS]
    )
    try:
        await _until(news, lambda: {(INTERNAL, "authenticated"), (EVENTS, "connected")} <= set(heard))
        await scribe.publish(f"user:u{name}")
        await _until(news, lambda: {(INTERNAL, "notification:new"), (EVENTS, "notification:new")} <= set(heard))
    finally:
        await both.disconnect()


async def _until(news: asyncio.Event, condition: Any) -> None:
    async with asyncio.timeout(15):
        while not condition():
            news.clear()
            await news.wait()
