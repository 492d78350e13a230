"""What the guide for producers on BullMQ names is there."""

from __future__ import annotations

import re

import pytest

from libs.schemas import topics
from libs.schemas.events import SystemNotificationData
from tests.unit.docs.codes import ROOT

pytestmark = pytest.mark.covers("F0-9")

GUIDE = (ROOT / "docs" / "guides" / "from-bullmq.md").read_text()


def test_the_fields_of_an_event_exist() -> None:
    known = {field.alias or name for name, field in SystemNotificationData.model_fields.items()}
    named = set(re.findall(r"`data\.(\w+)`", GUIDE))
    assert {"id", "deliverAt", "severity"} <= named <= known


def test_the_topics_exist() -> None:
    known = {topic.name for topic in topics.ALL}
    assert {topics.NOTI.name} == set(re.findall(r"topic: '(\S+)'", GUIDE))
    assert set(re.findall(r"topic `(\S+)`", GUIDE)) <= known


def test_the_routes_exist() -> None:
    source = "".join(path.read_text() for path in (ROOT / "services" / "ingest" / "entrypoints").rglob("*.py"))
    routes = set(re.findall(r"/api/v1/(\w+)", GUIDE))
    assert routes == {"events", "notifications", "asyncapi"}
    assert all(re.search(rf"/{name}\b", source) for name in routes)
    assert "/api/v1/notifications/{notification}/cancel" in source
