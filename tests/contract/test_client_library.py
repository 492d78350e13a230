"""The client library against running gateways: it comes back without a gap, and its inbox is true (F1-7, F2-3)."""

from __future__ import annotations

import asyncio
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.blocking_proxy import blocking_proxy
from tests.contract.client_library import PACKAGE, Library, build, library, refusing, settle
from tests.integration.gateway.clients import token
from tests.integration.gateway.conftest import ENVIRONMENT, Gateways
from tests.integration.gateway.scribe import Scribe

pytestmark = pytest.mark.covers("F1-7", "F2-3", "F3-5", "B9", "S21", "S22")

NAMESPACES = ["/", "/notifications", "/events", "/ws/notifications"]


@pytest.fixture(scope="module", autouse=True)
def built(tmp_path_factory: pytest.TempPathFactory) -> None:
    build(tmp_path_factory.getbasetemp().parent / "client-library.lock")


@pytest.fixture(scope="module")
def environment() -> dict[str, str]:
    return ENVIRONMENT


def test_its_rules() -> None:
    tests = sorted(PACKAGE.joinpath("test").glob("*.test.mjs"))
    result = subprocess.run(["node", "--test", *tests], capture_output=True, text=True, check=False, timeout=120)
    assert result.returncode == 0, result.stdout


@pytest.mark.parametrize("namespace", NAMESPACES)
async def test_what_came_while_the_gateway_was_away_is_shown_once_and_in_order(
    gateways: Gateways, scribe: Scribe, name: str, namespace: str
) -> None:
    rooms = [f"user:u{name}", f"org:o{name}"]
    bearer = token(f"u{name}", orgId=f"o{name}")
    async with library(gateways.url, token=bearer, namespace=namespace) as client:
        await client.is_online()
        assert await client.next("resync") == "no-position"
        for n in range(3):
            await scribe.publish(rooms[n % 2], data={"n": n})
        await client.shows(0, 1, 2)
        gateway = gateways.services["gateway-1"]
        await asyncio.to_thread(gateway.kill)
        await client.next("status", lambda status: status["kind"] == "waiting")
        for n in range(3, 9):
            await scribe.write(rooms[n % 2], data={"n": n})
        await asyncio.to_thread(gateway.start)
        await client.shows(*range(3, 9))
        await scribe.publish(rooms[0], data={"n": 9})
        await client.shows(9)
        await settle(client)
        assert (client.said("notification"), client.said("resync")) == ([], [])


