"""Sockets that acknowledge: what they confirm, what they are sent again, what has failed (F1-4, S8)."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import httpx
import orjson
import pytest
import socketio
from websockets.asyncio.client import ClientConnection, connect

from tests.integration.gateway.clients import DEADLINE, client, eventually, token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe
from tests.integration.gateway.transports import TRANSPORTS

pytestmark = pytest.mark.covers("F1-4", "S8", "F0-6")

AGES = (0.6, 1.2, 1.8)
FAILED = 2.4
_WATERMARK = "select delivered_seq from room_watermarks where tenant = 'default' and user_id = $1 and room = $2"
_SINGLE = "select coalesce(array_agg(seq order by seq), '{}') from acknowledgements where user_id = $1"


@pytest.fixture(scope="module", params=TRANSPORTS)
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    return ENVIRONMENT | {
        "CARILLON_TRANSPORT": request.param,
        "CARILLON_REPEAT_AFTER": ",".join(map(str, AGES)),
        "CARILLON_REPEAT_INTERVAL": "0.1",
        "CARILLON_FAILED_AFTER": str(FAILED),
    }


class Module:
    """A client of the internal module (`/notifications`)."""

    def __init__(self) -> None:
        self.io = socketio.AsyncClient(reconnection=False)
        self.new: list[dict[str, Any]] = []
        self.batches: list[dict[str, Any]] = []
        self.ready = asyncio.Event()
        for event, handler in {
            "notification:new": self._new,
            "notification:batch": self._batch,
            "authenticated": self._ready,
        }.items():
            self.io.on(event, handler, namespace="/notifications")

    async def _new(self, payload: dict[str, Any]) -> None:
        self.new.append(payload)

    async def _batch(self, payload: dict[str, Any]) -> None:
        self.batches.append(payload)

    async def _ready(self, _payload: dict[str, Any]) -> None:
        self.ready.set()

    async def acknowledge(self, shown: dict[str, Any]) -> Any:
        """Says that it has arrived; returns the answer."""
        data = {"recipient_id": shown["recipient_id"]}
        return await self.io.call("notification:acknowledge", data, namespace="/notifications")

    async def has(self, count: int) -> None:
        """Waits until it was shown so many."""
        await eventually(lambda: _value(len(self.new) >= count), f"{count} notifications")


async def _value(value: Any) -> Any:
    return value


@contextlib.asynccontextmanager
async def module(url: str, user: str, **auth: Any) -> AsyncIterator[Module]:
    one = Module()
    auth = {"token": token(user)} | auth
    await one.io.connect(url, namespaces=["/notifications"], auth=auth, transports=["websocket"])
    await asyncio.wait_for(one.ready.wait(), DEADLINE)
    try:
        yield one
    finally:
        await one.io.disconnect()


async def status(url: str, user: str, notification: Any) -> tuple[str, str | None]:
    """(deliveryStatus, failureReason) in the inbox."""
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {token(user)}"}) as http:
        found = (await http.get(f"{url}/api/notifications/{notification}")).json()
        return found["deliveryStatus"], found["failureReason"]


async def reaches(url: str, user: str, notification: Any, wanted: str) -> None:
    async def reached() -> bool:
        return (await status(url, user, notification))[0] == wanted

    await eventually(reached, wanted)


async def test_what_is_acknowledged_is_delivered_and_not_sent_again(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    user, room = f"u{name}", f"user:u{name}"
    async with module(gateways.url, user, ack=True) as one:
        record = await scribe.publish(room, title="first")
        await one.has(1)
        assert (await status(gateways.url, user, record.id)) == ("pending", None)
        assert (await one.acknowledge(one.new[0]))["notification_id"] == str(record.id)
        await reaches(gateways.url, user, record.id, "delivered")
        assert await scribe.value(_WATERMARK, user, room) == record.rooms[0].seq
        before = len(one.new)  # on a busy machine it may have been repeated before that
        last = await scribe.publish(room, title="last")
        await one.has(before + 2)
        assert {shown["id"] for shown in one.new[before:]} == {str(last.id)}


async def test_what_is_not_is_sent_again_three_times_and_then_has_failed_until_it_is_caught_up_on(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    user, room = f"u{name}", f"user:u{name}"
    async with module(gateways.url, user, ack=True) as one, client(gateways.url, token(f"other{name}")):
        record = await scribe.publish(room, title="lost")
        await reaches(gateways.url, user, record.id, "failed")
        assert (await status(gateways.url, user, record.id))[1] == "permanent_failure"
        assert [shown.get("redelivered") for shown in one.new] == [None, True, True, True]
        assert ["position" in shown for shown in one.new] == [True, False, False, False]
        assert len({shown["recipient_id"] for shown in one.new}) == 1
        later = await scribe.publish(room, title="later")
        await one.has(5)
        await one.acknowledge(one.new[4])
        await reaches(gateways.url, user, later.id, "delivered")
        assert (await status(gateways.url, user, record.id))[0] == "failed"
    async with module(gateways.other, user, ack=True) as one:
        await one.has(1)
        assert one.new[0]["id"] == str(record.id)
        await one.acknowledge(one.new[0])
        await reaches(gateways.url, user, record.id, "delivered")
        assert await scribe.value(_SINGLE, user) == []


async def test_out_of_order_acknowledgements_are_kept_one_by_one_until_the_gap_closes(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    user, room = f"u{name}", f"user:u{name}"
    async with module(gateways.url, user, ack=True) as one:
        records = [await scribe.publish(room, title=str(number)) for number in range(3)]
        await one.has(3)
        for number in (2, 1):
            await one.acknowledge(one.new[number])
        await eventually(lambda: scribe.value(_SINGLE + " having count(*) = 2", user), "two single acknowledgements")
        assert await scribe.value(_SINGLE, user) == [2, 3]
        assert [(await status(gateways.url, user, each.id))[0] for each in records] == ["pending", *["delivered"] * 2]
        await one.acknowledge(one.new[0])
        await eventually(lambda: scribe.value(_WATERMARK + " and delivered_seq = 3", user, room), "the watermark")
        assert await scribe.value(_SINGLE, user) == []


async def test_a_group_is_acknowledged_by_each_for_themselves(gateways: Gateways, scribe: Scribe, name: str) -> None:
    one_user, other_user, room = f"u{name}", f"v{name}", f"org:o{name}"
    await scribe.members(room, one_user, other_user)
    async with module(gateways.url, one_user, ack=True) as one, module(gateways.other, other_user, ack=True) as other:
        record = await scribe.publish(room, title="all")
        await one.has(1)
        await one.acknowledge(one.new[0])
        await reaches(gateways.url, one_user, record.id, "delivered")
        await other.has(3)  # it was not they who acknowledged
        assert len(one.new) == 1


async def test_what_another_device_acknowledged_is_not_repeated_on_this_one(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    user, room = f"u{name}", f"user:u{name}"
    async with module(gateways.url, user, ack=True) as one, module(gateways.other, user, ack=True) as other:
        first = await scribe.publish(room, title="first")
        await one.has(1)
        await other.has(1)
        await other.acknowledge(other.new[0])
        await reaches(gateways.url, user, first.id, "delivered")
        await scribe.publish(room, title="second")
        await one.has(4)
        assert [shown["title"] for shown in one.new].count("first") == 1


async def test_who_does_not_acknowledge_confirms_by_answering_pings_until_they_do(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    user, room = f"u{name}", f"user:u{name}"
    async with module(gateways.url, user) as one:
        first = await scribe.publish(room, title="first")
        await reaches(gateways.url, user, first.id, "delivered")
        await one.acknowledge(one.new[0])
        await scribe.publish(room, title="second")
        await one.has(3)
        assert [shown["title"] for shown in one.new] == ["first", "second", "second"]


async def test_a_forged_or_foreign_place_is_refused(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with module(gateways.url, f"u{name}", ack=True) as one, module(gateways.url, f"v{name}", ack=True) as other:
        await scribe.publish(f"user:u{name}", title="mine")
        await one.has(1)
        assert (await other.acknowledge(one.new[0]))["code"] == "INVALID_ARGUMENT"
        forged = {"recipient_id": "x" + one.new[0]["recipient_id"]}
        assert (await other.acknowledge(forged))["code"] == "INVALID_ARGUMENT"
        assert await scribe.value(_SINGLE, f"v{name}") == []


async def test_the_root_dialect_acknowledges_by_id(gateways: Gateways, scribe: Scribe, name: str) -> None:
    user, room = f"u{name}", f"user:u{name}"
    one_auth = {"token": token(user), "ack": True}
    io = socketio.AsyncClient(reconnection=False)
    shown: list[dict[str, Any]] = []

    async def note(payload: dict[str, Any]) -> None:
        shown.append(payload)

    io.on("system.notification", note)
    await io.connect(gateways.url, auth=one_auth, transports=["websocket"])
    try:
        record = await scribe.publish(room)
        await eventually(lambda: _value(len(shown) >= 2), "a repetition")
        answer = await io.call("ack", {"notificationId": str(record.id)})
        assert answer == {"notificationId": str(record.id)}
        await reaches(gateways.url, user, record.id, "delivered")
    finally:
        await io.disconnect()


async def test_a_plain_websocket_says_at_the_door_that_it_acknowledges(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    user, room = f"u{name}", f"user:u{name}"
    address = f"{gateways.url.replace('http', 'ws')}/ws?ack=true&dialect=/&token={token(user)}"
    async with connect(address) as socket, asyncio.timeout(DEADLINE):
        await _frame(socket, "connected")
        record = await scribe.publish(room)
        assert "redelivered" not in await _frame(socket, "system.notification")
        assert (await _frame(socket, "system.notification"))["redelivered"]
        await socket.send(orjson.dumps({"event": "ack", "data": {"notificationId": str(record.id)}}).decode())
        await _frame(socket, "acknowledged")
        await reaches(gateways.url, user, record.id, "delivered")


async def test_a_stream_that_asks_for_it_is_repeated_what_its_person_does_nothing_with(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    user, room = f"u{name}", f"user:u{name}"
    headers = {"Authorization": f"Bearer {token(user)}"}
    async with (
        httpx.AsyncClient(base_url=gateways.url, headers=headers, timeout=DEADLINE) as http,
        http.stream("GET", "/notifications/sse", params={"ack": "true", "dialect": "/"}) as stream,
        asyncio.timeout(DEADLINE),
    ):
        told = _told(stream.aiter_lines())
        assert (await anext(told))[0] == "connected"
        read, unread = [await scribe.publish(room, title=title) for title in ("read", "unread")]
        await http.patch(f"/api/v1/notifications/{read.id}/read")
        repeated = [payload async for _, payload in _until(told, lambda payload: payload.get("redelivered"))]
        assert repeated[-1]["metadata"]["notificationId"] == str(unread.id)


async def _frame(socket: ClientConnection, event: str) -> dict[str, Any]:
    """The payload of the next frame with this event."""
    while (frame := orjson.loads(await socket.recv()))["event"] != event:
        pass
    payload: dict[str, Any] = frame["data"]
    return payload


async def _told(lines: AsyncIterator[str]) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    """(event, payload) of a stream."""
    event = ""
    async for line in lines:
        name, _, value = line.partition(": ")
        event = value if name == "event" else event
        if name == "data":
            yield event, orjson.loads(value)


async def _until(
    told: AsyncIterator[tuple[str, dict[str, Any]]], last: Callable[[dict[str, Any]], Any]
) -> AsyncIterator[tuple[str, dict[str, Any]]]:
    async for event, payload in told:
        yield event, payload
        if last(payload):
            return


async def test_who_acknowledges_nothing_of_a_batch_is_sent_each_of_it_again(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    user, room = f"u{name}", f"user:u{name}"
    records = [await scribe.write(room, title=str(number)) for number in range(2)]
    async with module(gateways.url, user, ack=True) as one:
        await eventually(lambda: _value(one.batches), "a batch")
        first, _second = one.batches[0]["notifications"]
        await one.acknowledge(first)
        await reaches(gateways.url, user, records[0].id, "delivered")
        before = len(one.new)
        await one.has(before + 2)
        assert {shown["id"] for shown in one.new[before:]} == {str(records[1].id)}
