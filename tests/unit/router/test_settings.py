"""Settings of the router."""

from typing import Any

import pytest
from pydantic import ValidationError

from devstack.layout import DEVELOPMENT_SEALING_KEY
from services.router.settings import Settings

pytestmark = pytest.mark.covers("F0-4")

NEEDED: dict[str, Any] = {
    "kafka_bootstrap": "k:9092",
    "postgres_dsn": "postgresql://p/d",
    "sealing_keys": DEVELOPMENT_SEALING_KEY,
    "environment": "development",
}


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_ALERT_ROLES", "boss, deputy,")
    monkeypatch.setenv("CARILLON_FORWARD_TOPICS", "billing=billing.events,crm=crm")
    rules = Settings(**NEEDED).audience_rules
    assert rules.alert_roles == {"boss", "deputy"}
    assert rules.forward_topics == {"billing": "billing.events", "crm": "crm"}


@pytest.mark.parametrize("wrong", ["billing", "=topic", "name=", "a=b c"])
def test_a_forward_without_a_topic_is_refused(wrong: str) -> None:
    with pytest.raises(ValidationError, match="expected name=topic"):
        Settings(**NEEDED, forward_topics=wrong)
