"""`carillon preview` on a running system: what would differ for whom, and nothing is written or sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from devstack.layout import Layout, Neighbours, counts
from devstack.services import Services
from tests.integration.cli.running import Command

pytestmark = pytest.mark.covers("B7", "F2-6")

_NEW = "types: [{key: iam.user.created, channels: [in-app, sms]}]"
_STORED = """
select (select count(*) from notifications) as notifications, (select count(*) from deliveries) as deliveries,
  (select count(*) from expansions) as expansions, (select sum(seq)::int from room_heads) as entries"""


def _event(**recipients: list[str]) -> bytes:
    data = {
        "name": "iam.user.created",
        "metadata": {"timestamp": "2026-01-01T00:00:00Z"},
        "recipients": recipients,
        "data": {"name": "Ana"},
    }
    return orjson.dumps({"event": "service.event", "data": data})


def test_what_would_differ_is_told_per_type_and_channel(
    start_services: Callable[[Layout], Services], neighbours: Neighbours, tmp_path: Path
) -> None:
    start_services(Layout(counts(gateways=0, deliveries=0)))
    carillon = Command(neighbours.environment())
    carillon.sql(
        """insert into users (tenant, user_id, email, phone, created_at)
           select 'default', 'u' || n, 'u' || n || '@example.test', case when n > 0 then '+1500555' || n end,
             now() - interval '1 day' from generate_series(0, 1200) n"""
    )
    carillon.sql(
        """insert into memberships (tenant, user_id, room, joined_at, joined_seq, source)
           select 'default', 'u' || n, 'org:acme', now() - interval '1 hour', 0, 'directory'
           from generate_series(0, 1200) n where n <> 7"""
    )
    carillon.produce("noti", _event(userIds=["u0", "u1"]), _event(orgIds=["acme"]), _event(userIds=["u2"]))
    assert carillon("audit", "--wait", "60").exit_code == 0
    before = carillon.sql(_STORED)
    new = tmp_path / "new.yaml"
    new.write_text(_NEW)

    found = carillon.json("preview", "--catalogue", str(new), "--since", "1h")
    assert (found["looked"], found["affected"], found["unknown"]) == (3, 3, 0)
    sms = {d["after"]: d for d in found["differences"] if d["channel"] == "sms"}
    # u1 and u2 in person, and of the organisation all but u7, who is not in it; u0 has no telephone.
    assert {after: d["count"] for after, d in sms.items()} in (
        {"suppressed, channel-unavailable": 1203},
        {"planned, type-default": 2 + 1199, "suppressed, no-address": 2},
    )
    assert all(len(d["examples"]) <= 3 for d in sms.values())
    assert {d["type"] for d in found["differences"]} == {"iam.user.created"}
    assert "sms" in carillon("preview", "--catalogue", str(new), "--since", "1h").output
    assert carillon.json("preview", "--catalogue", str(new), "--since", "1h", "--tenant", "other")["looked"] == 0
    assert carillon.sql(_STORED) == before

    new.write_text("types: [{key: iam.user.created, channels: [telex]}]")
    wrong = carillon("preview", "--catalogue", str(new), "--since", "1h")
    assert (wrong.exit_code, "line 1" in wrong.output) == (2, True)
