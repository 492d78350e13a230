"""What an event leads to, and the record that gateways are sent."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.catalogue import shipped
from libs.rules.decisions import Because, Planned, Suppressed, Withheld
from libs.rules.person import Person
from libs.rules.preferences import Offer
from libs.runtime.ids import delivery_id
from libs.schemas.events import Recipients
from libs.schemas.records import AcceptedEvent, NotificationEmission
from services.router.domain.audience import AudienceRules, resolve
from services.router.domain.endpoints import Endpoint
from services.router.domain.expanding import expand
from services.router.domain.incoming import MAX_RECORD_BYTES, Dead, Received, decode
from services.router.domain.notification import RoomPlace, emission
from services.router.domain.placing import TOO_MANY, entries, prior
from services.router.domain.planning import Circumstances, Expansion, Plan, endpoints_asked_for, people_asked_for, plan
from services.router.domain.targeting import Found
from tests.unit.router.events import NOW, TRACEPARENT, accepted, received, record

pytestmark = pytest.mark.covers("F0-4", "S7", "S12", "S14", "B7")

RULES = AudienceRules(frozenset({"admin"}), "system-org", "system-admin")
ADA = Person({"email": "ada@example.org"})
HERE = Circumstances({"email"}, "1", NOW, timedelta(seconds=30))


def planned(event: AcceptedEvent, people: dict[str, Person] | None = None, admins: tuple[str, ...] = ()) -> Plan:
    kind = shipped().find(event.event, event.name)
    known = {(event.tenant, user): person for user, person in (people or {}).items()}
    audience = resolve(event, kind, RULES, Found(admins))
    return plan(received(event), kind, audience, known, HERE)


def test_in_app_alone_asks_nothing_of_the_directory() -> None:
    event = accepted(name="shop.order.updated", recipients=Recipients(user_ids=("ada",)))
    kind = shipped().find(event.event, event.name)
    assert people_asked_for(event, kind, resolve(event, kind, RULES)) == ()
    assert planned(event).notification.decisions_planned == 1


def test_every_person_and_channel_has_a_decision() -> None:
    event = accepted("service.alert", title="t", message="m", metadata={"orgId": "o"})
    found = planned(event, {"ada": ADA}, admins=("ada", "bob"))
    assert [(d.user_id, d.channel, d.decision) for d in found.deliveries] == [
        ("ada", "email", Planned(Because.TYPE_DEFAULT)),
        ("bob", "email", Suppressed(Withheld.UNKNOWN_PERSON)),
    ]
    assert found.notification.decisions_planned == 4
    assert found.deliveries[0].id == delivery_id(event.id, "email", "ada")


def test_a_group_is_expanded_only_on_channels_that_are_open_to_it() -> None:
    event = accepted(
        "system.notification", title="t", message="m", metadata={"orgId": "o"}, channels=("in-app", "email", "push")
    )
    found = planned(event)
    assert found.expansions == (Expansion("org:o", ("email",)),)
    assert orjson.loads(found.notification.audience)["notes"] == ["channel-unavailable:push"]


def test_without_in_app_nothing_stands_in_a_room() -> None:
    event = accepted("system.notification", title="t", message="m", channels=("email",))
    found = planned(event)
    assert found.notification.rooms == ()
    assert orjson.loads(found.notification.audience)["rooms"] == ["tenant"]
    assert found.expansions == (Expansion("tenant", ("email",)),)


@pytest.mark.covers("F2-8", "B11")
@pytest.mark.parametrize(
    ("recipients", "channels", "subject"),
    [
        ({"user_ids": ("ada",)}, ("in-app", "email"), "ada"),
        ({"user_ids": ("ada",)}, ("in-app",), "ada"),
        ({"user_ids": ("ada",)}, ("email", "webhook"), "ada"),
        ({"user_ids": ("ada", "bob")}, ("in-app",), ""),
        ({"user_ids": ("ada", "bob")}, ("email",), ""),
        ({"user_ids": ("ada",), "org_ids": ("o",)}, ("in-app",), ""),
        ({"user_ids": ("ada",), "org_ids": ("o",)}, ("email",), ""),
        ({"agent_ids": ("ada",)}, ("in-app",), ""),
    ],
)
def test_a_notification_has_a_subject_where_it_is_for_one_person_alone(
    recipients: dict[str, Any], channels: tuple[str, ...], subject: str
) -> None:
    assert planned(accepted(recipients=Recipients(**recipients), channels=channels)).subject == subject


@pytest.mark.parametrize(
    ("name", "data", "title", "message"),
    [
        ("a.b.c", None, "Resource Updated", "a.b.c occurred"),
        ("iam.user.created", {"email": "x@y"}, "New User Added", "User x@y has been added to your organization"),
        ("iam.user.created", {}, "New User Added", "A user has been added to your organization"),
    ],
)
def test_text_of_an_event_that_came_without(name: str, data: Any, title: str, message: str) -> None:
    found = planned(accepted(name=name, data=data)).notification
    assert (found.title, found.message) == (title, message)


def test_text_that_the_producer_gave_is_kept() -> None:
    assert planned(accepted(name="a.b.c", title="Mine")).notification.title == "Mine"


def test_the_emission_is_the_contract() -> None:
    event = accepted(
        name="a.b.c",
        data={"n": 1, "deep": {"er": [None]}},
        recipients=Recipients(user_ids=("u",), org_ids=("o",)),
        actor={"id": "x"},
        action_url="/there",
        tags=("a",),
        shape="unknown to this version",
    )
    notification = planned(event).notification
    places = [RoomPlace("user:u", 7, 1), RoomPlace("org:o", 8, 2)]
    sent = NotificationEmission.model_validate_json(emission(notification, places))
    assert sent.id == event.id
    assert sent.created_at == NOW
    assert (sent.data, sent.actor, sent.action_url, sent.tags) == (event.data, event.actor, "/there", ("a",))
    assert [(place.room, place.epoch, place.seq) for place in sent.rooms] == [("user:u", 7, 1), ("org:o", 8, 2)]
    assert sent.traceparent == TRACEPARENT
    assert sent.model_extra == {"shape": "unknown to this version"}


def test_a_group_member_is_decided_as_if_addressed_in_person() -> None:
    event = accepted("service.alert", title="t", message="m", recipients=Recipients(user_ids=("ada", "bob")))
    kind = shipped().find(event.event, event.name)
    members = [("ada", ADA), ("bob", None)]
    in_person = planned(event, {"ada": ADA}).deliveries
    assert tuple(expand(event.id, [Offer(kind, "email", NOW)], members)) == in_person


def test_records_that_hold_no_event_are_dead_with_a_reason() -> None:
    wrong = accepted(name="a.b.c").model_dump_json(by_alias=True).replace('"tenant":"acme",', "").encode()
    found = [decode(record(value)) for value in (None, b"", b"{}", b"\xff", wrong, b"x" * (MAX_RECORD_BYTES + 1))]
    assert all(isinstance(dead, Dead) for dead in found)
    assert [dead.code for dead in found if isinstance(dead, Dead)] == ["malformed-event"] * 5 + ["event-too-large"]
    assert isinstance(found[4], Dead)
    assert found[4].field == "tenant"


def test_a_record_is_read_with_its_trace() -> None:
    event = accepted(name="a.b.c")
    found = decode(record(event))
    assert isinstance(found, Received)
    assert (found.event, found.traceparent) == (event, TRACEPARENT)


def test_the_rooms_before() -> None:
    rooms = ("user:a", "user:b", "agent:c", "org:d")
    assert [prior(rooms, place) for place in range(4)] == [None, None, "user:a user:b", "user:a user:b agent:c"]
    many = (*(f"user:{n}" for n in range(500)), "org:o")
    assert prior(many, 500) == TOO_MANY


def test_a_notification_is_posted_once_to_each_endpoint_that_wants_it() -> None:
    event = accepted("service.alert", title="t", message="m", metadata={"orgId": "o"}, channels=("in-app", "webhook"))
    kind = shipped().find(event.event, event.name)
    audience = resolve(event, kind, RULES, Found(("ada", "bob")))
    known = [
        Endpoint("all", "webhook"),
        Endpoint("alerts", "webhook", events=frozenset({"service.alert"})),
        Endpoint("orders", "webhook", types=frozenset({"shop.order"})),
        Endpoint("chat", "slack"),
    ]
    assert endpoints_asked_for(event, kind)
    assert people_asked_for(event, kind, audience) == ()
    found = plan(received(event), kind, audience, {}, replace(HERE, deliverable={"webhook"}), tenant_endpoints=known)
    assert [(d.user_id, d.channel, d.decision) for d in found.deliveries] == [
        ("endpoint all", "webhook", Planned(Because.CHANNEL_NAMED)),
        ("endpoint alerts", "webhook", Planned(Because.CHANNEL_NAMED)),
    ]
    assert found.notification.decisions_planned == len(found.notification.rooms) + 2


@pytest.mark.parametrize(("deliverable", "note"), [({"webhook"}, "no-endpoint"), (set(), "channel-unavailable")])
def test_why_nothing_is_posted_is_noted(deliverable: set[str], note: str) -> None:
    event = accepted("system.notification", title="t", message="m", metadata={"orgId": "o"}, channels=("webhook",))
    kind = shipped().find(event.event, event.name)
    found = plan(received(event), kind, resolve(event, kind, RULES), {}, replace(HERE, deliverable=deliverable))
    assert (found.deliveries, found.expansions) == ((), ())
    assert orjson.loads(found.notification.audience)["notes"] == [f"{note}:webhook"]


room_sets = st.lists(st.sampled_from(["user:a", "user:b", "org:o", "tenant"]), unique=True).map(tuple)


@given(st.lists(room_sets, max_size=8))
def test_entries_count_down_to_the_head(sets: list[tuple[str, ...]]) -> None:
    """With `head - left_after` as seq every room gets each seq once, in the order of arrival."""
    base = planned(accepted(name="a.b.c")).notification
    notifications = [replace(base, rooms=rooms, id=UUID(int=n)) for n, rooms in enumerate(sets)]
    found = entries(notifications)
    assert found.heads == sorted(found.heads)
    for (tenant, room), count in found.heads:
        rows = zip(found.tenants, found.rooms, found.left_after, strict=True)
        left = [left_after for *key, left_after in rows if key == [tenant, room]]
        assert left == list(range(count - 1, -1, -1))
