"""What preferences mute, a person's and their tenant's, and from which sockets it is kept (S12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.catalogue.types import NotificationType
from libs.schemas.preferences import Preferences, TenantPreferences
from services.gateway.domain.muting import NOT_LIVE, Mute, hides, said, said_by_tenant

pytestmark = pytest.mark.covers("S12")

AT = datetime(2025, 10, 17, 10, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
CATALOGUE = tuple(
    NotificationType.model_validate(
        {"key": key, "category": key[0], "name": key, "channels": ["in-app"], "match": {"event": "service.event"}}
        | {"mandatory": key == "a.must"}
    )
    for key in ("a.one", "a.two", "a.must", "b.one")
)


@pytest.mark.parametrize(
    ("document", "says"),
    [
        ({}, {}),
        ({"mutedTypes": ["b.one", "unheard.of"]}, {"b.one": True, "unheard.of": True}),
        ({"mutedTypes": ["b.one", "a.must"], "types": {"a.must": {"in-app": False}}}, {"b.one": True}),
        ({"types": {"a.one": {"in-app": False}, "b.one": {"in-app": True}}}, {"a.one": True, "b.one": False}),
        ({"categories": {"a": {"in-app": False}}}, {"a.one": True, "a.two": True}),
        (
            {"categories": {"a": {"in-app": False}}, "types": {"a.one": {"in-app": True}}},
            {"a.one": False, "a.two": True},
        ),
        ({"channels": {"in-app": False}}, {NOT_LIVE: True}),
        ({"channels": {"in-app": True}}, {NOT_LIVE: False}),
        ({"channels": {"email": False}, "types": {"a.one": {"email": False}}}, {}),
    ],
)
def test_what_a_document_says_of_types(document: dict[str, Any], says: dict[str, bool]) -> None:
    assert said(Preferences.model_validate(document), CATALOGUE) == says


def test_a_tenant_hides_by_default_and_keeps_what_is_mandatory() -> None:
    off = {"a": {"in-app": False}, "b": {"in-app": True}}
    document = {"defaults": {"categories": off}, "mandatory": {"a.two": ["in-app"], "b.one": ["email"]}}
    assert said_by_tenant(TenantPreferences.model_validate(document), CATALOGUE) == {"a.one": True, "a.two": False}


def test_a_mute_keeps_what_came_in_its_time() -> None:
    mutes = (Mute("a", AT, AT + HOUR), Mute("b", AT))
    assert hides(mutes, "a", AT)
    assert not hides(mutes, "a", AT - HOUR)
    assert not hides(mutes, "a", AT + HOUR)
    assert hides(mutes, "b", AT + 9 * HOUR)
    assert not hides(mutes, "c", AT)


def test_who_is_shown_nothing_live_is_shown_no_type() -> None:
    assert hides((Mute(NOT_LIVE, AT),), "any", AT)
