"""The document of preferences: what is accepted, and its other names (F2-2, F3-4)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from libs.schemas.preferences import (
    Choice,
    FlatPreferences,
    Preferences,
    QuietHours,
    QuietWindow,
    TenantPreferences,
    enabled,
    zone,
)

pytestmark = pytest.mark.covers("F2-2", "F2-8", "F3-4", "S11", "S12", "S13")


def test_the_simple_form_is_a_document_and_stays_as_it_was() -> None:
    simple: dict[str, Any] = {"channels": {"email": False}, "types": {"service.alert": {"email": True}}}
    document = Preferences.model_validate(simple)
    assert document.model_dump(mode="json", by_alias=True, exclude_unset=True) == simple
    assert enabled(document.channels["email"]) is False
    assert enabled(document.types["service.alert"]["email"]) is True


def test_a_whole_document_is_read_and_written_again() -> None:
    whole: dict[str, Any] = {
        "channels": {"email": {"policy": "when_offline", "frequency": "daily"}, "in-app": False},
        "categories": {"crm": {"push": {"enabled": False, "quietHours": "drop"}}},
        "types": {"contact.created": {"sms": {"policy": "never"}}},
        "mutedTypes": ["booking.created"],
        "unsubscribed": {"email": ["*"]},
        "quietHours": {
            "enabled": True,
            "timeZone": "Europe/Berlin",
            "windows": [{"days": ["mon", "fri"], "start": "22:00", "end": "07:00"}, {"start": "12:00", "end": "13:00"}],
        },
        "digest": {"at": "08:30", "weekday": "fri"},
        "snoozedUntil": "2026-11-21T10:00:00Z",
    }
    document = Preferences.model_validate(whole)
    assert document.model_dump(mode="json", by_alias=True, exclude_unset=True) == whole
    assert enabled(document.types["contact.created"]["sms"]) is False, "never is off"
    assert document.hides("booking.created", "booking")
    assert not document.live


@pytest.mark.parametrize(
    ("document", "at"),
    [
        ({"chanels": {}}, "chanels"),
        ({"channels": {"pigeon": True}}, "channels.pigeon"),
        ({"quietHours": {"timeZone": "Mars/Olympus"}}, "quietHours.timeZone"),
        ({"quietHours": {"timeZone": "../../etc/passwd"}}, "quietHours.timeZone"),
        ({"quietHours": {"windows": [{"start": "24:00", "end": "07:00"}]}}, "quietHours.windows.0.start"),
        ({"quietHours": {"windows": [{"days": [], "start": "22:00", "end": "07:00"}]}}, "quietHours.windows.0.days"),
        ({"snoozedUntil": "2026-11-21T10:00:00"}, "snoozedUntil"),
        ({"channels": {"in-app": {"frequency": "daily"}}}, ""),
        ({"types": {"a b": {}}}, "types.a b"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_its_place(document: dict[str, Any], at: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Preferences.model_validate(document)
    assert ".".join(str(part) for part in refused.value.errors()[0]["loc"]).startswith(at)


def test_a_newer_document_is_read_without_what_is_new() -> None:
    newer = '{"channels": {"email": {"enabled": false, "colour": "red"}}, "moon": 1}'
    assert Preferences.model_validate_json(newer, extra="ignore").channels == {"email": Choice(enabled=False)}


def test_the_inbox_hides_by_type_before_category() -> None:
    document = Preferences(categories={"crm": {"in-app": False}}, types={"contact.created": {"in-app": True}})
    assert document.hides("contact.deleted", "crm")
    assert not document.hides("contact.created", "crm")
    assert not document.hides("booking.created", "booking")


def test_a_tenant_has_defaults_mandatory_types_and_a_zone() -> None:
    document = TenantPreferences.model_validate(
        {"defaults": {"channels": {"sms": False}}, "mandatory": {"security": ["email"]}, "timeZone": "Asia/Kolkata"}
    )
    assert document.mandatory == {"security": ("email",)}
    assert zone(document.time_zone or "").key == "Asia/Kolkata"


# The names of the collaboration document ------------------------------------------------------------------------------


def test_its_defaults_are_on_and_without_quiet_hours() -> None:
    assert FlatPreferences.of(Preferences()).model_dump(by_alias=True) == {
        "enableWebSocket": True,
        "enableWebPush": True,
        "enableEmail": True,
        "preferences": {},
        "quietHoursStart": None,
        "quietHoursEnd": None,
        "quietHoursTimezone": None,
    }


def test_what_was_not_set_there_stays() -> None:
    hours = QuietHours(windows=(QuietWindow(days=("sun",), start="00:00", end="00:00"),))
    document = Preferences(channels={"sms": False}, types={"a": {"email": False}}, quiet_hours=hours)
    changed = FlatPreferences.model_validate({"enableEmail": False}).applied_to(document)
    assert changed == document.model_copy(update={"channels": {"sms": False, "email": False}})


times = st.builds("{:02}:{:02}".format, st.integers(0, 23), st.integers(0, 59))
windows = st.none() | st.tuples(times, times, st.none() | st.sampled_from(["UTC", "Europe/Berlin"]))
flat_types = st.dictionaries(st.sampled_from(["task.assigned", "mention"]), st.booleans())


@given(st.booleans(), st.booleans(), st.booleans(), flat_types, windows)
def test_what_is_said_in_its_names_is_read_in_its_names(
    socket: bool, push: bool, email: bool, types: dict[str, bool], window: tuple[str, str, str | None] | None
) -> None:
    start, end, zone_name = window or (None, None, None)
    flat = FlatPreferences(
        enable_web_socket=socket,
        enable_web_push=push,
        enable_email=email,
        preferences=types,
        quiet_hours_start=start,
        quiet_hours_end=end,
        quiet_hours_timezone=zone_name,
    )
    document = flat.applied_to(Preferences())
    assert FlatPreferences.of(document).model_dump() == flat.model_dump()
    assert flat.applied_to(document) == document
    assert all(document.hides(key, "") is not on for key, on in types.items())
    assert document.live is socket


def test_aliases_become_keys() -> None:
    flat = FlatPreferences(preferences={"AGENT_FAILED": False, "AGENT_COMPLETED": True})
    document = flat.applied_to(Preferences(), {"AGENT_FAILED": "agent.error", "AGENT_COMPLETED": "agent.completed"}.get)  # type: ignore[arg-type]
    assert document.muted_types == ("agent.error",)
    assert document.types["agent.completed"]["push"] == Choice(quiet_hours="ignore")
