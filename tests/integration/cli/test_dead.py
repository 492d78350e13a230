"""`carillon dead`: listing dead letters and replaying them."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from libs.runtime.clock import utc_now
from libs.schemas.records import DeadLetter, Source
from tests.integration.cli.running import Command
from tests.integration.cli.system import FIRST

pytestmark = pytest.mark.covers("F0-3", "F2-5", "B7")


@pytest.fixture
def carillon(kafka_bootstrap: str, database: str, topics: str) -> Command:
    """Topics of the test's own: dead letters of another test must not be among them."""
    return Command(
        {
            "CARILLON_KAFKA_BOOTSTRAP": kafka_bootstrap,
            "CARILLON_KAFKA_TOPIC_PREFIX": topics,
            "CARILLON_POSTGRES_DSN": database,
        }
    )


def _letter(carillon: Command, topic: str, offset: int, **fields: Any) -> bytes:
    letter = DeadLetter(
        **{
            "code": "wrong-event",
            "reason": "the event is not one of the four",
            "source": Source(topic=carillon.prefix + topic, partition=3, offset=offset),
            "key": base64.b64encode(b"k").decode(),
            "value": base64.b64encode(b'{"event":"x"}').decode(),
            "headers": {"traceparent": "00-" + "a" * 32 + "-" + "b" * 16 + "-01"},
            "failed_at": utc_now(),
            "service": "ingest",
        }
        | fields
    )
    return letter.model_dump_json(by_alias=True).encode()


def test_lists_what_is_there_without_content(carillon: Command) -> None:
    assert "no dead letters" in carillon("dead", "list").output
    carillon.produce("noti.invalid", _letter(carillon, "noti", 7))
    carillon.produce("events.dead", _letter(carillon, "service.event", 8, code="malformed-event"))
    result = carillon("dead", "list")
    assert "wrong-event" in result.output
    assert "malformed-event" in result.output
    lines = carillon("dead", "list", "--json", "--code", "wrong-event").stdout.splitlines()
    (line,) = [orjson.loads(line) for line in lines]
    assert line["position"] == f"{carillon.prefix}noti.invalid:0:0"
    assert "value" not in line


def test_replays_the_original_record_with_its_key_and_headers_once(carillon: Command) -> None:
    carillon.produce("noti.invalid", _letter(carillon, "noti", 7))
    position = f"{carillon.prefix}noti.invalid:0:0"
    assert carillon("dead", "replay", position).exit_code == 0
    assert "replayed before" in carillon("dead", "replay", position).output
    (record,) = carillon.records("noti")
    assert (record.key, record.value) == (b"k", b'{"event":"x"}')
    headers = dict(record.headers)
    assert headers["traceparent"].startswith(b"00-aaaa")
    assert headers["idempotency-key"] == f"{carillon.prefix}noti:3:7".encode()
    assert headers["carillon-replay-of"] == position.encode()


def test_replaying_again_on_purpose_keeps_the_identity(carillon: Command) -> None:
    carillon.produce("noti.invalid", _letter(carillon, "noti", 7))
    position = f"{carillon.prefix}noti.invalid:0:0"
    carillon("dead", "replay", position)
    carillon("dead", "replay", position, "--again")
    first, second = carillon.records("noti")
    assert dict(first.headers)["idempotency-key"] == dict(second.headers)["idempotency-key"]


def test_replays_by_code_to_the_topic_that_it_came_from(carillon: Command) -> None:
    letters = [
        _letter(carillon, "service.event", n, code="malformed-event" if n % 2 else "too-large") for n in range(4)
    ]
    carillon.produce("events.dead", *letters)
    result = carillon("dead", "replay", "--topic", "events.dead", "--code", "too-large")
    assert result.exit_code == 0, result.output
    assert len(carillon.records("service.event")) == 2
    carillon("dead", "replay", "--topic", "events.dead", "--all")
    assert len(carillon.records("service.event")) == 4


def test_what_cannot_be_replayed_is_a_finding(carillon: Command) -> None:
    carillon.produce("noti.invalid", _letter(carillon, "noti", 1, value=None))
    result = carillon("dead", "replay", "--topic", "noti.invalid", "--all")
    assert result.exit_code == 1
    assert "too large to be kept" in result.output
    assert carillon("dead", "replay", f"{carillon.prefix}noti.invalid:0:99").exit_code == 1
    assert carillon("dead", "replay", "--all").exit_code == 2


def test_a_failed_delivery_is_planned_again_once(carillon: Command) -> None:
    carillon.sql(
        """insert into deliveries (tenant, id, notification, user_id, channel, state, reason, attempts)
           values ('default', $1, $1, 'ana', 'email', 'failed', 'attempts-exhausted', 10)""",
        FIRST,
    )
    letter = _letter(carillon, "delivery.email", 0, value=None, key=None, tenant="default", id=FIRST)
    carillon.produce("delivery.dead", letter)
    assert carillon("dead", "replay", "--topic", "delivery.dead", "--all").exit_code == 0
    (row,) = carillon.sql("select state, reason, attempts, next_attempt_at <= now() as due from deliveries")
    assert row == {"state": "planned", "reason": "replayed", "attempts": 0, "due": True}
    carillon.sql("update deliveries set state = 'sent', reason = 'sent'")
    carillon("dead", "replay", "--topic", "delivery.dead", "--all", "--again")
    assert carillon.sql("select state from deliveries") == [{"state": "sent"}]
    (trail,) = carillon.sql("select action, tenant from audit_trail")
    assert trail == {"action": "dead-letter.replayed", "tenant": "default"}
