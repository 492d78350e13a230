"""`carillon erase` against running services."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from devstack.layout import Layout, Neighbours
from devstack.services import Services
from tests.integration.cli.running import Command

pytestmark = pytest.mark.covers("B11", "F2-8")


def test_a_person_is_erased_and_everything_still_adds_up(
    start_services: Callable[[Layout], Services], neighbours: Neighbours
) -> None:
    services = start_services(Layout({"ingest": 1, "router": 1}))
    carillon = Command(neighbours.environment())
    key = carillon("keys", "create", "an officer", "--scope", "content:erase").stdout.strip()
    carillon.environment.update({"CARILLON_API_URL": services.url("ingest"), "CARILLON_API_KEY": key})
    text = ("title=Secret", "message=Secret", "--to", "user:ana")
    assert carillon("publish", "system.notification", *text).exit_code == 0
    assert carillon("audit", "--wait", "60").exit_code == 0
    assert carillon("erase", "ana", stdin="n\n").exit_code == 1
    assert carillon("erase", "ana", "--status").exit_code == 1, "nobody has asked yet"
    result = carillon("erase", "ana", "--yes", "--wait", "30", "--json")
    assert result.exit_code == 0, result.output
    found = orjson.loads(result.stdout)
    assert (found["status"], found["notifications"]) == ("erased", 1)
    (row,) = carillon.sql("select title, message, metadata, cancelled_at is not null as gone from notifications")
    assert tuple(row.values()) == (None, None, "{}", True)
    assert carillon("erase", "ana", "--status").stdout.split("\t")[:3] == ["ana", "erased", "1 erased"]
    assert carillon("audit", "--wait", "60").exit_code == 0
