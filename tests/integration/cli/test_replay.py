"""`carillon replay` on a running system: twice is as once, and what is meant is chosen by offset, time and tenant."""

from __future__ import annotations

from collections.abc import Callable

import orjson
import pytest

from devstack.layout import Layout, Neighbours, counts
from devstack.services import Services
from tests.integration.cli.running import Command

pytestmark = pytest.mark.covers("B1", "B7")

_KNOWN = "sent again, and known already"


def _event(title: str) -> bytes:
    metadata = {"timestamp": "2026-01-01T00:00:00Z"}
    data = {"title": title, "message": "m", "metadata": metadata, "recipients": {"userIds": ["ana"]}}
    return orjson.dumps({"event": "system.notification", "data": data})


def test_what_is_replayed_is_a_duplicate_on_every_road(
    start_services: Callable[[Layout], Services], neighbours: Neighbours
) -> None:
    start_services(Layout(counts(gateways=0, deliveries=0)))
    carillon = Command(neighbours.environment())
    carillon.produce("noti", *(_event(f"{n}") for n in range(5)))
    assert carillon("audit", "--wait", "60").exit_code == 0

    dry = carillon("replay", "--topic", "noti", "--all", "--dry-run")
    assert f"would be: 5 {_KNOWN}" in dry.output
    assert len(carillon.records("noti")) == 5
    for topic in ("noti", "noti", "system.notification"):
        done = carillon("replay", "--topic", topic, "--since", "1h")
        assert done.exit_code == 0, done.output
        assert _KNOWN in done.output
        assert "and new" not in done.output
    part = carillon("replay", "noti:0:1-2")
    assert f"2 {_KNOWN}" in part.output
    assert len(carillon.records("noti")) == 5 + 5 + 10 + 2

    audit = carillon("audit", "--wait", "60")
    assert audit.exit_code == 0, audit.output
    (found,) = carillon.sql("select count(*) as written from notifications")
    assert found["written"] == 5
    (trail,) = carillon.sql(
        "select sum((detail ->> 'sent')::int)::int as sent from audit_trail where subject = $1",
        carillon.prefix + "noti",
    )
    assert trail["sent"] == 17


def test_what_was_lost_is_new(carillon: Command) -> None:
    carillon.produce("noti", _event("x"), b"no event")
    place = f"{carillon.prefix}noti:0:{len(carillon.records('noti')) - 2}"
    done = carillon("replay", f"{place}-")
    assert done.exit_code == 1
    assert "1 sent again, and new" in done.output
    assert "not replayed: it is no event" in done.output
    last = carillon.records("noti")[-1]
    assert dict(last.headers)["carillon-first-place"].startswith(place.encode())


def test_only_a_tenant_s_and_only_what_is_asked_for(carillon: Command) -> None:
    carillon.produce("service.event", orjson.dumps({"tenant": "acme", "id": "0" * 8 + "-0000-5000-8000-000000000001"}))
    before = len(carillon.records("service.event"))
    nothing = carillon("replay", "--topic", "service.event", "--all", "--tenant", "other")
    assert (nothing.exit_code, len(carillon.records("service.event"))) == (0, before)
    assert "sent again" not in nothing.output
    assert "sent again" not in carillon("replay", "--topic", "service.event", "--until", "2020-01-01T00:00Z").output
    assert carillon("replay", "--topic", "service.event", "--all", "--tenant", "acme", "--rate", "1000").exit_code == 0
    assert len(carillon.records("service.event")) == before + 1


def test_what_cannot_be_meant_is_refused(carillon: Command) -> None:
    assert carillon("replay").exit_code == 2
    assert carillon("replay", "--topic", "noti").exit_code == 2
    assert carillon("replay", "--topic", "gateway.inbox", "--all").exit_code == 2
    assert carillon("replay", "--topic", "noti", "--since", "yesterday").exit_code == 2
    assert carillon("replay", "--topic", "noti", "--since", "2026-01-01").exit_code == 2
    assert carillon("replay", "gateway.inbox:0:1").exit_code == 2
    beyond = carillon("replay", f"{carillon.prefix}noti:0:999999")
    assert (beyond.exit_code, "there is no record at" in beyond.output) == (1, True)