async def test_the_example_of_its_readme(gateways: Gateways, scribe: Scribe, name: str) -> None:
    environment = {**os.environ, "CARILLON_URL": gateways.url, "TOKEN": token(f"u{name}")}
    arguments = ["node", str(PACKAGE / "example.mjs")]
    process = await asyncio.create_subprocess_exec(*arguments, env=environment, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    try:
        async with asyncio.timeout(20):
            assert await process.stdout.readline() == "· online\n".encode()
            await scribe.publish(f"user:u{name}", title="Hello", message="there")
            assert {await process.stdout.readline(), await process.stdout.readline()} == {b"Hello: there\n", b"1 new\n"}
    finally:
        process.kill()
        await process.communicate()


async def test_a_new_start_goes_on_from_the_position_that_was_kept(
    gateways: Gateways, scribe: Scribe, name: str, tmp_path: Path
) -> None:
    options = {"token": token(f"u{name}"), "kept": str(tmp_path / "position")}
    async with library(gateways.url, **options) as client:
        await client.next("resync")
        await scribe.publish(f"user:u{name}", data={"n": 1})
        await client.shows(1)
        await settle(client)
    await scribe.write(f"user:u{name}", data={"n": 2})
    async with library(gateways.other, **options) as client:
        await client.shows(2)
        await settle(client)
        assert (client.said("notification"), client.said("resync")) == ([], [])


async def test_a_stopping_gateway_says_when_to_come_back(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with library(gateways.url, token=token(f"u{name}"), pauseMs=3_600_000) as client:
        await client.next("resync")
        gateway = gateways.services["gateway-1"]
        stopping = asyncio.create_task(asyncio.to_thread(gateway.stop))
        told = await client.next("status", lambda status: status["kind"] == "waiting")
        assert 500 <= told["ms"] <= 1_000
        await stopping
        await asyncio.to_thread(gateway.start)


async def test_a_token_that_ends_is_replaced_on_the_live_socket(gateways: Gateways, scribe: Scribe, name: str) -> None:
    # A minute before its end a token is said to be ending, so this one is from the beginning.
    tokens = [token(f"u{name}", lifetime=30), token(f"u{name}", orgId=f"o{name}")]
    async with library(gateways.url, tokens=tokens) as client:
        await client.next("asked", lambda left: left == 2)
        await client.next("asked", lambda left: left == 1)
        await settle(client)
        await scribe.publish(f"org:o{name}", data={"n": 1})  # which only the second token may read
        await client.shows(1)
        assert [status["kind"] for status in client.said("status")] == ["online"]


@pytest.mark.parametrize("namespace", NAMESPACES)
async def test_a_refused_token_is_renewed_once(gateways: Gateways, name: str, namespace: str) -> None:
    over = token(f"u{name}", lifetime=-3_600)
    async with library(gateways.url, namespace=namespace, tokens=[over, token(f"u{name}")]) as client:
        await client.is_online()
    async with library(gateways.url, namespace=namespace, tokens=[over, over]) as client:
        refused = await client.next("status", lambda status: status["kind"] == "refused")
        assert refused["fault"]["code"] in {"UNAUTHORIZED", "EXPIRED_TOKEN"}
        await client.do("authenticate", token(f"u{name}"))
        await client.is_online()


async def test_while_sockets_are_refused_the_inbox_is_polled(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with blocking_proxy(gateways.url, refuses=True) as proxy:
        options = {"token": token(f"u{name}"), "attempts": 5, "pauseMs": 10, "pollEveryMs": 200}
        await scribe.write(f"user:u{name}", data={"n": 1})
        async with library(proxy.url, **options) as client:
            for attempt in range(1, 6):
                waiting = await client.next("status", lambda status: status["kind"] == "waiting")
                assert waiting["attempt"] == attempt
            await client.next("offline")
            await client.shows(1)
            await scribe.write(f"user:u{name}", data={"n": 2})
            await client.shows(2)
            counted = await client.next("inbox", lambda inbox: len(inbox["items"]) == 2)
            assert (counted["unread"], counted["unseen"]) == (2, 2)
            proxy.refuses = False
            await client.next("online")
            await client.next("resync")
            await scribe.publish(f"user:u{name}", data={"n": 3})
            await client.shows(3)
            await settle(client)
            assert client.said("notification") == []


async def test_offline_between_two_sessions_nothing_is_lost_or_shown_twice(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    async with blocking_proxy(gateways.url, refuses=False) as proxy:
        options = {"token": token(f"u{name}"), "attempts": 1, "pauseMs": 10, "pollEveryMs": 200}
        async with library(proxy.url, **options) as client:
            await client.next("resync")
            await scribe.publish(f"user:u{name}", data={"n": 1})
            await client.shows(1)
            proxy.refuses = True
            proxy.cut()
            await client.next("offline")
            for n in (2, 3):
                await scribe.write(f"user:u{name}", data={"n": n})
            await client.shows(2, 3)
            proxy.refuses = False
            await client.next("online")
            await scribe.publish(f"user:u{name}", data={"n": 4})
            await client.shows(4)
            await client.next("inbox", lambda inbox: len(inbox["items"]) == 4 and inbox["unread"] == 4)
            await settle(client)
            assert (client.said("notification"), client.said("resync")) == ([], [])


@pytest.mark.parametrize("namespace", NAMESPACES)
async def test_what_is_done_on_one_device_is_seen_on_the_other(
    gateways: Gateways, scribe: Scribe, name: str, namespace: str
) -> None:
    bearer = token(f"u{name}")
    ids = [str((await scribe.write(f"user:u{name}", data={"n": n})).id) for n in range(4)]
    async with (
        library(gateways.url, token=bearer, namespace=namespace, pageSize=2) as laptop,
        library(gateways.other, token=bearer) as phone,
    ):
        for device in (laptop, phone):
            await device.next("resync")
            assert await device.do("refresh") == "ok"
            await _counts(device, unread=4, unseen=4)
            assert await device.next("badge") == 4
        assert await laptop.do("more") == "ok"
        assert await laptop.do("act", [ids[0], "read"]) == "ok"
        await _counts(phone, unread=3, unseen=3)
        assert await phone.do("act", [ids[1], "archived"]) == "ok"
        shown = await _counts(laptop, unread=2, unseen=2)
        assert [item["id"] for item in shown["items"]] == [ids[3], ids[2], ids[0]]
        assert await phone.do("act", [ids[0], "unread"]) == "ok"
        await _counts(laptop, unread=3, unseen=2)
        assert await phone.do("act", [ids[1], "unarchived"]) == "ok"  # which the list has to be fetched for
        await _counts(laptop, unread=4, unseen=2 + 1)
        assert await phone.do("act", [ids[2], "deleted"]) == "ok"
        await _counts(laptop, unread=3, unseen=2)
        assert await laptop.do("all", "seen") == "ok"
        await _counts(phone, unread=3, unseen=0)
        await phone.next("badge", lambda value: value is None)
        assert await laptop.do("all", "read_all") == "ok"
        await _counts(phone, unread=0, unseen=0)
        assert await phone.do("all", "cleared") == "ok"
        assert (await _counts(laptop, unread=0, unseen=0, items=0))["items"] == []


async def test_what_comes_is_in_the_inbox_on_the_badge_and_shown_natively(
    gateways: Gateways, scribe: Scribe, name: str
) -> None:
    async with library(gateways.url, token=token(f"u{name}"), acknowledge=True) as client:
        await client.next("resync")
        assert await client.do("refresh") == "ok"
        record = await scribe.publish(f"user:u{name}", title="New", message="Here", data={"n": 1})
        await _counts(client, unread=1, unseen=1)
        assert await client.next("badge") == 1
        native = await client.next("native")
        assert (native["title"], native["body"], native["tag"]) == ("New", "Here", str(record.id))
        assert (await client.next("event acknowledged"))["notificationId"] == str(record.id)
        await scribe.tell(await scribe.withdraw(record))
        await _counts(client, unread=0, unseen=0, items=0)
        assert await client.next("badge") is None


async def test_what_postgresql_refuses_is_taken_back(gateways: Gateways, scribe: Scribe, name: str) -> None:
    record = await scribe.write(f"user:u{name}")
    async with library(gateways.url, token=token(f"u{name}")) as client:
        assert await client.do("refresh") == "ok"
        await _counts(client, unread=1)
        async with refusing(scribe):
            failed = await client.do("act", [str(record.id), "read"])
            assert failed == {"name": "CallFailed", "status": 503, "code": "unavailable"}
        assert [inbox["unread"] for inbox in client.said("inbox")][-2:] == [0, 1]  # at once, and back
        assert await client.do("act", [str(record.id), "read"]) == "ok"
        await _counts(client, unread=0)


async def test_a_subscription_holds_on_the_next_socket(gateways: Gateways, scribe: Scribe, name: str) -> None:
    async with library(gateways.url, token=token(f"u{name}")) as client:
        await client.next("resync")
        await client.do("subscribe", ["TASK_ASSIGNED"])
        await settle(client)
        gateway = gateways.services["gateway-1"]
        await asyncio.to_thread(gateway.kill)
        await client.next("status", lambda status: status["kind"] == "waiting")
        for n, kind in enumerate(("system.announcement", "task.assigned")):
            await scribe.write(f"user:u{name}", type=kind, data={"n": n})
        await asyncio.to_thread(gateway.start)
        await client.shows(1)
        await client.is_online()
        await settle(client)
        for n, kind in enumerate(("system.announcement", "task.assigned"), 2):
            await scribe.publish(f"user:u{name}", type=kind, data={"n": n})
        await client.shows(3)
        assert client.said("notification") == []


async def _counts(client: Library, items: int | None = None, **counts: int) -> dict[str, Any]:
    """Waits for an inbox with these counts, and so many items."""

    def wanted(inbox: dict[str, Any]) -> bool:
        return counts.items() <= inbox.items() and items in (None, len(inbox["items"]))

    found: dict[str, Any] = await client.next("inbox", wanted)
    return found
