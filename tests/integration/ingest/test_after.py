"""Suppressions, call-backs, unsubscribe links, endpoints, results and timelines on the real database."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import httpx
import orjson
import pytest

from libs.auth.links import Opened, Unsubscribe, address_hash, sign, sign_opened
from libs.runtime.ids import delivery_id
from tests.integration.ingest.system import System, bearer, ingesting, until

pytestmark = pytest.mark.covers("B6", "F2-1", "F2-5", "F3-4")

SECRET, TOKEN = "s" * 40, "twilio-token"
ORIGIN = "https://api.example.test"
SUPPRESSIONS, ENDPOINTS, CALLBACKS = "/api/v1/suppressions", "/api/v1/endpoints", "/api/v1/callbacks"
NUMBER = "+15005550001"


@pytest.fixture
async def http(system: System, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[httpx.AsyncClient]:
    """An ingest that takes links and Twilio's call-backs."""
    told = {"API_URL": ORIGIN, "LINK_SECRET": SECRET, "TWILIO_TOKEN": TOKEN, "EGRESS_NETWORKS": "127.0.0.0/8"}
    for name, value in told.items():
        monkeypatch.setenv(f"CARILLON_{name}", value)
    async with ingesting(system) as client:
        yield client


async def person(system: System, user: str = "ada") -> None:
    await system.db.execute(
        "insert into users (tenant, user_id, email, phone) values ('default', $1, $2, $3)",
        user,
        f"{user}@example.test",
        "+1 (500) 555-0001",
    )


async def delivered(system: System, channel: str, state: str, **values: Any) -> UUID:
    notification = uuid4()
    made = delivery_id(notification, channel, "ada")
    await system.db.execute(
        "insert into deliveries (tenant, id, notification, user_id, channel, state, reason, provider, "
        "provider_message_id, next_attempt_at, claim_token) values ('default', $1, $2, 'ada', $3, $4, $4, $5, $6, "
        "clock_timestamp() + interval '1 hour', $7)",
        made,
        notification,
        channel,
        state,
        values.get("provider"),
        values.get("message"),
        values.get("token"),
    )
    return made


async def twilio(http: httpx.AsyncClient, path: str, form: dict[str, str], token: str = TOKEN) -> httpx.Response:
    text = ORIGIN + path + "".join(name + value for name, value in sorted(form.items()))
    signature = base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()
    headers = {
        "X-Twilio-Signature": signature,
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": "",
    }
    return await http.post(path, content=urlencode(form), headers=headers | {"Authorization": ""})


async def state_of(system: System, delivery: UUID) -> tuple[str, str]:
    row = await system.db.fetchrow("select state, reason from deliveries where id = $1", delivery)
    assert row is not None
    return row["state"], row["reason"]


async def test_suppressions_are_added_listed_found_and_removed(system: System, http: httpx.AsyncClient) -> None:
    asked = {"channel": "email", "address": "Ada.Lovelace@Example.test "}
    made = await http.post(SUPPRESSIONS, json=asked)
    assert made.status_code == 201
    assert (made.json()["masked"], made.json()["reason"]) == ("A•••@Example.test", "manual")
    assert (await http.post(SUPPRESSIONS, json=asked | {"address": "ada.lovelace@example.test"})).json() == made.json()
    await http.post(SUPPRESSIONS, json={"channel": "sms", "address": NUMBER})
    first = (await http.get(SUPPRESSIONS, params={"limit": 1})).json()
    second = (await http.get(SUPPRESSIONS, params={"limit": 1, "cursor": first["next"]})).json()
    assert [page["suppressions"][0]["channel"] for page in (first, second)] == ["sms", "email"]
    assert len((await http.get(SUPPRESSIONS, params={"channel": "sms"})).json()["suppressions"]) == 1
    found = await http.post(f"{SUPPRESSIONS}/find", json=asked)
    assert found.json()["id"] == made.json()["id"]
    assert (await http.delete(f"{SUPPRESSIONS}/{found.json()['id']}")).status_code == 204
    assert (await http.delete(f"{SUPPRESSIONS}/{found.json()['id']}")).status_code == 404
    assert (await http.post(f"{SUPPRESSIONS}/find", json=asked)).status_code == 404
    rows = await system.db.fetch("select action from audit_trail order by at")
    assert [row["action"] for row in rows] == ["suppression.add"] * 2 + ["suppression.remove"]
    kept = await system.db.fetch(
        "select suppressions::text, (select string_agg(detail::text, '') from audit_trail) from suppressions"
    )
    assert "lovelace" not in str(kept).lower()


