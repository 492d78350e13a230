"""Who a notification is for."""

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.catalogue import shipped
from libs.catalogue.types import NotificationType
from libs.schemas import rooms
from libs.schemas.events import EVENT_NAMES, Recipients
from libs.schemas.records import AcceptedEvent
from services.router.domain.audience import Asked, Audience, AudienceRules, Forward, Rule, asked, resolve
from services.router.domain.targeting import Found
from tests.unit.router.events import NOW, accepted

pytestmark = pytest.mark.covers("F0-4", "S14", "S15")

RULES = AudienceRules(frozenset({"admin", "owner"}), "system-org", "system-admin", {"billing": "billing.events"})


def kind_of(event: AcceptedEvent) -> NotificationType:
    return shipped().find(event.event, event.name)


def typed(**rule: Any) -> NotificationType:
    """A type with an audience of its own."""
    fields = {"key": "k", "match": {"event": "service.event"}, "category": "c", "name": "n", "channels": ["in-app"]}
    return NotificationType.model_validate(fields | {"audience": rule})


def audience(event: AcceptedEvent, admins: tuple[str, ...] = ()) -> Audience:
    return resolve(event, kind_of(event), RULES, Found(admins))


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
    assert asked(alert, kind_of(alert), RULES).org == "o"
    assert audience(alert, ("b", "a")).rooms == ("user:a", "user:b")
    critical = alert.model_copy(update={"severity": "critical"})
    assert audience(critical, ("b", "a")).rooms == ("user:a", "user:b", "role:system-admin")


def test_an_alert_that_finds_no_admin_says_so() -> None:
    assert audience(accepted("service.alert", metadata={"orgId": "o"})).notes == ("no-admins:o",)


@pytest.mark.parametrize("wrong", [None, True, "", "a b", "x" * 201, "a\x00b", ["u"], {"id": "u"}, 1.5])
def test_what_is_no_id_addresses_nobody(wrong: Any) -> None:
    found = audience(accepted(name="iam.user.created", data={"createdBy": wrong, "_id": [wrong]}))
    assert found == Audience(Rule.PARTIES, (), (), ("nobody-named",))


def test_named_recipients_replace_the_rule() -> None:
    named = Recipients(user_ids=("u",), agent_ids=("a",), org_ids=("o", "system-org"), departments=("d",), roles=("r",))
    event = accepted("service.alert", metadata={"orgId": "x"}, recipients=named)
    found = audience(event)
    assert found.rooms == ("user:u", "agent:a", "dept:d", "role:r", "role:system-admin", "org:o")
    assert asked(event, kind_of(event), RULES) == Asked()


def test_a_list_that_is_empty_replaces_nothing() -> None:
    empty = Recipients(user_ids=(), org_ids=())
    assert audience(accepted("system.notification", recipients=empty)).rooms == ("tenant",)


def test_forwarding_is_for_the_allow_list_alone() -> None:
    found = audience(accepted(name="a.b.c", recipients=Recipients(service="billing", queue="passwords")))
    assert found.forwards == (Forward("service", "billing", "billing.events"), Forward("queue", "passwords", None))
    assert found.notes == ("queue-not-allowed:passwords",)
    assert found.rooms == ()


@pytest.mark.covers("F2-6")
def test_a_contact_is_for_its_owner_and_a_lead_for_its_assignee() -> None:
    contact = accepted(name="CONTACT_CREATED", metadata={"userId": "u", "orgId": "o"}, data={"owner": {"id": "ann"}})
    assert audience(contact).rooms == ("user:ann",)
    lead = accepted(name="LEAD_ASSIGNED", metadata={"userId": "u"}, data={"assigneeId": "bob"})
    assert (audience(lead).rule, audience(lead).rooms) == (Rule.TYPE, ("user:bob",))
    assert audience(accepted(name="LEAD_ASSIGNED", metadata={"userId": "u"})).notes == ("nobody-named",)


@pytest.mark.covers("S4")
def test_a_name_of_another_event_goes_by_the_rule_of_that_one() -> None:
    ids = {"userId": "u", "agentId": "a", "orgId": "o"}
    assert audience(accepted(name="AGENT_COMPLETED", metadata=ids)).rooms == ("user:u", "agent:a")
    alert = accepted(name="SYSTEM_ALERT", metadata=ids)
    assert asked(alert, kind_of(alert), RULES).org == "o"
    assert audience(accepted(name="system.maintenance")).rooms == ("tenant",)


