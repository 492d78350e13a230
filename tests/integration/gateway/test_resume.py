"""Coming back: exactly what was missed, in order, then live; or the advice to fetch anew (B9, S8)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import httpx
import pytest

from libs.runtime.clock import utc_now
from tests.integration.gateway.clients import client, eventually, token
from tests.integration.gateway.conftest import Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("B9", "S8")


async def seen(url: str, bearer: str) -> dict[str, list[int]]:
    """The position of a client that has just connected."""
    async with client(url, bearer) as one:
        await one.event("resync")
        return dict(one.position)


async def test_what_was_missed_comes_in_order_and_then_what_is_new(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    bearer, own, org = token(f"u{name}", orgId=f"o{name}"), f"user:u{name}", f"org:o{name}"
    position = await seen(gateways.url, bearer)
    for number in range(20):
        await scribe.publish(own if number % 2 else org, data={"n": number})
    for number, url in ((20, gateways.url), (21, gateways.other)):
        async with client(url, bearer, position) as one:
            await one.shows(*range(number))
            assert not one.of("resync")
        async with client(url, bearer, one.position) as again:
            await scribe.publish(own, data={"n": number})
            await again.shows(number)


@pytest.mark.covers("B1")
async def test_what_was_withdrawn_or_is_over_meanwhile_is_told_so(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    bearer, own, org = token(f"u{name}", orgId=f"o{name}"), f"user:u{name}", f"org:o{name}"
    position = await seen(gateways.url, bearer)
    gone = await scribe.write(own, org, data={"n": 1})
    await scribe.write(own, data={"n": 2}, expires_at=utc_now() - timedelta(seconds=1))
    await scribe.withdraw(gone)
    await scribe.write(own, data={"n": 3})
    async with client(gateways.url, bearer, position) as one:
        withdrawn = await one.event("notification.withdrawn")
        assert (withdrawn["notificationId"], withdrawn["reason"]) == (str(gone.id), "cancelled")
        await one.showed(2)
        assert one.shown() == [1, 3]


async def test_nothing_is_missed_or_repeated_while_others_publish(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    bearer, rooms = token(f"u{name}", orgId=f"o{name}"), (f"user:u{name}", f"org:o{name}")
    position = await seen(gateways.url, bearer)

    async def publish() -> None:
        for number in range(150):
            await scribe.publish(rooms[number % 2], data={"n": number})

    shown: list[int] = []
    publishing, urls, turn = asyncio.create_task(publish()), [gateways.url, gateways.other], 0
    while len(shown) < 150:
        async with client(urls[turn % 2], bearer, position) as one:
            await one.showed(min(7, 150 - len(shown)))
        shown += one.shown()
        position, turn = one.position, turn + 1
        assert not one.of("resync")
    await publishing
    assert sorted(shown) == list(range(150))
    assert [n for n in shown if n % 2] == list(range(1, 150, 2))
    assert [n for n in shown if not n % 2] == list(range(0, 150, 2))
    assert turn > 3


@pytest.mark.parametrize(
    ("change", "reason"),
    [(lambda epoch, seq: [epoch, seq + 5], "ahead"), (lambda epoch, seq: [epoch + 1, seq], "epoch")],
    ids=["ahead", "epoch"],
)
async def test_a_position_that_does_not_fit(
    gateways: Gateways, scribe: Scribe, name: str, change: Any, reason: str
) -> None:
    bearer, own = token(f"u{name}"), f"user:u{name}"
    await scribe.publish(own, data={"n": 1})
    position = await seen(gateways.url, bearer)
    async with client(gateways.url, bearer, position | {own: change(*position[own])}) as one:
        advice = await one.event("resync")
        assert advice["reason"] == reason
        assert advice["position"] == {own: position[own]}
        await scribe.publish(own, data={"n": 2})
        await one.shows(2)


async def test_too_much_was_missed(gateways: Gateways, scribe: Scribe, name: str) -> None:
    bearer, own = token(f"u{name}"), f"user:u{name}"
    position = await seen(gateways.url, bearer)
    for number in range(51):
        await scribe.write(own, data={"n": number})
    async with client(gateways.url, bearer, position) as one:
        assert (await one.event("resync"))["reason"] == "too-long"
        await scribe.publish(own, data={"n": 99})
        await one.shows(99)


async def test_what_retention_took_cannot_be_resumed(gateways: Gateways, scribe: Scribe, name: str) -> None:
    bearer, own = token(f"u{name}"), f"user:u{name}"
    position = await seen(gateways.url, bearer)
    for number in range(4):
        await scribe.write(own, data={"n": number})
    await scribe.pool.execute(
        """update notifications set planned_at = planned_at - interval '100 days'
           where id in (select notification from room_log where room = $1 and seq <= 2)""",
        own,
    )
    await scribe.pool.execute("select purge_notifications('default', now() - interval '90 days', 100)")
    assert await scribe.value("select floor from room_heads where room = $1", own) == 2
    async with client(gateways.url, bearer, position) as one:
        assert (await one.event("resync"))["reason"] == "too-old"
        await scribe.publish(own, data={"n": 9})
        await one.until(lambda: one.shown() and one.shown()[-1] == 9)
        assert not {0, 1} & set(one.shown())


async def test_a_room_joined_while_away_begins_when_it_was_joined(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    user, room = f"u{name}", f"org:o{name}"
    position = await seen(gateways.url, token(user))
    await scribe.write(room, data={"n": 1})
    await scribe.members(room, user)
    await scribe.write(room, data={"n": 2})
    async with client(gateways.url, token(user), position) as one:
        await one.shows(2)


async def test_a_room_left_while_away_is_shown_to_its_end(gateways: Gateways, scribe: Scribe, name: str) -> None:
    user, room = f"u{name}", f"org:o{name}"
    await scribe.members(room, user)
    position = await seen(gateways.url, token(user))
    await scribe.write(room, data={"n": 1})
    await scribe.dismiss(room, user)
    await scribe.write(room, data={"n": 2})
    async with client(gateways.url, token(user), position) as one:
        await scribe.publish(f"user:{user}", data={"n": 3})
        await one.until(lambda: len(one.shown()) == 2)
        assert sorted(one.shown()) == [1, 3]
        assert room not in (await one.event("connected"))["rooms"]


async def test_a_client_without_a_position_is_sent_the_newest(gateways: Gateways, scribe: Scribe, name: str) -> None:
    bearer, own, org = token(f"u{name}", orgId=f"o{name}"), f"user:u{name}", f"org:o{name}"
    await seen(gateways.url, bearer)  # opens the claim
    for number in range(14):
        await scribe.write(own if number % 2 else org, data={"n": number})
    await scribe.write(own, org, data={"n": 14})
    async with client(gateways.url, bearer) as one:
        advice = await one.event("resync")
        assert advice["reason"] == "no-position"
        assert one.shown() == list(range(5, 15))
        assert set(advice["position"]) == {own, org, "tenant", "broadcast", "state"}
        # The answer to the ping behind them counts as delivered: the next time they do not come again.
        query = "select delivered_seq from room_watermarks where user_id = $1 and room = $2"
        await eventually(lambda: _is(scribe, 8, query, f"u{name}", own), "the watermark")
    await scribe.write(own, data={"n": 15})
    async with client(gateways.other, bearer) as again:
        await again.event("resync")
        assert again.shown() == [15]


async def _is(scribe: Scribe, wanted: Any, query: str, *arguments: Any) -> bool:
    return bool(await scribe.value(query, *arguments) == wanted)


async def test_what_was_read_or_deleted_elsewhere_is_not_sent_again(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    bearer, own = token(f"u{name}"), f"user:u{name}"
    records = [await scribe.write(own, data={"n": number}) for number in range(3)]
    async with httpx.AsyncClient(base_url=gateways.url, headers={"Authorization": f"Bearer {bearer}"}) as http:
        (await http.put(f"/api/v1/notifications/{records[0].id}/read")).raise_for_status()
        (await http.delete(f"/api/v1/notifications/{records[1].id}")).raise_for_status()
    async with client(gateways.url, bearer) as one:
        await one.event("resync")
        assert one.shown() == [2]


async def test_what_one_device_does_the_others_learn(gateways: Gateways, scribe: Scribe, name: str) -> None:
    bearer, own = token(f"u{name}"), f"user:u{name}"
    records = [await scribe.write(own, data={"n": number}) for number in range(3)]
    slept = await seen(gateways.url, bearer)
    http = httpx.AsyncClient(base_url=gateways.other, headers={"Authorization": f"Bearer {bearer}"})
    async with http, client(gateways.url, bearer) as here, client(gateways.other, bearer) as there:
        (await http.patch(f"/api/notifications/{records[0].id}/read")).raise_for_status()
        (await http.put(f"/api/v1/notifications/{records[0].id}/unread")).raise_for_status()
        (await http.delete(f"/api/v1/notifications/{records[1].id}")).raise_for_status()
        (await http.post("/api/v1/notifications/read-all")).raise_for_status()
        wanted = ["notification.read", "notification.unread", "notification.deleted", "notifications.read_all"]
        for one in (here, there):
            await one.event("notifications.read_all")
            assert [event for event, _ in one.told if event.startswith("notification")] == wanted
            assert one.of("notification.read")[0]["notificationId"] == str(records[0].id)
    async with client(gateways.url, bearer, slept) as phone:
        await phone.event("notifications.read_all")
        assert [event for event, _ in phone.told if event.startswith("notification")] == wanted
        assert phone.position["state"][1] == slept["state"][1] + 4