async def test_another_tenant_sees_none_of_it(system: System, http: httpx.AsyncClient) -> None:
    await system.db.execute("insert into tenants (tenant) values ('acme')")
    made = (await http.post(SUPPRESSIONS, json={"channel": "email", "address": "a@x.test"})).json()
    other = bearer(tenantId="acme")
    assert (await http.get(SUPPRESSIONS, headers=other)).json()["suppressions"] == []
    assert (await http.delete(f"{SUPPRESSIONS}/{made['id']}", headers=other)).status_code == 404
    assert (await http.get(SUPPRESSIONS, params={"tenant": "default"}, headers=other)).status_code == 403


async def test_twilio_tells_what_became_of_a_text_nobody_was_sure_of(system: System, http: httpx.AsyncClient) -> None:
    await person(system)
    unsure = await delivered(system, "sms", "unknown")
    path = f"{CALLBACKS}/twilio/status?tenant=default&delivery={unsure}"
    form = {"MessageSid": "SM1", "MessageStatus": "delivered", "To": NUMBER}
    assert (await twilio(http, path, form, token="wrong")).json()["code"] == "bad-signature"
    assert await state_of(system, unsure) == ("unknown", "unknown")
    assert (await twilio(http, path, form)).status_code == 204
    assert await state_of(system, unsure) == ("delivered", "delivered")
    assert (await twilio(http, path, form)).status_code == 204
    late = form | {"MessageStatus": "sent"}
    assert (await twilio(http, path, late)).status_code == 204
    assert await state_of(system, unsure) == ("delivered", "delivered")


async def test_a_dead_number_bounces_and_is_suppressed(system: System, http: httpx.AsyncClient) -> None:
    await person(system)
    sent = await delivered(system, "sms", "sent", provider="twilio", message="SM2")
    form = {"MessageSid": "SM2", "MessageStatus": "undelivered", "ErrorCode": "30005", "To": NUMBER}
    assert (await twilio(http, f"{CALLBACKS}/twilio/status", form)).status_code == 204
    assert await state_of(system, sent) == ("bounced", "bounced")
    (found,) = (await http.get(SUPPRESSIONS)).json()["suppressions"]
    assert (found["channel"], found["reason"], found["source"]) == ("sms", "bounced", "twilio")
    rows = await system.db.fetch("select state from lifecycle_changes where delivery = $1 order by seq", sent)
    assert [row["state"] for row in rows] == ["bounced"]


async def test_stop_suppresses_in_every_tenant_that_knows_the_number_and_start_takes_it_back(
    system: System, http: httpx.AsyncClient
) -> None:
    await person(system)
    await system.db.execute("insert into users (tenant, user_id, phone) values ('acme', 'b', $1)", NUMBER)
    answers = f"{CALLBACKS}/twilio/answers"
    assert "<Response>" in (await twilio(http, answers, {"From": NUMBER, "Body": "Stop"})).text
    rows = await system.db.fetch("select tenant, reason from suppressions order by tenant")
    assert [tuple(row) for row in rows] == [("acme", "opted-out"), ("default", "opted-out")]
    await twilio(http, answers, {"From": NUMBER, "Body": "START"})
    assert await system.db.fetchval("select count(*) from suppressions") == 0


async def test_reports_of_other_providers_need_the_scope_and_the_tenant(
    system: System, http: httpx.AsyncClient
) -> None:
    await person(system)
    sent = await delivered(system, "email", "sent", provider="smtp")
    said = {"event": "complained", "provider": "postmaster", "deliveryId": str(sent)}
    assert (await http.post(f"{CALLBACKS}/reports", json=said)).status_code == 204
    assert await state_of(system, sent) == ("delivered", "complained")
    by_message = {"event": "bounced", "provider": "smtp", "messageId": "x"}
    assert (await http.post(f"{CALLBACKS}/reports", json=by_message)).json()["code"] == "not-the-platform"
    assert (await http.post(f"{CALLBACKS}/reports", json=said | {"deliveryId": str(uuid4())})).status_code == 404
    key = (await http.post("/api/v1/keys", json={"name": "k", "scopes": ["events:write"]})).json()["key"]
    refused = await http.post(f"{CALLBACKS}/reports", json=said, headers={"Authorization": f"Bearer {key}"})
    assert refused.json()["code"] == "missing-scope"


async def test_one_click_takes_the_type_off_and_the_page_everything(system: System, http: httpx.AsyncClient) -> None:
    await person(system)
    token = sign(Unsubscribe("default", "ada", "email", "booking.created", uuid4()), SECRET)
    path, nobody = f"/api/v1/unsubscribe/{token}", {"Authorization": ""}
    page = await http.get(path, headers=nobody)
    assert "booking.created" in page.text
    assert await system.db.fetchval("select count(*) from preferences") == 0  # looking changes nothing
    one_click = await http.post(path, data={"List-Unsubscribe": "One-Click"}, headers=nobody)
    assert one_click.status_code == 200
    await http.post(path, data={"List-Unsubscribe": "One-Click"}, headers=nobody)
    await http.post(path, data={"scope": "all"}, headers=nobody)
    rows = await system.db.fetch("select version, document, valid_to is null as open from preferences order by version")
    assert [(row["version"], orjson.loads(row["document"])["unsubscribed"], row["open"]) for row in rows] == [
        (1, {"email": ["booking.created"]}, False),
        (2, {"email": ["*"]}, True),
    ]
    assert (await http.post(f"{path}x", headers=nobody)).status_code == 404
    forged = sign(Unsubscribe("default", "ada", "email", "x", uuid4()), "f" * 40)
    assert (await http.get(f"/api/v1/unsubscribe/{forged}", headers=nobody)).status_code == 404


