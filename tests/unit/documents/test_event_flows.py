"""000, event flows: each example of the document, from its record to who is told what and where."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from tests.unit.documents.telling import World, decided, event, notes, person, told

pytestmark = pytest.mark.covers("F0-1", "F0-2", "F0-4", "F0-6", "S4", "S7", "S14", "S15")

ORG = "org-abc-456"
OF_AGENT = {"correlationId": "exec-abc-789", "orgId": ORG, "userId": "user-456", "agentId": "agent-code-helper-123"}


def display(title: str, message: str, severity: str) -> dict[str, Any]:
    return {"title": title, "message": message, "severity": severity}


FEATURE = event(
    None,
    {"featureName": "Analytics Dashboard", "ctaUrl": "/reports/analytics", "releaseDate": "2025-10-17"},
    "system.notification",
    **display("New Feature Released", "Analytics Dashboard is now available in the Reports section", "normal"),
    metadata={"correlationId": "ann-001", "orgId": ORG, "userId": "admin-123"},
)
USER_CREATED = event(
    "iam.user.created",
    {
        "_id": "user-new-789",
        "username": "john.doe",
        "email": "john.doe@example.com",
        "roles": ["universe.member"],
        "createdBy": "admin-123",
    },
    metadata={"correlationId": "req-iam-123", "orgId": ORG, "userId": "admin-123"},
)
CATEGORY_CREATED = event(
    "template.category.created",
    {"_id": "cat-123-abc", "name": "Electronics", "isActive": True, "createdBy": "user-456"},
    metadata={"correlationId": "req-template-456", "orgId": ORG, "userId": "user-456"},
)
DATABASE_FAILED = event(
    None,
    {"service": "template", "errorCode": "ECONNREFUSED", "affectedUsers": 150},
    "service.alert",
    **display("Database Connection Failed", "Template service unable to connect to MongoDB", "critical"),
    metadata={"correlationId": "err-template-001", "orgId": "system-org"},
)
QUOTA_WARNING = event(
    None,
    {"resource": "api_calls", "current": 85000, "limit": 100000, "percentage": 85},
    "service.alert",
    **display("API Quota Warning", "Your organization has used 85% of monthly API quota", "high"),
    metadata={"orgId": ORG},
)


def of_agent(name: str, severity: str, data: dict[str, Any]) -> Any:
    return event(name, data, "agent.event", **display("An agent", "does something", severity), metadata=OF_AGENT)


THINKING = of_agent("thinking", "normal", {"executionId": "exec-abc-789", "progress": 30})
TOOL_USE = of_agent("tool_use", "normal", {"tool": {"name": "read_file", "input": {"path": "src/main.ts"}}})
REQUEST_HELP = of_agent("request_help", "high", {"question": "JWT or OAuth2?", "options": ["JWT", "OAuth2"]})
COMPLETED = of_agent("completed", "normal", {"summary": {"filesModified": 5}, "result": {"success": True}})


@pytest.mark.parametrize(
    ("document", "type_", "rooms"),
    [
        (FEATURE, "system.notification", (f"org:{ORG}",)),
        (USER_CREATED, "iam.user.created", ("user:admin-123", "user:user-new-789", f"org:{ORG}")),
        (CATEGORY_CREATED, "template.category.created", ("user:user-456", f"org:{ORG}")),
        (DATABASE_FAILED, "service.alert", ("role:system-admin",)),
        (QUOTA_WARNING, "service.alert", ("user:admin", "user:owner")),
        (THINKING, "agent.thinking", ("user:user-456", "agent:agent-code-helper-123")),
        (TOOL_USE, "agent.tool_use", ("user:user-456", "agent:agent-code-helper-123")),
        (REQUEST_HELP, "agent.request_help", ("user:user-456", "agent:agent-code-helper-123")),
        (COMPLETED, "agent.completed", ("user:user-456", "agent:agent-code-helper-123")),
    ],
    ids=["feature", "user", "category", "database", "quota", "thinking", "tool-use", "help", "completed"],
)
def test_each_example_has_its_type_and_its_rooms(document: Any, type_: str, rooms: tuple[str, ...]) -> None:
    outcome = told(document, World(admins=["admin", "owner"]))
    stored = outcome.notification
    assert (stored.event, stored.type) == (document["event"], type_)
    assert set(stored.rooms) == set(rooms)
    assert orjson.loads(stored.data or "null") == document["data"]["data"]
    assert orjson.loads(stored.metadata).items() >= document["data"]["metadata"].items() - {"timestamp"}
    assert stored.severity == document["data"].get("severity", "normal")
    assert notes(outcome) == []


@pytest.mark.parametrize(
    ("document", "title", "message"),
    [
        (USER_CREATED, "New User Added", "User john.doe@example.com has been added to your organization"),
        (CATEGORY_CREATED, "Category Created", 'New category "Electronics" has been created'),
        (event("cbm.order.completed", {}), "Resource Updated", "cbm.order.completed occurred"),
        (event("billing.plan.renewed", {}), "Resource Updated", "billing.plan.renewed occurred"),
    ],
)
def test_service_events_get_the_documents_texts(document: Any, title: str, message: str) -> None:
    stored = told(document).notification
    assert (stored.title, stored.message) == (title, message)


def test_the_texts_of_the_others_are_the_producers() -> None:
    stored = told(QUOTA_WARNING).notification
    assert (stored.title, stored.message) == (
        "API Quota Warning",
        "Your organization has used 85% of monthly API quota",
    )


def test_alerts_are_mailed_to_admins_and_agents_ask_by_email() -> None:
    people = {name: person() for name in ("admin", "owner", "user-456")}
    world = World(people=people, admins=["admin", "owner"])
    planned = ("planned", "type-default")
    assert decided(told(QUOTA_WARNING, world)) == {("admin", "email"): planned, ("owner", "email"): planned}
    assert decided(told(REQUEST_HELP, world)) == {("user-456", "email"): planned}
    assert decided(told(THINKING, world)) == {}


def test_what_a_producer_names_stands_above_the_rule_of_the_event() -> None:
    named = {"userIds": ["u1"], "agentIds": ["a1"], "orgIds": ["o1"], "service": "billing", "queue": "unknown"}
    outcome = told({**FEATURE, "data": FEATURE["data"] | {"recipients": named}})
    assert outcome.notification.rooms == ("user:u1", "agent:a1", "org:o1")
    assert [(f.kind, f.topic) for f in outcome.forwards] == [("service", "billing.inbox"), ("queue", None)]
    assert notes(outcome) == ["queue-not-allowed:unknown"]


def test_an_announcement_without_an_organisation_is_for_the_tenant_alone() -> None:
    document = event(None, None, "system.notification", title="t", message="m")
    assert told(document).notification.rooms == ("tenant",)


def test_a_critical_alert_of_an_organisation_reaches_the_system_admins_too() -> None:
    critical = {**QUOTA_WARNING, "data": QUOTA_WARNING["data"] | {"severity": "critical"}}
    assert told(critical, World(admins=["owner"])).notification.rooms == ("user:owner", "role:system-admin")


def test_an_organisation_cannot_be_named_so_that_it_is_taken_for_a_resource() -> None:
    document = {**FEATURE, "data": FEATURE["data"] | {"recipients": {"orgIds": ["res:task:1"]}}}
    assert told(document).notification.rooms == ("org:res:task:1",)
