"""The SMTP peer: it keeps what it accepts and refuses what it is told to."""

from __future__ import annotations

from email.message import EmailMessage

import aiosmtplib
import pytest

from devstack.smtp_peer import SmtpPeer


def _message() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "carillon@example.test", "ada@example.test", "Grüße"
    message["Message-ID"] = "<1@carillon>"
    message.set_content("plain words")
    message.add_alternative("<p>rich words</p>", subtype="html")
    return message


async def test_it_keeps_envelope_and_content() -> None:
    with SmtpPeer() as peer:
        await aiosmtplib.send(_message(), hostname="127.0.0.1", port=peer.port)
        (received,) = peer.wait_for(1)
    assert received.recipients == ("ada@example.test",)
    assert received.headers["Subject"] == "Grüße"
    assert received.text().strip() == "plain words"
    assert received.text("html").strip() == "<p>rich words</p>"


async def test_it_refuses_what_it_is_told_to() -> None:
    with SmtpPeer(answer=lambda _recipients: "451 4.7.1 later") as peer:
        with pytest.raises(aiosmtplib.SMTPDataError, match="later"):
            await aiosmtplib.send(_message(), hostname="127.0.0.1", port=peer.port)
        assert peer.messages == []
