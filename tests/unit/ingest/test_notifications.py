"""Direct sends are events."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson
import pytest

from services.ingest.domain.admission import Accepted, admit
from services.ingest.domain.notifications import DirectEvent, as_event, place
from services.ingest.domain.origins import RequestOrigin
from services.ingest.domain.refusals import Refused
from tests.unit.ingest.admitting import NOW, RULES

pytestmark = pytest.mark.covers("F0-6", "F2-1", "S4", "S5", "S16")

ROOT = UUID(int=7)


def sent(request: Any) -> dict[str, Any] | Refused:
    event = as_event(request, RULES)
    if isinstance(event, Refused):
        return event
    assert isinstance(event, DirectEvent)
    verdict = admit(event.document, RequestOrigin(ROOT), RULES, key=event.key)
    if isinstance(verdict, Refused):
        return place(verdict)
    assert isinstance(verdict, Accepted)
    record: dict[str, Any] = orjson.loads(verdict.value)
    return record


def test_a_direct_send_is_an_announcement_of_now() -> None:
    record = sent({"title": "Hi", "message": "there", "recipients": {"userIds": ["a"]}, "channels": ["email"]})
    assert isinstance(record, dict)
    assert (record["event"], record["type"], record["id"]) == ("system.notification", "system.notification", str(ROOT))
    assert record["metadata"] == {"timestamp": NOW}
    assert (record["channels"], record["recipients"]) == (["email"], {"userIds": ["a"]})


@pytest.mark.parametrize(
    ("named", "key", "event", "name"),
    [
        ("booking.created", "booking.created", "service.event", "booking.created"),
        ("CONTACT_CREATED", "contact.created", "service.event", "contact.created"),
        ("iam.user", "iam.user", "service.event", "iam.user"),
        ("service.alert", "service.alert", "service.alert", None),
    ],
)
def test_a_type_by_key_or_alias_says_what_it_is(named: str, key: str, event: str, name: str | None) -> None:
    record = sent({"type": named, "title": "T", "message": "M"})
    assert isinstance(record, dict)
    assert (record["type"], record["event"], record.get("name")) == (key, event, name)


def test_an_agents_type_needs_what_an_agents_event_needs() -> None:
    request = {"type": "AGENT_COMPLETED", "title": "Done", "message": "All of it"}
    refused = sent(request)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.field) == ("missing-field", "metadata.orgId")
    record = sent(request | {"metadata": {"orgId": "o", "userId": "u", "agentId": "a"}})
    assert isinstance(record, dict)
    assert (record["type"], record["name"]) == ("agent.completed", "completed")


@pytest.mark.parametrize(
    ("request_", "code", "field"),
    [
        ([], "not-an-object", None),
        ({"type": "nope"}, "unknown-type", "type"),
        ({"type": 5}, "unknown-type", "type"),
        ({"metadata": 5, "title": "T", "message": "M"}, "invalid-field", "metadata"),
        ({"message": "M"}, "missing-field", "title"),
        ({"event": "x"}, "wrong-event", "event"),
        ({"title": "T", "message": "M", "actionUrl": "javascript:x"}, "invalid-field", "actionUrl"),
    ],
)
def test_faults_are_named_as_the_caller_wrote_them(request_: Any, code: str, field: str | None) -> None:
    refused = sent(request_)
    assert isinstance(refused, Refused)
    assert (refused.code, refused.field) == (code, field)
