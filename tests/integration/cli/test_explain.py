"""`carillon explain`: why and why not, recorded or derived."""

from __future__ import annotations

from typing import Any

import pytest

from tests.integration.cli.running import Command
from tests.integration.cli.system import FIRST, SECOND, THIRD

pytestmark = pytest.mark.covers("B7")


def _answers(carillon: Command, notification: str, user: str) -> dict[str, dict[str, Any]]:
    return {answer["where"]: answer for answer in carillon.json("explain", notification, "--user", user)["answers"]}


def test_tells_rooms_and_decisions(small: Command) -> None:
    story = small.json("explain", FIRST)
    assert [(room["room"], room["seq"]) for room in story["rooms"]] == [("user:ana", 1), ("org:acme", 1)]
    assert story["totals"] == [{"channel": "email", "state": "sent", "reason": "sent", "people": 1}]
    shown = small("explain", FIRST)
    assert shown.exit_code == 0
    assert "user:ana" in shown.output


def test_tells_what_was_recorded_for_a_person(small: Command) -> None:
    answers = _answers(small, SECOND, "ana")
    assert answers["user:ana"]["reason"] == "shown"
    assert (answers["email"]["state"], answers["email"]["reason"]) == ("suppressed", "channel-off")
    assert not answers["email"]["derived"]


def test_a_person_sees_it_in_the_first_room_that_they_may_read(small: Command) -> None:
    answers = _answers(small, FIRST, "ben")
    assert answers["user:ana"]["reason"] == "others-room"
    assert answers["org:acme"]["reason"] == "shown"
    small.sql(
        "insert into memberships select tenant, 'ana', room, joined_at, joined_seq, null, null, role, source "
        "from memberships where user_id = 'ben'"
    )
    answers = _answers(small, FIRST, "ana")
    assert answers["user:ana"]["reason"] == "shown"
    assert answers["org:acme"]["reason"] == "shown-elsewhere"


def test_says_why_not(small: Command) -> None:
    assert _answers(small, THIRD, "cleo")["org:acme"]["reason"] == "left-before"
    assert _answers(small, THIRD, "dora")["org:acme"]["reason"] == "not-a-member"
    assert _answers(small, THIRD, "dora")["email"]["reason"] == "outside-audience"
    small.sql("update memberships set joined_seq = 2 where user_id = 'ben'")
    assert _answers(small, THIRD, "ben")["org:acme"]["reason"] == "joined-later"


def test_derives_what_was_not_recorded_as_of_the_planning_time(small: Command) -> None:
    small.sql("delete from deliveries")
    small.sql(
        """insert into preferences (tenant, user_id, version, document, valid_from, valid_to)
           values ('default', 'ben', 1, '{"channels": {"email": false}}', now() - interval '2 hours', now()),
                  ('default', 'ben', 2, '{"channels": {"email": true}}', now(), null)"""
    )
    small.sql("update notifications set planned_at = now() - interval '30 minutes'")
    assert _answers(small, THIRD, "ben")["email"]["reason"] == "unknown-person"  # created since
    small.sql("update users set created_at = now() - interval '1 day'")
    answer = _answers(small, THIRD, "ben")["email"]
    assert (answer["state"], answer["reason"], answer["derived"]) == ("suppressed", "channel-off", True)
    (decided,) = [step for step in answer["steps"] if step["outcome"] == "decided"]
    assert (decided["line"], decided["why"]) == (11, "channel-off")
    assert small.json("explain", THIRD, "--user", "ben")["versions"]["preferences"] == 1
    assert "the channel is not off" in small("explain", THIRD, "-u", "ben").output


def test_what_waits_for_its_time_is_told(small: Command) -> None:
    waiting = "00000000-0000-5000-8000-00000000000a"
    small.sql(
        f"""insert into scheduled (tenant, id, event_id, event, source_topic, due_at)
            values ('default', '{waiting}', '{waiting}', 'service.event', 'noti', '2030-01-01T08:00:00Z'),
                   ('default', '{FIRST}', '{FIRST}', 'service.event', 'noti', '2026-01-01T08:00:00Z')"""
    )
    assert "it is waiting, due at 2030-01-01T08:00:00.000Z" in small("explain", waiting).output
    assert small.json("explain", FIRST)["scheduled"]["dueAt"] == "2026-01-01T08:00:00Z"


def test_what_hides_it_since_is_told(small: Command) -> None:
    hidden = "insert into mutes (tenant, user_id, type, since) values ('default', '', 'iam.user.created', '2019-1-1')"
    small.sql(hidden)
    assert _answers(small, THIRD, "ben")["org:acme"]["reason"] == "default-off"
    small.sql(
        "insert into mutes (tenant, user_id, type, since) values ('default', 'ben', 'iam.user.created', '2020-1-1')"
    )
    assert _answers(small, THIRD, "ben")["org:acme"]["reason"] == "type-muted"
    small.sql(f"update notifications set extras = '{{\"excluded\": [\"ben\"]}}' where id = '{THIRD}'")
    assert _answers(small, THIRD, "ben")["org:acme"]["reason"] == "excluded"
    small.sql(f"update notifications set expires_at = now() where id = '{FIRST}'")
    assert _answers(small, FIRST, "ana")["user:ana"]["reason"] == "expired"
    small.sql(
        f"""insert into room_log (tenant, room, seq, kind, type, at, notification)
            values ('default', 'user:ana', 3, 1, 'cancelled', now(), '{SECOND}')"""
    )
    assert _answers(small, SECOND, "ana")["user:ana"]["reason"] == "cancelled"


def test_a_member_who_is_not_decided_yet_is_in_flight(small: Command) -> None:
    small.sql("delete from deliveries")
    small.sql("update expansions set done_at = null, cursor = 'a'")
    assert _answers(small, THIRD, "ben")["email"]["reason"] == "not-decided-yet"


def test_an_unknown_notification_is_a_finding(small: Command) -> None:
    result = small("explain", "00000000-0000-5000-8000-0000000000ff")
    assert result.exit_code == 1
    assert "there is no notification" in result.output


def test_the_tenant_narrows(small: Command) -> None:
    small.sql("insert into tenants (tenant) values ('other')")
    assert small("explain", FIRST, "--tenant", "other").exit_code == 1
    assert small("explain", FIRST, "--tenant", "default").exit_code == 0


def test_attempts_and_reading_are_told(small: Command) -> None:
    small.sql(
        f"""insert into delivery_attempts
              (tenant, delivery, attempt, outcome, code, detail, provider, started_at, duration_ms)
            select tenant, id, 1, 'retry', '451', 'try later', 'smtp', now(), 12
            from deliveries where notification = '{FIRST}'"""
    )
    small.sql(
        f"""insert into receipts (tenant, user_id, notification, room, seq, read, read_at)
            values ('default', 'ana', '{FIRST}', 'user:ana', 1, true, now())"""
    )
    result = small("explain", FIRST, "-u", "ana")
    assert "451 try later" in result.output
    assert "read at" in result.output
