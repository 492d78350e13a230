"""Ephemeral events of services: names, bounds, tenants, and the rooms that they go to."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from libs.catalogue.catalogue import shipped
from libs.schemas import ephemerals, rooms
from libs.schemas.records import Ephemeral
from services.ingest.domain.ephemerals import Rules, judge
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule

pytestmark = pytest.mark.covers("F3-6", "F2-4")

TENANTS = TenantRule("acme", frozenset({"acme", "beta"}), frozenset({"acme", "beta", "gamma"}))
RULES = Rules(TENANTS, lambda _tenant: shipped())
HUNDRED = [str(number) for number in range(100)]
TO_U = {"userIds": ["u"]}


def event(**given: Any) -> dict[str, Any]:
    return {"event": "doc:edited", "payload": {"n": 1}, "recipients": TO_U} | given


def test_a_record_for_the_gateways() -> None:
    audience = {
        "userIds": ["u", "u"], "agentIds": ["a"], "orgIds": ["o"], "departments": ["d"], "roles": ["r"],
        "topics": ["t"], "sessionIds": ["s"], "resources": [{"type": "task", "id": "7"}], "tenant": True,
    }  # fmt: skip
    found = judge(event(recipients=audience), RULES, "trace")
    assert isinstance(found, Ephemeral)
    assert found.rooms == (
        "user:u", "agent:a", "org:o", "dept:d", "role:r", "topic:t", "session:s", "res:task:7", "tenant"
    )  # fmt: skip
    assert (found.tenant, found.event, found.payload, found.traceparent) == ("acme", "doc:edited", {"n": 1}, "trace")
    other = judge(event(tenantId="beta"), RULES, None)
    assert isinstance(other, Ephemeral)
    assert other.tenant == "beta"


@pytest.mark.parametrize(
    ("document", "code", "field"),
    [
        ([], "not-an-object", None),
        (event(tenantId="gamma"), "tenant-not-allowed", "tenantId"),
        (event(tenantId="delta"), "tenant-not-allowed", "tenantId"),
        ({"payload": {}, "recipients": TO_U}, "missing-field", "event"),
        (event(event="a b"), "invalid-field", "event"),
        (event(event="x" * 101), "invalid-field", "event"),
        (event(event="connect"), "reserved-event", "event"),
        (event(event="disconnect"), "reserved-event", "event"),
        (event(event="connected"), "reserved-event", "event"),
        (event(event="error"), "reserved-event", "event"),
        (event(event="notification:new"), "reserved-event", "event"),
        (event(event="typing:user-started"), "reserved-event", "event"),
        (event(event="user:online"), "reserved-event", "event"),
        (event(event="presenceStats"), "reserved-event", "event"),
        (event(event="service.alert"), "reserved-event", "event"),
        (event(event="booking.created"), "reserved-event", "event"),
        (event(recipients={}), "too-many-recipients", "recipients"),
        (event(recipients={"userIds": [str(n) for n in range(101)]}), "invalid-field", "recipients.userIds"),
        (
            event(recipients={"userIds": HUNDRED, "tenant": True}),
            "too-many-recipients",
            "recipients",
        ),
        (event(recipients={"resources": [{"type": "a:b", "id": "1"}]}), "invalid-field", "recipients.resources.0.type"),
        (event(payload=[]), "invalid-field", "payload"),
        (event(payload={"x": "y" * 17_000}), "too-large", "payload"),
    ],
)
def test_what_is_refused(document: Any, code: str, field: str | None) -> None:
    found = judge(document, RULES, None)
    assert isinstance(found, Refused)
    assert (found.code, found.field) == (code, field)


@given(st.text(max_size=30), st.text(max_size=30))
def test_no_resource_is_a_room_of_the_platform(kind: str, name: str) -> None:
    found = judge(event(recipients={"resources": [{"type": kind, "id": name}]}), RULES, None)
    if isinstance(found, Ephemeral):
        assert not any(rooms.is_log(room) for room in found.rooms)


@given(st.text(max_size=40))
@example("A\n")
def test_a_name_is_one_or_is_not(name: str) -> None:
    found = judge(event(event=name), RULES, None)
    taken = ephemerals.is_reserved(name) or shipped().registers(name)
    assert isinstance(found, Ephemeral) == (ephemerals.is_name(name) and not taken)
