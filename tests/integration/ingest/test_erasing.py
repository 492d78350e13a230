"""A request to erase is written once, audited, and answered with how far it is."""

from __future__ import annotations

from datetime import datetime, timedelta

import httpx
import pytest

from libs.schemas import topics
from tests.integration.ingest.system import System, bearer

pytestmark = pytest.mark.covers("B11", "F2-8")

PATH = "/api/v1/directory/users/ada/content"
PLATFORM = bearer(roles=["platform.admin"])


async def key(http: httpx.AsyncClient, *scopes: str) -> dict[str, str]:
    made = await http.post("/api/v1/keys", json={"name": "k", "scopes": list(scopes)})
    assert made.status_code == 201, made.text
    return {"Authorization": f"Bearer {made.json()['key']}"}


async def test_a_person_goes_from_the_directory_and_their_content_is_asked_to_be_erased(
    system: System, http: httpx.AsyncClient
) -> None:
    assert (await http.put("/api/v1/directory/users/ada", json={"email": "ada@example.org"})).status_code == 200
    assert (await http.get(PATH)).status_code == 404
    asked = await http.delete(PATH)
    assert asked.status_code == 202
    assert asked.headers["location"] == PATH
    assert (asked.json()["status"], asked.json()["userId"], asked.json()["notifications"]) == ("requested", "ada", 0)
    at = datetime.fromisoformat(asked.json()["requestedAt"])
    assert datetime.fromisoformat(asked.json()["beyondUntil"]) == at + topics.IDS_KEPT
    assert (await http.get("/api/v1/directory/users/ada")).status_code == 404
    assert (await http.get(PATH)).json() == asked.json()
    trail = await system.db.fetch("select actor, subject from audit_trail where action = 'content.erase'")
    assert [tuple(row) for row in trail] == [("user:operator", "user:ada")]
    await system.db.execute("update erasures set erased_at = now(), seq = 9, notifications = 4")
    assert (await http.get(PATH)).json()["status"] == "erased"
    assert (await http.delete(PATH)).json()["status"] == "requested"
    assert await system.db.fetchval("select seq from erasures") == 0


async def test_it_needs_a_scope_of_its_own_and_its_own_tenant(http: httpx.AsyncClient) -> None:
    refused = await http.delete(PATH, headers=await key(http, "directory:write"))
    assert (refused.status_code, refused.json()["code"]) == (403, "missing-scope")
    allowed = await key(http, "content:erase")
    assert (await http.delete(PATH, headers=allowed, params={"tenant": "other"})).status_code == 403
    assert (await http.delete(PATH, headers=allowed)).status_code == 202


def test_no_topic_has_content_for_longer_than_an_erasure_takes() -> None:
    kept = {topic.name: timedelta(milliseconds=topic.retention_ms) for topic in topics.ALL if topic.retention_ms > 0}
    assert max(kept.values()) < topics.IDS_KEPT
    assert {topic.name for topic in topics.ALL} - kept.keys() == {"directory"}


async def test_a_tenant_that_would_keep_things_too_briefly_is_refused(http: httpx.AsyncClient) -> None:
    for wrong in (3, -1, "30", True):
        document = {"settings": {"retentionDays": wrong}}
        assert (await http.put("/api/v1/directory/tenants/t", json=document, headers=PLATFORM)).status_code == 422
    for right in (0, 15, 365):
        document = {"settings": {"retentionDays": right}}
        assert (await http.put("/api/v1/directory/tenants/t", json=document, headers=PLATFORM)).status_code == 200
