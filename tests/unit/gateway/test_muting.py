"""What a person's preferences mute, and from which sockets it is kept (S12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from libs.catalogue.types import NotificationType
from libs.schemas.preferences import Preferences
from services.gateway.domain.muting import NOT_LIVE, Mute, hides, muted_types

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
    ("document", "muted"),
    [
        ({}, set()),
        ({"mutedTypes": ["b.one", "unheard.of"]}, {"b.one", "unheard.of"}),
        ({"mutedTypes": ["b.one", "a.must"], "types": {"a.must": {"in-app": False}}}, {"b.one"}),
        ({"types": {"a.one": {"in-app": False}}}, {"a.one"}),
        ({"categories": {"a": {"in-app": False}}}, {"a.one", "a.two"}),
        ({"categories": {"a": {"in-app": False}}, "types": {"a.one": {"in-app": True}}}, {"a.two"}),
        ({"channels": {"in-app": False}}, {NOT_LIVE}),
        ({"channels": {"email": False}}, set()),
    ],
)
def test_what_a_document_mutes(document: dict[str, Any], muted: set[str]) -> None:
    assert muted_types(Preferences.model_validate(document), CATALOGUE) == muted


def test_a_mute_keeps_what_came_in_its_time() -> None:
    mutes = (Mute("a", AT, AT + HOUR), Mute("b", AT))
    assert hides(mutes, "a", AT)
    assert not hides(mutes, "a", AT - HOUR)
    assert not hides(mutes, "a", AT + HOUR)
    assert hides(mutes, "b", AT + 9 * HOUR)
    assert not hides(mutes, "c", AT)


def test_who_is_shown_nothing_live_is_shown_no_type() -> None:
    assert hides((Mute(NOT_LIVE, AT),), "any", AT)