async def test_an_address_that_the_directory_knows_no_more_is_suppressed(
    system: System, http: httpx.AsyncClient
) -> None:
    address = address_hash("default", "email", " Gone@Example.test")
    token = sign(Unsubscribe("default", "gone", "email", "booking.created", uuid4(), address), SECRET)
    for _ in range(2):
        answer = await http.post(
            f"/api/v1/unsubscribe/{token}", data={"List-Unsubscribe": "One-Click"}, headers={"Authorization": ""}
        )
        assert answer.status_code == 200
    found = await http.post(f"{SUPPRESSIONS}/find", json={"channel": "email", "address": "gone@example.test"})
    assert (found.json()["reason"], found.json()["source"]) == ("unsubscribed", "user:gone")
    await person(system, "gone")  # they come back with the same address
    channels = await system.db.fetchval("select suppressed_channels('default', 'gone@example.test', null)")
    assert channels == ["email"]
    assert await system.db.fetchval("select count(*) from audit_trail where action = 'suppression.add'") == 1


async def test_the_life_of_an_endpoint(system: System, http: httpx.AsyncClient) -> None:
    asked = {"id": "orders", "url": "https://127.0.0.1/hook", "types": ["booking.created"], "description": "the shop"}
    made = (await http.post(ENDPOINTS, json=asked)).json()
    assert made["secret"].startswith("whsec_")
    assert (await http.post(ENDPOINTS, json=asked)).json()["code"] == "already-exists"
    listed = await http.get(ENDPOINTS)
    assert "whsec" not in listed.text
    rotated = (await http.post(f"{ENDPOINTS}/orders/secrets")).json()["secret"]
    stored = await system.db.fetchval("select secrets from webhook_endpoints")
    assert stored == [rotated, made["secret"]]
    assert (await http.delete(f"{ENDPOINTS}/orders/secrets/old")).status_code == 204
    assert await system.db.fetchval("select secrets from webhook_endpoints") == [rotated]
    changed = (await http.patch(f"{ENDPOINTS}/orders", json={"disabled": True, "types": []})).json()
    assert (changed["disabledReason"], changed["types"], changed["url"]) == ("disabled", [], asked["url"])
    assert (await http.post(f"{ENDPOINTS}/orders/ping")).status_code == 404
    assert (await http.patch(f"{ENDPOINTS}/orders", json={"disabled": False})).json()["disabledAt"] is None
    assert (await http.patch(f"{ENDPOINTS}/none", json={})).status_code == 404
    chat = {"id": "team", "channel": "slack", "url": "https://hooks.slack.com/services/T/B/secret"}
    assert (
        "secret" not in {k: v for k, v in (await http.post(ENDPOINTS, json=chat)).json().items() if k == "url"}["url"]
    )
    assert (await http.delete(f"{ENDPOINTS}/orders")).status_code == 204
    assert (await http.get(f"{ENDPOINTS}/orders")).status_code == 404


@pytest.mark.parametrize("url", ["ftp://x.test/", "https://user:pass@x.test/", "nonsense-address"])
async def test_an_address_that_cannot_be_posted_to_is_refused(url: str, http: httpx.AsyncClient) -> None:
    refused = await http.post(ENDPOINTS, json={"url": url})
    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "url")


async def test_a_ping_goes_the_way_of_all_deliveries(system: System, http: httpx.AsyncClient) -> None:
    await http.post(ENDPOINTS, json={"id": "e", "url": "https://127.0.0.1/hook"})
    asking = asyncio.create_task(http.post(f"{ENDPOINTS}/e/ping"))

    async def planned() -> int:
        return int(await system.db.fetchval("select count(*) from deliveries where user_id = 'endpoint e'"))

    await until(planned, lambda count: count == 1)
    await system.db.execute("update deliveries set state = 'sent', reason = 'sent'")
    answer = (await asking).json()
    assert (answer["state"], answer["reason"]) == ("sent", "sent")


