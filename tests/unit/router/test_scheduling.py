"""Events that wait: their parts, and that what is told later is the same event (F2-8)."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.schemas.events import Recipients
from libs.schemas.preferences import zone
from libs.schemas.records import AcceptedEvent
from services.router.domain.scheduling import schedule
from services.router.domain.timing import urgency
from tests.unit.router.events import accepted, received

pytestmark = pytest.mark.covers("F2-8", "S16")

LOCAL = datetime.fromisoformat("2027-03-28T02:30:00")  # a time that Berlin skips
ZONES = {"ada": "Europe/Berlin", "bob": "America/New_York", "eve": "Asia/Tokyo", None: "Europe/Berlin"}


def zone_of(user: str | None) -> ZoneInfo:
    return zone(ZONES.get(user, "UTC"))


named = st.builds(
    Recipients,
    user_ids=st.lists(st.sampled_from(["ada", "bob", "eve", "joe"]), unique=True).map(tuple),
    org_ids=st.sampled_from([(), ("o",)]),
    tenant=st.booleans(),
    exclude_user_ids=st.sampled_from([(), ("bob",)]),
)


@given(st.none() | named, st.booleans())
def test_every_recipient_is_told_once_at_their_time(recipients: Recipients | None, local: bool) -> None:
    at = LOCAL if local else LOCAL.replace(tzinfo=UTC)
    event = accepted(name="a.b.c", recipients=recipients, deliver_at=at, data={"x": 1}, collapse_key="k")
    parts = schedule(received(event), zone_of).parts
    assert parts == schedule(received(event), zone_of).parts, "the same parts each time that the event comes"
    told = [AcceptedEvent.model_validate_json(part.record) for part in parts]
    assert [part.due_at for part in parts] == sorted({part.due_at for part in parts})
    assert (parts[0].id, len({part.id for part in parts})) == (event.id, len(parts))
    for part, later in zip(parts, told, strict=True):
        assert (later.id, later.accepted_at, later.deliver_at) == (part.id, part.due_at, None)
        assert (later.type, later.data, later.collapse_key, later.tenant) == (event.type, {"x": 1}, "k", event.tenant)
    if recipients is None:
        assert [one.recipients for one in told] == [None]
        return
    of_all = [one.recipients for one in told if one.recipients is not None]
    assert sorted(user for one in of_all for user in one.user_ids) == sorted(recipients.user_ids)
    assert [one.tenant for one in of_all if one.tenant] == [True] * recipients.tenant
    assert [one.org_ids for one in of_all if one.org_ids] == [recipients.org_ids] * bool(recipients.org_ids)
    assert all(one.exclude_user_ids == recipients.exclude_user_ids for one in of_all)
    if local:
        for part, one in zip(parts, of_all, strict=True):
            for user in one.user_ids:
                clock = part.due_at.astimezone(zone_of(user))
                assert (clock.hour, clock.minute) == ((3, 0) if user == "ada" else (2, 30))


@pytest.mark.parametrize(
    ("severity", "priority", "wanted"),
    [
        ("normal", None, 2),
        ("high", None, 1),
        ("low", None, 3),
        ("critical", "LOW", 0),
        ("normal", "HIGH", 1),
        ("high", "LOW", 3),
        ("normal", "URGENT", 0),
    ],
)
def test_urgency(severity: str, priority: str | None, wanted: int) -> None:
    assert urgency(severity, priority) == wanted
