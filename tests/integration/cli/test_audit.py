"""`carillon audit` on a system that adds up, and on ones that do not."""

from __future__ import annotations

import pytest

from tests.integration.cli.running import Command
from tests.integration.cli.system import FIRST, SECOND, THIRD

pytestmark = pytest.mark.covers("B7")


def test_says_zero_when_everything_adds_up(small: Command) -> None:
    result = small("audit")
    assert result.exit_code == 0, result.output
    assert "Difference: 0" in result.output
    report = small.json("audit")
    assert report["difference"] == 0
    assert {check["name"] for check in report["checks"]} == {
        "offsets", "ends", "notifications", "handover", "room_logs", "state_logs", "decisions", "deliveries", "digests",
    }  # fmt: skip
    assert report["inFlight"]["total"] == 0
    assert report["inFlight"]["later"] == 1


def test_an_empty_system_adds_up(carillon: Command) -> None:
    report = carillon.json("audit")
    assert report["difference"] == 0


_DIGEST = """(tenant, user_id, channel, key, reason, max_items, closes_at, closed_at, outcome, items)
  values ('default', 'ana', 'email', 'daily', 'digest-daily', 9, now(), {}, {})"""

#: What is done to the system, and the check that must find it.
PLANTED = {
    "an entry lost within a room": (
        f"delete from room_log where notification = '{FIRST}' and room = 'org:acme'",
        "decisions",
    ),
    "the last entry of a room lost": (f"delete from room_log where notification = '{SECOND}'", "room_logs"),
    "an entry in a room that was not meant": (
        f"""insert into room_log (tenant, room, seq, at, notification)
            values ('default', 'org:acme', 3, now(), '{SECOND}');
            update room_heads set seq = 3 where room = 'org:acme'""",
        "decisions",
    ),
    "a head that ran ahead": ("update room_heads set seq = 5 where room = 'user:ana'", "room_logs"),
    "a head lost": ("delete from room_heads where room = 'user:ana'", "room_logs"),
    "a delivery lost": (f"delete from deliveries where notification = '{FIRST}'", "decisions"),
    "a delivery of a group lost": (f"delete from deliveries where notification = '{THIRD}'", "decisions"),
    "a notification lost": (f"delete from notifications where id = '{THIRD}'", "decisions"),
    "a notification that was never counted": (
        "update progress set accepted = 2, duplicates = 1 where consumer = 'router'",
        "notifications",
    ),
    "a delivery that is never due": (
        "update deliveries set next_attempt_at = null where state = 'planned'",
        "deliveries",
    ),
    "a claim without a lease": ("update deliveries set state = 'claimed' where state = 'planned'", "deliveries"),
    "offsets that were not counted": ("update progress set next_offset = 5 where consumer = 'ingest'", "offsets"),
    "progress past the end": ("update progress set next_offset = 5, dead = 2 where consumer = 'ingest'", "ends"),
    "an event lost between ingest and router": (
        "update progress set accepted = 4, dead = 0 where consumer = 'ingest'",
        "handover",
    ),
    "an item of a digest lost": ("insert into digests " + _DIGEST.format("null, null", 1), "digests"),
    "a digest that was closed without its delivery": (
        "insert into digests " + _DIGEST.format("now(), 'planned'", 0),
        "digests",
    ),
    "a scheduled event that was never counted": (
        """insert into scheduled (tenant, id, event_id, event, source_topic, due_at)
           select 'default', g, g, 'service.event', 'http', now() from gen_random_uuid() g""",
        "notifications",
    ),
    "a change of state lost": ("update user_heads set seq = 2", "state_logs"),
}


@pytest.mark.parametrize("planted", PLANTED)
def test_finds_a_planted_difference(small: Command, planted: str) -> None:
    statements, name = PLANTED[planted]
    for statement in statements.split(";"):
        small.sql(statement)
    result = small("audit", "--json")
    assert result.exit_code == 1
    report = small.json("audit")
    found = {check["name"]: check for check in report["checks"] if check["difference"]}
    assert name in found
    assert found[name]["examples"]
    assert report["difference"] > 0


def test_a_gap_inside_a_log_is_found_with_its_place(small: Command) -> None:
    small.sql(
        f"""insert into room_log (tenant, room, seq, at, notification, kind)
            values ('default', 'org:acme', 4, now(), '{FIRST}', 1)"""
    )
    small.sql("update room_heads set seq = 4 where room = 'org:acme'")
    result = small("audit")
    assert result.exit_code == 1
    assert "default/org:acme" in result.output
    assert "3 entries where 4 are expected" in result.output


def test_examples_are_bounded_and_the_rest_is_counted(small: Command) -> None:
    small.sql(
        "insert into room_heads (tenant, room, seq) select 'default', 'org:' || n, 1 from generate_series(1, 200) n"
    )
    report = small.json("audit", "--limit", "5")
    logs = next(check for check in report["checks"] if check["name"] == "room_logs")
    assert logs["difference"] == 200
    assert len(logs["examples"]) == 5


def test_what_is_on_its_way_is_in_flight_and_not_missing(small: Command) -> None:
    small.sql("update progress set next_offset = 2, accepted = 1 where consumer = 'ingest'")
    report = small.json("audit")
    assert [(lag["consumer"], lag["records"]) for lag in report["inFlight"]["records"]] == [("ingest", 2)]
    assert report["difference"] == 0


def test_waiting_in_vain_is_a_finding(small: Command) -> None:
    small.sql("update deliveries set next_attempt_at = now() where state = 'planned'")
    assert small("audit").exit_code == 0
    result = small("audit", "--wait", "1")
    assert result.exit_code == 1
    assert "still in flight" in result.output


def test_waiting_ends_when_nothing_is_in_flight(small: Command) -> None:
    assert small("audit", "--wait", "30").exit_code == 0


def test_records_of_a_topic_made_anew_begin_a_generation(small: Command) -> None:
    small.sql("update progress set cluster = 'another', next_offset = 90, accepted = 89 where consumer = 'ingest'")
    report = small.json("audit")
    assert report["difference"] == 0
    assert [(lag["consumer"], lag["records"]) for lag in report["inFlight"]["records"]] == [("ingest", 4)]


def test_a_store_that_is_away_is_no_finding(small: Command) -> None:
    small.environment["CARILLON_POSTGRES_DSN"] = "postgresql://postgres@127.0.0.1:1/none"
    result = small("audit")
    assert result.exit_code == 3