async def test_a_caller_waits_for_the_result(system: System, http: httpx.AsyncClient) -> None:
    wanted = {"title": "T", "message": "M", "recipients": {"userIds": ["ada"]}, "channels": ["in-app", "email"]}
    asking = asyncio.create_task(http.post("/api/v1/notifications", params={"wait": 10}, json=wanted))
    (record,) = await system.records("system.notification", 1)
    accepted = orjson.loads(record.value)
    notification = UUID(accepted["id"])
    await system.db.execute(
        "insert into notifications (tenant, id, event, type, severity, metadata, audience, rooms, catalogue_version, "
        "decisions_planned, source, accepted_at, planned_at) values ('default', $1, 'system.notification', 't', "
        "'normal', '{}', '{}', '{user:ada}', '1', 2, '{}', now(), now())",
        notification,
    )
    made = delivery_id(notification, "email", "ada")
    await system.db.execute(
        "insert into deliveries (tenant, id, notification, user_id, channel, state, reason) "
        "values ('default', $1, $2, 'ada', 'email', 'planned', 'channel-named')",
        made,
        notification,
    )
    assert not asking.done()
    await system.db.execute(
        "insert into delivery_attempts (tenant, delivery, attempt, outcome, reason, provider, started_at, duration_ms)"
        " values ('default', $1, 1, 'failed', 'bad-address', 'smtp', now(), 12)",
        made,
    )
    await system.db.execute("update deliveries set state = 'failed', reason = 'bad-address', attempts = 1")
    answer = (await asking).json()
    assert (answer["success"], answer["settled"]) == (True, True)
    assert answer["channels"] == {"in-app": True, "email": False}
    assert answer["errors"] == {"email": "bad-address"}
    timeline = (await http.get(f"/api/v1/notifications/{notification}/timeline")).json()
    (delivery,) = timeline["deliveries"]
    assert (delivery["state"], delivery["reason"], delivery["attempts"][0]["durationMs"]) == (
        "failed",
        "bad-address",
        12,
    )
    assert timeline["rooms"] == ["user:ada"]
    rows = await system.db.fetch("select state, channel from lifecycle_changes order by seq")
    assert [tuple(row) for row in rows] == [("planned", "in-app"), ("planned", "email"), ("failed", "email")]


async def test_who_waits_in_vain_is_told_how_far_it_has_come(http: httpx.AsyncClient) -> None:
    wanted = {"title": "T", "message": "M", "recipients": {"userIds": ["ada"]}, "channels": ["email"]}
    answer = await http.post("/api/v1/notifications", params={"wait": 0.2}, json=wanted)
    assert answer.status_code == 202
    assert (answer.json()["success"], answer.json()["errors"]) == (False, {"email": "not-planned-yet"})


async def test_no_more_than_a_bound_may_wait(system: System) -> None:
    async with ingesting(system, wait_limit=0) as client:
        refused = await client.post("/api/v1/notifications", params={"wait": 1}, json={"title": "T", "message": "M"})
        assert (refused.status_code, refused.json()["code"]) == (503, "too-many-waiting")


async def _opened(system: System, delivery: UUID) -> list[str]:
    rows = await system.db.fetch(
        "select state || ' ' || coalesce(reason, '-') as told from lifecycle_changes "
        "where delivery = $1 and state = 'opened'",
        delivery,
    )
    return [row["told"] for row in rows]


async def test_a_mail_is_opened_once_where_the_tenant_wants_to_know(http: httpx.AsyncClient, system: System) -> None:
    sent, other = await delivered(system, "email", "sent"), await delivered(system, "email", "sent")
    text = await delivered(system, "sms", "sent")
    switch = (
        "update tenants set settings = settings || jsonb_build_object('opens', $1::boolean) where tenant = 'default'"
    )
    answers = []

    async def fetch(token: str) -> None:
        answers.append(await http.get(f"/api/v1/opens/{token}", headers={"Authorization": ""}))

    def token(delivery: UUID, secret: str = SECRET) -> str:
        return sign_opened(Opened("default", delivery), secret)

    await fetch(token(sent))  # off by default
    assert await _opened(system, sent) == []
    await system.db.execute(switch, True)
    try:
        for given in (token(sent), token(sent), token(text), token(other, "f" * 40), token(uuid4()), "nothing"):
            await fetch(given)
        assert await _opened(system, sent) == ["opened -"]
        assert await _opened(system, other) == await _opened(system, text) == []
        assert await state_of(system, sent) == ("sent", "sent")
        for _ in range(3):
            await fetch(token(other))  # the first is told, and no more is asked of the database than it may
        assert await _opened(system, other) == ["opened -"]
    finally:
        await system.db.execute(switch, False)
    seen = {(a.status_code, a.headers["content-type"], a.headers["cache-control"], a.content) for a in answers}
    assert len(seen) == 1, "an answer says something about the mail"
    ((status, kind, cached, picture),) = seen
    assert (status, kind, cached, picture[:6], len(picture)) == (200, "image/gif", "no-store", b"GIF89a", 43)
