"""003, collaboration: its twenty-one types go to the people concerned, by email to who is away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import orjson
import pytest

from libs.catalogue.catalogue import shipped
from libs.schemas.preferences import FlatPreferences, Preferences
from tests.unit.documents.telling import World, decided, event, person, told

pytestmark = pytest.mark.covers("F3-3", "F3-4", "F2-6", "S4", "S11", "S13", "B4")

SUBJECT = {"ownerId": "owner", "task": {"id": "t1", "title": "Write it"}, "workflow": {"name": "Import"}}

# The document's enumeration, then its list: name, event, data, who is told.
CONCERNED = [
    ("TASK_ASSIGNED", "task.assigned", {"assigneeId": "ada"}, {"ada"}),
    ("TASK_COMPLETED", "task.completed", {}, {"owner"}),
    ("TASK_COMMENTED", "task.commented", {"assigneeId": "ada"}, {"ada", "owner"}),
    ("WORKFLOW_COMPLETED", "workflow.completed", {}, {"owner"}),
    ("WORKFLOW_FAILED", "workflow.failed", {}, {"owner"}),
    ("MENTION", "team.mention", {"mentionedUserIds": ["ada", "bob"]}, {"ada", "bob"}),
    ("INVITATION", "team.invitation", {"inviteeId": "ada"}, {"ada"}),
    ("APPROVAL_REQUEST", "workflow.approval_requested", {"approverIds": ["ada", "bob"]}, {"ada", "bob"}),
    ("task.due_soon", "task.due_soon", {"assignee": {"id": "ada"}}, {"ada"}),
    ("task.overdue", "task.overdue", {"assignee": {"id": "ada"}}, {"ada"}),
    ("workflow.assigned", "workflow.assigned", {"assigneeId": "ada"}, {"ada"}),
    ("team.member_joined", "team.member_joined", {"memberIds": ["ada"]}, {"ada", "owner"}),
    ("team.role_changed", "team.role_changed", {"memberId": "ada"}, {"ada"}),
]


def key_of(name: str) -> str:
    """The key of a type by the document's name for it."""
    kind = shipped().get(name)
    assert kind is not None
    return kind.key


@pytest.mark.parametrize(("name", "key", "data", "whom"), CONCERNED, ids=[name for name, *_ in CONCERNED])
def test_those_concerned_are_told_and_the_actor_is_not(name: str, key: str, data: Any, whom: set[str]) -> None:
    document = event(name, SUBJECT | data | {"userId": "actor"}, actor={"id": "actor", "displayName": "Eve"})
    outcome = told(document, World(people={user: person() for user in whom}))
    assert outcome.notification.type == key
    assert set(outcome.notification.rooms) == {f"user:{user}" for user in whom}
    states = {(user, channel): state for (user, channel), (state, _) in decided(outcome).items()}
    assert {user for user, channel in states if channel == "push" and states[user, channel] == "planned"} == whom
    mailed = {state for (_, channel), state in states.items() if channel == "email"}
    assert mailed <= {"deferred", "digested"}, "by email only to who is away, or with others"
    assert orjson.loads(orjson.dumps(outcome.notification.extras))["actor"]["id"] == "actor"


@pytest.mark.parametrize(
    ("name", "key", "of", "rooms"),
    [
        ("AGENT_COMPLETED", "agent.completed", "service.event", {"user:u", "agent:a"}),
        ("AGENT_FAILED", "agent.error", "service.event", {"user:u", "agent:a"}),
        ("request_help", "agent.request_help", "agent.event", {"user:u", "agent:a"}),
        ("SYSTEM_ALERT", "service.alert", "service.event", {"user:boss"}),
        ("billing.alert", "billing.alert", "service.alert", {"user:boss"}),
        ("security.alert", "security.alert", "service.alert", {"user:boss"}),
        ("system.maintenance", "system.maintenance", "system.notification", {"org:o"}),
        ("system.feature", "system.feature", "system.notification", {"org:o"}),
    ],
)
def test_the_types_that_other_documents_have_too(name: str, key: str, of: str, rooms: set[str]) -> None:
    texts = {} if of == "service.event" else {"title": "t", "message": "m"}
    document = event(name, {}, of, **texts, metadata={"orgId": "o", "userId": "u", "agentId": "a"})
    outcome = told(document, World(admins=["boss"]))
    assert (outcome.notification.type, set(outcome.notification.rooms)) == (key, rooms)


def test_comments_on_one_task_are_one_email_and_pushes_are_limited() -> None:
    document = event("TASK_COMMENTED", SUBJECT, actor={"id": "eve", "displayName": "Eve"})
    outcome = told(document, World(people={"owner": person()}))
    email, push = (next(d.decision for d in outcome.deliveries if d.channel == name) for name in ("email", "push"))
    assert (email.state, email.reason, email.key) == ("digested", "digest-type", "task.commented task:t1")  # type: ignore[union-attr]
    assert (push.throttle.limit, push.throttle.seconds) == (20, 3_600)  # type: ignore[union-attr]
    assert outcome.notification.message == "Eve commented on your task"


def test_the_documents_preferences() -> None:
    """Its switches by channel, its types by their own names, its quiet hours."""
    document = event("TASK_ASSIGNED", {"assigneeId": "ada"})

    def reasons(**row: Any) -> dict[str, str]:
        wanted = FlatPreferences(**row).applied_to(Preferences(), key_of)
        outcome = told(document, World(people={"ada": replace(person(), preferences=wanted)}))
        assert outcome.notification.rooms == ("user:ada",)
        return {channel: reason for (_, channel), (_, reason) in decided(outcome).items()}

    assert reasons(enable_web_push=False) == {"push": "channel-off", "email": "when-offline"}
    assert reasons(enable_email=False) == {"push": "type-default", "email": "channel-off"}
    assert reasons(preferences={"TASK_ASSIGNED": False}) == {"push": "type-muted", "email": "type-muted"}
    quiet = {"quiet_hours_start": "22:00", "quiet_hours_end": "12:00", "quiet_hours_timezone": "Europe/Berlin"}
    assert reasons(**quiet) == {"push": "quiet-hours", "email": "quiet-hours"}
    assert reasons(**quiet, preferences={"TASK_ASSIGNED": True})["push"] == "type-default"


def test_security_cannot_be_switched_off() -> None:
    everything_off = {"channels": {"email": False, "push": False}, "mutedTypes": ["security.alert"]}
    quiet = {"timeZone": "UTC", "windows": [{"start": "00:00", "end": "23:59"}]}
    world = World(people={"boss": person(everything_off | {"quietHours": quiet})}, admins=["boss"])
    document = event(
        "security.alert", {}, "service.alert", title="t", message="m", severity="high", metadata={"orgId": "o"}
    )
    assert set(decided(told(document, world)).values()) == {("planned", "type-default")}
