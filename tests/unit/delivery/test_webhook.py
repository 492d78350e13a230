"""Signed webhooks: the signature of the specification's own example, a body that never changes, rotated secrets."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import orjson
import pytest

from libs.outbound.signing import signature
from services.delivery.domain import webhook
from services.delivery.domain.delivery import Content, Delivery, Recipient
from services.delivery.domain.retry import asked_to_wait
from services.delivery.errors import Invalid

pytestmark = pytest.mark.covers("F2-5")

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
DOCUMENT = {"event": "service.event", "name": "shop.order.paid", "metadata": {"orgId": "o"}, "data": {"total": 3}}
SENT = Delivery(
    "acme",
    UUID(int=1),
    "webhook",
    UUID(int=2),
    0,
    NOW,
    Recipient("endpoint e"),
    Content(UUID(int=3), "service.event", "high", "Paid", "Order 3 is *paid*.", "/orders/3", DOCUMENT),
    "00-" + "a" * 32 + "-" + "b" * 16 + "-01",
)


def test_the_body() -> None:
    assert orjson.loads(webhook.body(SENT, "https://app.example.test")) == {
        "type": "service.event",
        "timestamp": "2026-11-21T10:00:00.000Z",
        "data": {
            "notificationId": str(UUID(int=3)),
            "tenantId": "acme",
            "title": "Paid",
            "message": "Order 3 is *paid*.",
            "severity": "high",
            "actionUrl": "https://app.example.test/orders/3",
            **DOCUMENT,
        },
    }


def test_a_later_attempt_has_the_same_id_and_body_and_a_new_time() -> None:
    again = replace(SENT, attempts=3, token=UUID(int=9))
    assert webhook.body(again, None) == webhook.body(SENT, None)
    first = webhook.headers(SENT, b"{}", [SECRET], NOW)
    later = webhook.headers(again, b"{}", [SECRET], NOW + timedelta(minutes=5))
    assert first["webhook-id"] == later["webhook-id"] == str(SENT.id)
    assert int(later["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 300
    assert first["webhook-signature"] != later["webhook-signature"]
    assert first["traceparent"] == SENT.traceparent


def test_while_secrets_are_changed_each_of_them_signs() -> None:
    old = "whsec_" + "AAAA" * 8
    signed = webhook.headers(SENT, b"{}", [SECRET, old], NOW)["webhook-signature"].split(" ")
    stamp = int(NOW.timestamp())
    assert signed == [signature(secret, str(SENT.id), stamp, b"{}") for secret in (SECRET, old)]


@pytest.mark.parametrize("secrets", [[], ["whsec_"], ["whsec_not base64"], ["whsec_ä"]])
def test_without_a_good_secret_nothing_is_sent(secrets: list[str]) -> None:
    with pytest.raises(Invalid, match="bad-secret"):
        webhook.headers(SENT, b"{}", secrets, NOW)


@pytest.mark.parametrize(
    ("said", "seconds"),
    [
        (None, 0.0),
        ("", 0.0),
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("nan", 0.0),
        ("inf", 86_400.0),
        ("soon", 0.0),
        ("Sat, 21 Nov 2026 10:01:00 GMT", 60.0),
        ("Sat, 21 Nov 2026 09:00:00 GMT", 0.0),
        ("Sat, 21 Nov 2036 10:00:00 GMT", 86_400.0),
    ],
)
def test_retry_after(said: str | None, seconds: float) -> None:
    assert asked_to_wait(said, NOW) == seconds
