"""001, internal module: notifications for a person, departments and everybody in the tenant."""

from __future__ import annotations

import pytest

from tests.unit.documents.telling import World, decided, event, person, told

pytestmark = pytest.mark.covers("F1-3", "S12", "S14")

USER = "550e8400-e29b-41d4-a716-446655440000"
DEPARTMENT = "550e8400-e29b-41d4-a716-446655440001"
TEXTS = {"title": "Test Notification", "message": "This is a test"}


@pytest.mark.parametrize(
    ("recipients", "rooms"),
    [
        ({"userIds": [USER]}, (f"user:{USER}",)),
        ({"departments": [DEPARTMENT, "sales"]}, (f"dept:{DEPARTMENT}", "dept:sales")),
        ({"tenant": True}, ("tenant",)),
        ({"broadcast": True}, ("broadcast",)),
        ({"userIds": [USER], "departments": [DEPARTMENT]}, (f"user:{USER}", f"dept:{DEPARTMENT}")),
    ],
)
def test_the_rooms_of_the_document(recipients: dict[str, object], rooms: tuple[str, ...]) -> None:
    document = event(None, None, "system.notification", **TEXTS, recipients=recipients)
    outcome = told(document)
    assert outcome.notification.rooms == rooms
    assert (outcome.notification.title, outcome.notification.message) == tuple(TEXTS.values())
    assert outcome.notification.decisions_planned == len(rooms)


def test_who_has_muted_the_type_has_it_in_the_inbox_all_the_same() -> None:
    """The log is the same for all: the gateway hides what is muted."""
    quiet = World(people={USER: person({"mutedTypes": ["system.notification"]})})
    named = {"recipients": {"userIds": [USER]}, "channels": ["in-app", "email"]}
    outcome = told(event(None, None, "system.notification", **TEXTS, **named), quiet)
    assert outcome.notification.rooms == (f"user:{USER}",)
    assert decided(outcome) == {(USER, "email"): ("suppressed", "type-muted")}
