"""Planned deliveries become mail in a real SMTP server."""

from __future__ import annotations

import pytest

from devstack.smtp_peer import SmtpPeer
from tests.integration.delivery.conftest import StartWorkers
from tests.integration.delivery.planned import TRACEPARENT, Plan, Work

pytestmark = pytest.mark.covers("F2-5", "F3-4")


async def test_what_kafka_names_is_sent_at_once(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    start_workers()
    delivery = await plan.one("ada", title="Grüße an Ada", message="Your **report** is [ready](https://x.test/r).")
    await work.name([delivery])
    row = await plan.until(delivery, "sent")
    (got,) = mail.messages
    assert got.recipients == ("ada@example.test",)
    assert got.headers["Subject"] == "Grüße an Ada"
    assert got.headers["Message-ID"] == delivery.message_id
    assert got.headers["To"] == "Ada <ada@example.test>"
    assert got.headers["From"] == "carillon@example.test"
    assert got.headers["Auto-Submitted"] == "auto-generated"
    assert got.headers["X-Carillon-Notification"] == str(delivery.notification)
    assert got.headers["traceparent"] == TRACEPARENT
    assert "Your **report**" in got.text()
    assert "https://app.example.test/reports" in got.text()
    assert "<strong>report</strong>" in got.text("html")
    assert 'href="https://app.example.test/reports"' in got.text("html")
    assert (row["attempts"], row["reason"], row["claim_token"]) == (1, "sent", None)
    (attempt,) = await plan.attempts(delivery)
    assert (attempt["outcome"], attempt["provider"], attempt["code"]) == ("sent", "smtp", "250")


async def test_what_nobody_named_is_found_when_due(start_workers: StartWorkers, mail: SmtpPeer, plan: Plan) -> None:
    due = await plan.one("ada", due_in=0)
    deferred = await plan.one("bob", state="deferred", due_in=0)
    later = await plan.one("cyd", due_in=3600)
    start_workers()
    await plan.until(due, "sent")
    await plan.until(deferred, "sent")
    assert (await plan.row(later))["state"] == "planned"
    assert {m.recipients[0] for m in mail.messages} == {"ada@example.test", "bob@example.test"}


async def test_what_comes_faster_than_its_rate_comes_later(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan
) -> None:
    await plan.many([f"u{n}" for n in range(12)], due_in=0)
    start_workers(CARILLON_DELIVERY_TUNING='{"email": {"perTenantSecond": 4}}')
    await plan.until_all("sent", 12)
    spent = await plan.connection.fetchval("select max(started_at) - min(started_at) from delivery_attempts")
    assert spent.total_seconds() > 1.0  # four at once, and eight more at four a second
    assert len(mail.messages) == 12
    assert await plan.connection.fetchval("select max(attempts) from deliveries") == 1


_WATCH = """
create table most_sending (n bigint);
create function note_sending() returns trigger language plpgsql security definer set search_path = public as $$
begin
  insert into most_sending select count(*) from deliveries where state = 'sending';
  return null;
end $$;
create trigger note_sending after update on deliveries for each statement execute function note_sending()
"""


async def test_no_more_is_marked_as_being_sent_than_calls_may_run(
    start_workers: StartWorkers, plan: Plan, work: Work
) -> None:
    await plan.connection.execute(_WATCH)
    deliveries = await plan.many([f"user-{n}" for n in range(200)])
    start_workers(CARILLON_DELIVERY_CONCURRENCY="4")
    await work.name(deliveries, each=50)
    await plan.until_all("sent", 200)
    assert await plan.connection.fetchval("select max(n) from most_sending") == 4


async def test_a_picture_stands_in_mails_of_tenants_that_want_to_know_of_opening(
    start_workers: StartWorkers, mail: SmtpPeer, plan: Plan, work: Work
) -> None:
    without = await plan.one("ada")
    start_workers(CARILLON_API_URL="https://api.example.test", CARILLON_LINK_SECRET="s" * 40)
    await work.name([without])
    await plan.until(without, "sent")
    await plan.connection.execute("update tenants set settings = settings || '{\"opens\": true}'")
    watched = await plan.one("bob")
    await work.name([watched])
    await plan.until(watched, "sent")
    found = ["/api/v1/opens/" in message.text("html") for message in mail.messages]
    assert found == [False, True]
