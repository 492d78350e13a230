"""`GET …/explanation`: who may ask, about which tenant, and what is answered by the versions of the planning time."""

from __future__ import annotations

from uuid import UUID, uuid4

import httpx
import pytest
from starlette.applications import Starlette

from libs.catalogue.catalogue import shipped
from services.gateway.entrypoints import forwarding
from tests.integration.ingest.system import System, bearer

pytestmark = pytest.mark.covers("B7", "F2-4")

_NOTIFICATION = """
insert into notifications (tenant, id, event, type, name, severity, metadata, extras, audience, rooms,
  catalogue_version, decisions_planned, source, accepted_at, planned_at)
values ('default', $1, 'service.event', 'iam.user.created', 'iam.user.created', 'normal', '{}',
  '{"channels": ["email"]}', '{"rule": "named", "rooms": ["user:ada", "org:acme"]}', '{}', $2, 1,
  '{"topic": "http", "partition": 0, "offset": 0}', now(), now())"""


def path(notification: UUID) -> str:
    return f"/api/v1/notifications/{notification}/explanation"


async def planned(system: System) -> UUID:
    """By email to ada and to an organisation that bea joined before, and cyd after."""
    notification = uuid4()
    for user, joined in (("ada", None), ("bea", "-1 hour"), ("cyd", "1 hour"), ("dan", None)):
        await system.db.execute(
            "insert into users (tenant, user_id, email, created_at) "
            "values ('default', $1, $1 || '@example.test', now() - interval '1 day')",
            user,
        )
        if joined:
            await system.db.execute(
                "insert into memberships (tenant, user_id, room, joined_at, joined_seq, source) "
                "values ('default', $1, 'org:acme', now() + $2::text::interval, 0, 'directory')",
                user,
                joined,
            )
    await system.db.execute(
        """insert into preferences (tenant, user_id, version, document, valid_from, valid_to)
           values ('default', 'bea', 1, '{"channels": {"email": false}}', now() - interval '1 h',
                   now() + interval '1 s'),
                  ('default', 'bea', 2, '{}', now() + interval '1 s', null)"""
    )
    await system.db.execute(
        "insert into deliveries (tenant, id, notification, user_id, channel, state, reason, attempts) "
        "values ('default', $1, $2, 'ada', 'email', 'sent', 'sent', 1)",
        uuid4(),
        notification,
    )
    await system.db.execute(_NOTIFICATION, notification, shipped().version)
    return notification


async def test_everybody_s_answer_is_by_the_versions_of_that_time(system: System, http: httpx.AsyncClient) -> None:
    notification = await planned(system)
    found = {}
    for user in ("ada", "bea", "cyd", "dan"):
        story = (await http.get(path(notification), params={"user": user})).json()
        (email,) = [answer for answer in story["answers"] if answer["where"] == "email"]
        found[user] = email["state"], email["reason"], email["derived"]
        decided = [step for step in email["steps"] if step["outcome"] == "decided"]
        assert (len(email["steps"]), len(decided)) == (20, 1)
        assert story["versions"]["preferences"] == (1 if user == "bea" else None)
    assert found == {
        "ada": ("sent", "sent", False),
        "bea": ("suppressed", "channel-off", True),
        "cyd": ("not sent", "outside-audience", True),
        "dan": ("not sent", "outside-audience", True),
    }


async def test_without_a_person_the_whole_notification_is_told(system: System, http: httpx.AsyncClient) -> None:
    story = (await http.get(path(await planned(system)))).json()
    assert story["totals"] == [{"channel": "email", "state": "sent", "reason": "sent", "people": 1}]
    assert story["notification"]["addressed"] == ["user:ada", "org:acme"]
    assert (story["reader"], story["answers"]) == (None, [])
    assert "example.test" not in str(story)


async def test_only_who_may_read_states_is_answered_and_only_of_their_tenant(
    system: System, http: httpx.AsyncClient
) -> None:
    notification = await planned(system)
    other = bearer(tenantId="other")
    assert (await http.get(path(notification), headers=other)).status_code == 404
    assert (await http.get(path(notification), params={"tenant": "default"}, headers=other)).status_code == 403
    assert (await http.get(path(notification), headers=bearer(roles=["member"]))).status_code == 403
    assert (await http.get(path(notification), headers={"Authorization": "Bearer x"})).status_code == 401
    key = (await http.post("/api/v1/keys", json={"name": "n", "scopes": ["directory:read"]})).json()["key"]
    answer = await http.get(path(notification), headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json()["code"]) == (403, "missing-scope")


async def test_the_gateway_hands_the_question_on(system: System, http: httpx.AsyncClient) -> None:
    notification = await planned(system)
    gateway = httpx.ASGITransport(Starlette(routes=forwarding.routes(http)))
    async with httpx.AsyncClient(transport=gateway, base_url="http://gateway.test") as public:
        story = await public.get(path(notification), params={"user": "ada"}, headers=bearer())
        assert (story.status_code, story.json()["reader"]) == (200, "ada")
        assert (await public.get(path(notification), headers=bearer(tenantId="other"))).status_code == 404
        assert (await public.post(path(notification), headers=bearer())).status_code == 405


async def test_what_is_not_planned_is_a_problem_that_says_why(system: System, http: httpx.AsyncClient) -> None:
    waiting = uuid4()
    await system.db.execute(
        "insert into scheduled (tenant, id, event_id, event, source_topic, due_at) "
        "values ('default', $1, $1, 'service.event', 'noti', '2030-01-01T08:00:00Z')",
        waiting,
    )
    answer = await http.get(path(waiting))
    assert (answer.status_code, answer.json()["code"]) == (404, "not-planned")
    assert "2030-01-01T08:00:00.000Z" in answer.json()["detail"]
    assert (await http.get(path(uuid4()))).json()["code"] == "not-found"
