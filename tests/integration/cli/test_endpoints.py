"""`carillon endpoints` and `carillon suppressions` against running services; a ping goes the way of all messages."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import orjson
import pytest
from typer.testing import Result

from devstack.layout import Layout, Neighbours
from devstack.services import Services
from tests.integration.cli.running import Command
from tests.integration.delivery.peers.http import running
from tests.integration.delivery.peers.webhooks import WebhookReceiver

pytestmark = pytest.mark.covers("F2-5", "B6")


@pytest.fixture
async def receiver() -> AsyncIterator[WebhookReceiver]:
    """Somebody's endpoint."""
    async with running(WebhookReceiver()) as receiver:
        yield receiver


@pytest.fixture
async def carillon(start_services: Callable[[Layout], Services], neighbours: Neighbours) -> Command:
    """The command, with a key and the address of an ingest beside which a worker delivers."""
    private = {"CARILLON_EGRESS_NETWORKS": "127.0.0.0/8", "CARILLON_CHANNELS": "webhook"}
    layout = Layout({"ingest": 1, "delivery": 1}, environment=private)
    services = await asyncio.to_thread(start_services, layout)
    carillon = Command(neighbours.environment())
    scopes = ("--scope", "directory:read", "--scope", "directory:write")
    key = (await said(carillon, "keys", "create", "an operator", *scopes)).stdout.strip()
    return Command(carillon.environment | {"CARILLON_API_URL": services.url("ingest"), "CARILLON_API_KEY": key})


async def said(carillon: Command, *arguments: str, status: int = 0) -> Result:
    """Runs beside the receiver; the command has an event loop of its own."""
    result = await asyncio.to_thread(carillon, *arguments)
    assert result.exit_code == status, result.output
    return result


async def test_an_endpoint_from_its_first_secret_to_its_end(carillon: Command, receiver: WebhookReceiver) -> None:
    added = await said(carillon, "endpoints", "add", f"{receiver.url}/hook", "--id", "e", "--event", "service.alert")
    name, receiver.secret = added.stdout.split()
    assert name == "e"
    assert (await said(carillon, "endpoints", "ping", "e")).stdout.split()[:3] == ["sent", "sent", "204"]

    newer = (await said(carillon, "endpoints", "rotate", "e")).stdout.strip()
    await said(carillon, "endpoints", "ping", "e")  # the receiver knows the old secret alone
    await said(carillon, "endpoints", "rotate", "e", "--retire")
    refused = await said(carillon, "endpoints", "ping", "e", status=1)
    assert "401" in refused.stdout.split()
    receiver.secret = newer
    await said(carillon, "endpoints", "ping", "e")
    assert len(receiver.requests) >= 4

    (listed,) = (await said(carillon, "endpoints", "list", "--json")).stdout.splitlines()
    told = orjson.loads(listed)
    assert (told["id"], told["events"], told["secrets"], told["disabledAt"]) == ("e", ["service.alert"], 1, None)
    table = (await said(carillon, "endpoints", "list")).stdout
    assert "service.alert" in table
    assert newer not in table
    await said(carillon, "endpoints", "remove", "e")
    assert (await said(carillon, "endpoints", "list", "--json")).stdout == ""
    assert "there is no such endpoint" in (await said(carillon, "endpoints", "remove", "e", status=1)).stderr


async def test_what_the_interface_refuses_is_told(carillon: Command) -> None:
    wrong = await said(carillon, "endpoints", "add", "ftp://example.test/", status=1)
    assert "url" in wrong.stderr
    assert "answered 401" in (await said(carillon, "endpoints", "list", "--key", "ck_no_such", status=1)).stderr
    assert "answered 403" in (await said(carillon, "suppressions", "list", "--tenant", "other", status=1)).stderr
    await said(carillon, "endpoints", "list", "--url", "http://127.0.0.1:1", status=3)


async def test_suppressions_are_added_listed_and_removed(carillon: Command) -> None:
    await said(carillon, "suppressions", "add", "email", "Ana@Example.test")
    await said(carillon, "suppressions", "add", "sms", "+1 500 555 0001")
    assert "ana@example.test" not in (listed := (await said(carillon, "suppressions", "list")).stdout).lower()
    assert "manual" in listed
    (only,) = (await said(carillon, "suppressions", "list", "--channel", "email", "--json")).stdout.splitlines()
    assert orjson.loads(only)["reason"] == "manual"
    assert len((await said(carillon, "suppressions", "list", "--limit", "1", "--json")).stdout.splitlines()) == 1
    await said(carillon, "suppressions", "remove", "email", "ana@example.test")
    assert (
        "not suppressed"
        in (await said(carillon, "suppressions", "remove", "email", "ana@example.test", status=1)).stderr
    )
    assert len((await said(carillon, "suppressions", "list", "--json")).stdout.splitlines()) == 1
