"""Who a notification is for."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.catalogue import shipped
from libs.schemas import rooms
from libs.schemas.events import EVENT_NAMES, Recipients
from libs.schemas.records import AcceptedEvent
from services.router.domain.audience import Audience, AudienceRules, Forward, Rule, org_asked_for_admins, resolve
from tests.unit.router.events import accepted

pytestmark = pytest.mark.covers("F0-4", "S14", "S15")

RULES = AudienceRules(frozenset({"admin", "owner"}), "system-org", "system-admin", {"billing": "billing.events"})


def audience(event: AcceptedEvent, admins: tuple[str, ...] = ()) -> Audience:
    return resolve(event, shipped().find(event.event, event.name), RULES, admins)


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        (accepted("system.notification", metadata={"orgId": "o"}), ("org:o",)),
        (accepted("system.notification"), ("tenant",)),
        (accepted("system.notification", metadata={"orgId": "system-org"}), ("role:system-admin",)),
        (accepted(name="a.b.c", metadata={"userId": "u", "orgId": "o"}), ("user:u", "org:o")),
        (accepted(name="a.b.c", data={"createdBy": "c"}), ("user:c",)),
        (
            accepted(name="iam.user.created", metadata={"userId": "u", "orgId": "o"}, data={"_id": "new"}),
            ("user:new", "user:u", "org:o"),
        ),
        (accepted(name="iam.user.deleted", data={"_id": 17}), ("user:17",)),
        (accepted("service.alert"), ("role:system-admin",)),
        (accepted("service.alert", metadata={"orgId": "system-org"}, severity="critical"), ("role:system-admin",)),
        (accepted("agent.event", name="thinking", metadata={"userId": "u", "agentId": "a"}), ("user:u", "agent:a")),
    ],
    ids=lambda value: value.event if isinstance(value, AcceptedEvent) else " ".join(value),
)
def test_rule_of_each_event(event: AcceptedEvent, wanted: tuple[str, ...]) -> None:
    assert audience(event).rooms == wanted


def test_alert_goes_to_admins_and_critical_adds_the_system_admins() -> None:
    alert = accepted("service.alert", metadata={"orgId": "o"})
    assert org_asked_for_admins(alert, RULES) == "o"
    assert audience(alert, ("b", "a")).rooms == ("user:a", "user:b")
    critical = alert.model_copy(update={"severity": "critical"})
    assert audience(critical, ("b", "a")).rooms == ("user:a", "user:b", "role:system-admin")


def test_an_alert_that_finds_no_admin_says_so() -> None:
    assert audience(accepted("service.alert", metadata={"orgId": "o"})).notes == ("no-admins:o",)


@pytest.mark.parametrize("wrong", [None, True, "", "a b", "x" * 201, "a\x00b", ["u"], {"id": "u"}, 1.5])
def test_what_is_no_id_addresses_nobody(wrong: Any) -> None:
    found = audience(accepted(name="iam.user.created", data={"createdBy": wrong, "_id": wrong}))
    assert found == Audience(Rule.PARTIES, (), (), ("nobody-named",))


def test_named_recipients_replace_the_rule() -> None:
    named = Recipients(user_ids=("u",), agent_ids=("a",), org_ids=("o", "system-org"), departments=("d",), roles=("r",))
    found = audience(accepted("service.alert", metadata={"orgId": "x"}, recipients=named))
    assert found.rooms == ("user:u", "agent:a", "dept:d", "role:r", "role:system-admin", "org:o")
    assert org_asked_for_admins(accepted("service.alert", metadata={"orgId": "x"}, recipients=named), RULES) is None


def test_a_list_that_is_empty_replaces_nothing() -> None:
    empty = Recipients(user_ids=(), org_ids=())
    assert audience(accepted("system.notification", recipients=empty)).rooms == ("tenant",)


def test_forwarding_is_for_the_allow_list_alone() -> None:
    found = audience(accepted(name="a.b.c", recipients=Recipients(service="billing", queue="passwords")))
    assert found.forwards == (Forward("service", "billing", "billing.events"), Forward("queue", "passwords", None))
    assert found.notes == ("queue-not-allowed:passwords",)
    assert found.rooms == ()


ids = st.text(st.characters(codec="utf-8", exclude_categories=("Z", "C")), min_size=1, max_size=8)
some_ids = st.lists(ids, max_size=4).map(tuple)
recipients = st.builds(
    Recipients,
    user_ids=some_ids,
    agent_ids=some_ids,
    org_ids=some_ids,
    departments=some_ids,
    roles=some_ids,
    tenant=st.booleans(),
    broadcast=st.booleans(),
)
anything = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=3)
events = st.builds(
    accepted,
    event=st.sampled_from(EVENT_NAMES),
    name=st.sampled_from(["iam.user.created", "a.b.c", "thinking"]),
    severity=st.sampled_from(["low", "critical"]),
    metadata=st.fixed_dictionaries({}, optional=dict.fromkeys(("orgId", "userId", "agentId"), anything | ids)),
    data=st.none() | st.fixed_dictionaries({}, optional=dict.fromkeys(("createdBy", "_id"), anything | ids)),
    recipients=st.none() | recipients,
)


@given(events, st.lists(ids, max_size=3))
def test_always_an_answer_the_same_and_in_the_fixed_order(event: AcceptedEvent, admins: list[str]) -> None:
    found = audience(event, tuple(admins))
    assert found == audience(event, tuple(admins))
    assert found.rooms == rooms.ordered(found.rooms)
    assert all(rooms.is_log(room) for room in found.rooms)
    assert found.rooms or found.forwards or found.notes, "nobody is addressed without a reason"


@given(recipients.filter(lambda r: r.user_ids or r.org_ids), ids)
def test_naming_one_more_person_takes_nobody_away(named: Recipients, more: str) -> None:
    wider = named.model_copy(update={"user_ids": (*named.user_ids, more)})
    before, after = audience(accepted(recipients=named)), audience(accepted(recipients=wider))
    assert set(before.rooms) <= set(after.rooms)
    assert more in after.people
