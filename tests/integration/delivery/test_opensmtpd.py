"""Mail through a server that others wrote: what aiosmtpd is lenient about, OpenSMTPD is not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from devstack.smtp_peer import smtp_environment
from tests.integration.delivery.conftest import StartWorkers
from tests.integration.delivery.peers.opensmtpd import OpenSmtpd, hindrance, opensmtpd
from tests.integration.delivery.planned import Plan, Work

pytestmark = [
    pytest.mark.covers("F2-5"),
    pytest.mark.skipif(hindrance() is not None, reason=hindrance() or ""),
]


@pytest.fixture
def server() -> Iterator[OpenSmtpd]:
    """A mail server for example.test."""
    with opensmtpd() as server:
        yield server


async def test_mail_is_delivered_and_a_foreign_domain_refused(
    start_workers: StartWorkers, server: OpenSmtpd, plan: Plan, work: Work
) -> None:
    ours = await plan.many(
        ["ada", "bob", "cy"], title="Grüße", message="One\n.\nwith a **dot** on a line.\n\n" + "ä" * 2000
    )
    foreign = await plan.one("dan", email="dan@elsewhere.test")
    start_workers(**smtp_environment(server.port))
    await work.name([*ours, foreign])
    for delivery in ours:
        row = await plan.until(delivery, "sent")
        assert row["attempts"] == 1
    assert (await plan.until(foreign, "failed"))["reason"] == "provider-refused"
    assert (await plan.attempts(foreign))[0]["code"] == "550"
    async with asyncio.timeout(20):
        while len(server.messages()) < 3:
            await asyncio.sleep(0.05)
    got = {message["Delivered-To"]: message for message in server.messages()}
    for delivery in ours:
        message = got[delivery.address]
        assert message["Message-ID"] == delivery.message_id
        assert message["Subject"] == "Grüße"
        body = message.get_body(("plain",))
        assert body is not None
        assert "\n.\nwith a **dot** on a line." in body.get_content()
        assert "ä" * 2000 in body.get_content().replace("\n", "")