@pytest.mark.covers("B2")
def test_a_type_adds_to_the_rule_of_its_event_or_stands_in_for_it() -> None:
    event = accepted(name="a.b.c", metadata={"userId": "u"}, data={"team": ["x", {"id": "y"}, "z"]})
    groups = {"departments": ["d"], "roles": ["r"], "topics": ["t"], "tenant": True}
    kind = typed(users=["team"], **groups)
    assert resolve(event, kind, RULES).rooms == ("user:u", "user:x", "user:z", "topic:t", "dept:d", "role:r", "tenant")
    alone = resolve(event, typed(by_event=False, users=["team"]), RULES)
    assert (alone.rule, alone.rooms) == (Rule.TYPE, ("user:x", "user:z"))


def test_who_caused_it_is_left_out_where_the_type_says_so_unless_named() -> None:
    data = {"assigneeId": "ann"}
    task = accepted(name="TASK_ASSIGNED", data=data, actor={"id": "ann"})
    assert (audience(task).rooms, audience(task).notes) == ((), ("nobody-left",))
    assert audience(accepted(name="TASK_ASSIGNED", data=data, metadata={"userId": "ann"})).rooms == ()
    assert audience(accepted(name="TASK_ASSIGNED", data=data, actor={"id": "bob"})).rooms == ("user:ann",)
    assert audience(task.model_copy(update={"recipients": Recipients(user_ids=("ann",))})).rooms == ("user:ann",)


def test_who_is_excluded_is_taken_out_and_noted_where_a_group_may_hold_them() -> None:
    named = Recipients(user_ids=("ann", "bob"), exclude_user_ids=("ann",))
    found = audience(accepted(recipients=named))
    assert (found.rooms, found.excluded) == (("user:bob",), ())
    with_group = audience(accepted(recipients=named.model_copy(update={"org_ids": ("o",)})))
    assert (with_group.rooms, with_group.excluded) == (("user:bob", "org:o"), ("ann",))
    by_rule = accepted("system.notification", recipients=Recipients(exclude_user_ids=("ann",)))
    assert (audience(by_rule).rooms, audience(by_rule).excluded) == (("tenant",), ("ann",))


@pytest.mark.covers("F4-2")
def test_a_job_is_for_professionals_who_are_near_and_not_for_who_posted_it() -> None:
    place = {"location": {"lat": 48.2, "lon": 16.4}, "radiusMeters": 5000}
    job = accepted(name="nearby-job", metadata={"userId": "poster"}, data=place)
    near = asked(job, kind_of(job), RULES).near
    assert near is not None
    assert (near.room, near.radius, near.since) == ("role:PROFESSIONAL", 5000, NOW - timedelta(days=1))
    found = resolve(job, kind_of(job), RULES, Found(nearby=("poster", "ann", "bob")))
    assert found.rooms == ("user:ann", "user:bob")
    crowd = resolve(job, kind_of(job), RULES, Found(nearby=("ann",), too_many=True))
    assert crowd.notes == ("nearest-only",)
    assert audience(job).notes == ("nobody-near",)
    nowhere = accepted(name="nearby-job", data={"location": {"lat": 91, "lon": 0}})
    assert (asked(nowhere, kind_of(nowhere), RULES), audience(nowhere).notes) == (Asked(), ("no-point:location",))


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
    exclude_user_ids=some_ids,
)
anything = st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), st.lists, max_leaves=3)
PATHS = ("createdBy", "_id", "location", "assigneeId")
events = st.builds(
    accepted,
    event=st.sampled_from(EVENT_NAMES),
    name=st.sampled_from(["iam.user.created", "a.b.c", "thinking", "TASK_ASSIGNED", "nearby-job", "AGENT_FAILED"]),
    severity=st.sampled_from(["low", "critical"]),
    metadata=st.fixed_dictionaries({}, optional=dict.fromkeys(("orgId", "userId", "agentId"), anything | ids)),
    data=st.none() | st.fixed_dictionaries({}, optional=dict.fromkeys(PATHS, anything | ids)),
    recipients=st.none() | recipients,
)


@given(events, st.lists(ids, max_size=3))
def test_always_an_answer_the_same_and_in_the_fixed_order(event: AcceptedEvent, admins: list[str]) -> None:
    found = audience(event, tuple(admins))
    assert found == audience(event, tuple(admins))
    assert found.rooms == rooms.ordered(found.rooms)
    assert all(rooms.is_log(room) for room in found.rooms)
    assert not set(found.people) & set(event.recipients.exclude_user_ids if event.recipients else ())
    assert found.rooms or found.forwards or found.notes, "nobody is addressed without a reason"


@given(
    recipients.map(lambda r: r.model_copy(update={"exclude_user_ids": ()})).filter(lambda r: r.user_ids or r.org_ids),
    ids,
)
def test_naming_one_more_person_takes_nobody_away(named: Recipients, more: str) -> None:
    wider = named.model_copy(update={"user_ids": (*named.user_ids, more)})
    before, after = audience(accepted(recipients=named)), audience(accepted(recipients=wider))
    assert set(before.rooms) <= set(after.rooms)
    assert more in after.people
