"""The command against running services: publish by both doors, audit, explain."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from devstack.layout import Layout, Neighbours, counts
from devstack.services import Services
from tests.integration.cli.running import Command

pytestmark = pytest.mark.covers("F0-1", "F0-3", "B7")


def test_what_is_published_by_both_doors_adds_up_and_is_explained(
    start_services: Callable[[Layout], Services], neighbours: Neighbours, tmp_path: Path
) -> None:
    services = start_services(Layout(counts(gateways=0, deliveries=0)))
    carillon = Command(neighbours.environment())
    key = carillon("keys", "create", "a service").stdout.strip()
    text = ("title=Hello", "message=It works", "--to", "user:ana")

    assert carillon("publish", "system.notification", *text).exit_code == 0
    by_http = carillon("publish", "service.alert", *text, "--http", services.url("ingest"), "--key", key)
    assert by_http.exit_code == 0, by_http.output
    lines = tmp_path / "events.jsonl"
    event = {"event": "service.event", "data": {"name": "a.b.c", "metadata": {"timestamp": "2026-01-01T00:00:00Z"}}}
    lines.write_bytes(b"\n".join([orjson.dumps(event)] * 30))
    assert carillon("publish", "-f", str(lines), "--http", services.url("ingest"), "--key", key).exit_code == 0
    wrong = '{"event": "no.such", "data": {}}'
    carillon("publish", "-", "--unchecked", stdin=wrong)
    mixed = f"{wrong}\n{orjson.dumps(event).decode()}"
    half = carillon("publish", "-", "--unchecked", "--http", services.url("ingest"), "--key", key, stdin=mixed)
    assert half.exit_code == 1
    assert "refused: event: the event is not one of" in half.output

    audit = carillon("audit", "--wait", "60")
    assert audit.exit_code == 0, audit.output
    (row,) = carillon.sql("select id from notifications where event = 'service.alert'")
    assert str(row["id"]) == by_http.stdout.strip()
    story = carillon.json("explain", str(row["id"]), "--user", "ana")
    assert {answer["where"]: answer["reason"] for answer in story["answers"]} == {
        "audience": "named",
        "user:ana": "shown",
        "email": "unknown-person",
    }
    assert "wrong-event" in carillon("dead", "list").output

    carillon.sql("delete from room_log where notification = $1", row["id"])
    assert carillon("audit").exit_code == 1


def test_a_refusal_over_http_is_told(start_services: Callable[[Layout], Services], neighbours: Neighbours) -> None:
    services = start_services(Layout({"ingest": 1}))
    carillon = Command(neighbours.environment())
    arguments = ("publish", "service.alert", "title=t", "message=m", "--http", services.url("ingest"))
    result = carillon(*arguments, "--key", "ck_no_such")
    assert result.exit_code == 1
    assert "401" in result.output
    carillon.environment["CARILLON_API_KEY"] = carillon("keys", "create", "a service").stdout.strip()
    result = carillon(*arguments, "--tenant", "nobody")
    assert result.exit_code == 1
    assert "403" in result.output
