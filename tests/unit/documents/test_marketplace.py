"""004, marketplace: its seven events by their names, and jobs for people near them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from libs.catalogue.catalogue import shipped
from libs.rules.decisions import Planned
from services.router.domain.audience import asked
from services.router.domain.incoming import Received, Record, decode
from tests.unit.documents.telling import NOW, RULES, World, decided, event, notes, person, told
from tests.unit.ingest.admitting import NOW as ACCEPTED_AT
from tests.unit.ingest.admitting import accepted

pytestmark = pytest.mark.covers("F4-2", "F2-6", "S4", "B1", "B4")

PARTIES = {"professionalId": "pro", "customerId": "customer"}
JOB = event("nearby-job", {"location": {"latitude": 52.52, "longitude": 13.405}, "radiusMeters": 5_000})


@pytest.mark.parametrize(
    ("name", "rooms", "channels"),
    [
        ("booking.created", {"user:pro"}, {"email"}),
        ("booking.accepted", {"user:customer"}, {"email", "push"}),
        ("booking.reminder", {"user:customer", "user:pro"}, {"email", "push"}),
        ("booking.completed", {"user:customer", "user:pro"}, {"email"}),
        ("review.created", {"user:pro"}, {"email"}),
    ],
)
def test_bookings_and_reviews_reach_their_parties(name: str, rooms: set[str], channels: set[str]) -> None:
    world = World(people={"pro": person(), "customer": person()})
    outcome = told(event(name, PARTIES), world)
    assert (outcome.notification.type, set(outcome.notification.rooms)) == (name, rooms)
    wanted = {(room[5:], channel) for room in rooms for channel in channels}
    assert decided(outcome) == dict.fromkeys(wanted, ("planned", "type-default"))


def test_maintenance_is_for_everybody() -> None:
    document = event("system.maintenance", None, "system.notification", title="t", message="m")
    assert told(document).notification.rooms == ("tenant",)


def test_a_job_is_told_to_professionals_near_it() -> None:
    verdict = accepted(JOB)
    received = decode(Record(verdict.event, 0, 0, None, verdict.value, (), NOW.timestamp()))
    assert isinstance(received, Received)
    kind = shipped().get("nearby-job")
    assert kind is not None
    near = asked(received.event, kind, RULES).near
    assert near is not None
    assert (near.room, near.latitude, near.longitude, near.radius) == ("role:PROFESSIONAL", 52.52, 13.405, 5_000)
    outcome = told(JOB, World(people={"pro": person()}, nearby=["pro"]))
    assert outcome.notification.rooms == ("user:pro",)
    (push,) = outcome.deliveries
    assert isinstance(push.decision, Planned)
    assert push.decision.throttle is not None
    assert (push.channel, push.decision.throttle.limit) == ("push", 10)


@pytest.mark.parametrize(
    ("document", "note"),
    [(JOB, "nobody-near"), (event("nearby-job", {"title": "somewhere"}), "no-point:location")],
)
def test_a_job_without_anybody_near_it_is_noted(document: Any, note: str) -> None:
    outcome = told(document)
    assert (outcome.notification.rooms, notes(outcome)) == ((), [note])


def test_a_job_is_over_after_a_day() -> None:
    outcome = told(JOB, World(people={"pro": person()}, nearby=["pro"]))
    expires_at = outcome.notification.expires_at
    assert expires_at is not None
    assert expires_at.isoformat() > ACCEPTED_AT
    late = World(people={"pro": person()}, nearby=["pro"], now=expires_at + timedelta(seconds=1))
    assert decided(told(JOB, late)) == {("pro", "push"): ("suppressed", "expired")}
    assert told(JOB, late).notification.rooms == ()
