"""A request to cancel is written once, answered with how far the notification had got, and left to the router."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
import pytest

from tests.integration.ingest.system import System, bearer

pytestmark = pytest.mark.covers("B1", "F2-8")

_NOTIFICATION = """
insert into notifications (tenant, id, event, type, metadata, severity, audience, rooms, catalogue_version,
  decisions_planned, source, accepted_at, planned_at)
values ('default', $1, 'service.event', 'service.event', '{}', 'normal', '{}', '{}', '1', 0, '{}', now(), now())
"""
_DELIVERIES = """
insert into deliveries (tenant, id, notification, user_id, channel, state, reason)
select 'default', gen_random_uuid(), $1, 'ada', 'email', state, state from unnest(array['sent', 'cancelled']) state
"""


def path(notification: UUID) -> str:
    return f"/api/v1/notifications/{notification}/cancel"


async def test_what_nobody_knows_yet_is_noted_and_cancelled_when_it_comes(
    system: System, http: httpx.AsyncClient
) -> None:
    notification = uuid4()
    answer = await http.post(path(notification))
    assert answer.status_code == 202
    assert (answer.json()["status"], answer.json()["channels"]) == ("requested", [])
    assert (await http.post(path(notification))).json()["requestedAt"] == answer.json()["requestedAt"]
    rows = await system.db.fetch("select tenant, id, requested_by, done_at from cancellations")
    assert [tuple(row) for row in rows] == [("default", notification, "user:operator", None)]
    trail = await system.db.fetch("select actor, action, subject from audit_trail")
    assert [tuple(row) for row in trail] == [("user:operator", "notification.cancel", str(notification))]


async def test_it_says_how_far_the_notification_had_got(system: System, http: httpx.AsyncClient) -> None:
    notification = uuid4()
    await system.db.execute(_NOTIFICATION, notification)
    await system.db.execute(_DELIVERIES, notification)
    await system.db.execute(
        "insert into room_log (tenant, room, seq, kind, at, notification) "
        "select 'default', 'user:ada', n, n - 1, now(), $1 from generate_series(1, 2) n",
        notification,
    )
    await http.post(path(uuid4()))
    await system.db.execute(
        "insert into cancellations (tenant, id, requested_by, done_at) values ('default', $1, 'key:k', now())",
        notification,
    )
    answer = await http.post(path(notification))
    assert (answer.status_code, answer.json()["status"]) == (200, "cancelled")
    assert answer.json()["channels"] == [
        {"channel": "email", "state": "cancelled", "count": 1},
        {"channel": "email", "state": "sent", "count": 1},
        {"channel": "in-app", "state": "cancelled", "count": 1},
    ]


async def test_nobody_cancels_for_another_tenant(http: httpx.AsyncClient) -> None:
    stranger = {"Authorization": bearer(roles=["viewer"])["Authorization"]}
    assert (await http.post(path(uuid4()), headers=stranger)).status_code == 403
    assert (await http.post(path(uuid4()), params={"tenant": "other"})).json()["code"] == "tenant-not-allowed"
    assert (await http.post("/api/v1/notifications/seven/cancel")).status_code == 422
