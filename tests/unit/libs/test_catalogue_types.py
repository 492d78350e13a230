"""The shipped catalogue has every type that the source documents name, and equivalents share a key (S4)."""

import re
from pathlib import Path

import pytest

from libs.catalogue.catalogue import shipped
from libs.catalogue.texts import context, texts
from libs.schemas.events import EVENT_NAMES

pytestmark = pytest.mark.covers("S4", "S11", "F0-2", "F2-6", "F3-4", "F4-2")

EVENT_FLOWS = "000 event flows"
MULTI_CHANNEL = "002 multi-channel, multi-tenant"
COLLABORATION = "003 collaboration"
LISTED = "003 collaboration, its list of types"
MARKETPLACE = "004 marketplace"

# What a document calls it, as a producer would write it: event, name; and the key that it has here.
NAMED = [
    *((EVENT_FLOWS, event, None, event) for event in EVENT_NAMES),
    (EVENT_FLOWS, "agent.event", "connected", "agent.connected"),
    (EVENT_FLOWS, "agent.event", "disconnected", "agent.disconnected"),
    (EVENT_FLOWS, "agent.event", "thinking", "agent.thinking"),
    (EVENT_FLOWS, "agent.event", "tool_use", "agent.tool_use"),
    (EVENT_FLOWS, "agent.event", "tool_result", "agent.tool_result"),
    (EVENT_FLOWS, "agent.event", "request_help", "agent.request_help"),
    (EVENT_FLOWS, "agent.event", "completed", "agent.completed"),
    (EVENT_FLOWS, "agent.event", "error", "agent.error"),
    (EVENT_FLOWS, "agent.event", "message", "agent.message"),
    (EVENT_FLOWS, "service.event", "iam.user.created", "iam.user.created"),
    (EVENT_FLOWS, "service.event", "iam.user.updated", "iam.user.updated"),
    (EVENT_FLOWS, "service.event", "iam.organization.created", "iam.organization.created"),
    (EVENT_FLOWS, "service.event", "template.category.created", "template.category.created"),
    (EVENT_FLOWS, "service.event", "template.category.updated", "template.category.updated"),
    (EVENT_FLOWS, "service.event", "template.product.updated", "template.product.updated"),
    (EVENT_FLOWS, "service.event", "cbm.order.completed", "cbm.order.completed"),
    (MULTI_CHANNEL, "service.event", "CONTACT_CREATED", "contact.created"),
    (MULTI_CHANNEL, "service.event", "LEAD_ASSIGNED", "lead.assigned"),
    (COLLABORATION, "service.event", "TASK_ASSIGNED", "task.assigned"),
    (COLLABORATION, "service.event", "TASK_COMPLETED", "task.completed"),
    (COLLABORATION, "service.event", "TASK_COMMENTED", "task.commented"),
    (COLLABORATION, "service.event", "WORKFLOW_COMPLETED", "workflow.completed"),
    (COLLABORATION, "service.event", "WORKFLOW_FAILED", "workflow.failed"),
    (COLLABORATION, "service.event", "AGENT_COMPLETED", "agent.completed"),
    (COLLABORATION, "service.event", "AGENT_FAILED", "agent.error"),
    (COLLABORATION, "service.event", "MENTION", "team.mention"),
    (COLLABORATION, "service.event", "INVITATION", "team.invitation"),
    (COLLABORATION, "service.event", "APPROVAL_REQUEST", "workflow.approval_requested"),
    (COLLABORATION, "service.event", "SYSTEM_ALERT", "service.alert"),
    (LISTED, "service.event", "task.due_soon", "task.due_soon"),
    (LISTED, "service.event", "task.overdue", "task.overdue"),
    (LISTED, "service.event", "workflow.assigned", "workflow.assigned"),
    (LISTED, "agent.event", "request_help", "agent.request_help"),
    (LISTED, "service.event", "team.member_joined", "team.member_joined"),
    (LISTED, "service.event", "team.role_changed", "team.role_changed"),
    (LISTED, "system.notification", "system.maintenance", "system.maintenance"),
    (LISTED, "system.notification", "system.feature", "system.feature"),
    (LISTED, "service.alert", "billing.alert", "billing.alert"),
    (LISTED, "service.alert", "security.alert", "security.alert"),
    (MARKETPLACE, "service.event", "booking.created", "booking.created"),
    (MARKETPLACE, "service.event", "booking.accepted", "booking.accepted"),
    (MARKETPLACE, "service.event", "booking.reminder", "booking.reminder"),
    (MARKETPLACE, "service.event", "booking.completed", "booking.completed"),
    (MARKETPLACE, "service.event", "review.created", "review.created"),
    (MARKETPLACE, "service.event", "nearby-job", "nearby-job"),
    (MARKETPLACE, "service.event", "system.maintenance", "system.maintenance"),
]


@pytest.mark.parametrize(("document", "event", "name", "key"), NAMED)
def test_a_name_of_the_documents_has_its_type(document: str, event: str, name: str | None, key: str) -> None:
    assert shipped().find(event, name).key == key, document  # type: ignore[arg-type]
    assert event != "service.event" or name is None or name.count(".") > 1 or shipped().registers(name)


def test_every_document_has_all_of_its_types_here() -> None:
    counts = {document: len({key for of, *_, key in NAMED if of == document}) for document, *_ in NAMED}
    assert counts == {EVENT_FLOWS: 4 + 9 + 7, MULTI_CHANNEL: 2, COLLABORATION: 11, LISTED: 10, MARKETPLACE: 7}


def test_nothing_else_is_shipped_than_what_they_name_and_the_rest_of_the_users() -> None:
    assert {kind.key for kind in shipped().types} == {key for *_, key in NAMED} | {"iam.user"}


def test_types_of_collaboration_are_mailed_only_to_who_is_away() -> None:
    of_work = [kind for kind in shipped().types if kind.category in ("task", "workflow", "team")]
    assert len(of_work) == 13
    assert {kind.email for kind in of_work} == {"when_offline"}


def test_marketplace_clients_hear_the_names_of_their_document() -> None:
    for document, _, name, key in NAMED:
        kind = shipped().get(key)
        assert kind is not None
        if document == MARKETPLACE:
            assert kind.wire_names == {"/ws/notifications": name}


@pytest.mark.parametrize("kind", shipped().types, ids=lambda kind: kind.key)
def test_every_type_has_a_text_without_any_data(kind: object) -> None:
    entry = next(entry for entry in shipped().types if entry is kind)
    told = texts(entry, "email", context(None, event_name="a.b.c"), "de-AT")
    assert told.title
    assert told.message
    assert "{" not in told.title + told.message


def test_priority_of_an_assigned_lead_is_high() -> None:
    lead, contact = shipped().get("LEAD_ASSIGNED"), shipped().get("CONTACT_CREATED")
    assert lead is not None
    assert contact is not None
    assert (lead.priority, contact.priority) == ("HIGH", None)


def test_the_page_of_types_has_every_one() -> None:
    page = (Path(__file__).parents[3] / "docs" / "catalogue.md").read_text()
    assert set(re.findall(r"^\| `([^`]+)` \| [A-Z]", page, re.MULTILINE)) == {kind.key for kind in shipped().types}
