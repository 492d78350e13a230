"""An email on the wire: headers and parts as bytes, with CRLF line ends (RFC 5322, 2045, 2047).

Written out here because the standard library's EmailMessage takes a millisecond for each message. No header can be
injected: every value is one line of ASCII before it is placed.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime
from functools import lru_cache
from uuid import UUID

from services.delivery.domain.delivery import Delivery
from services.delivery.domain.rendering import EmailText, one_line
from services.delivery.errors import Invalid

_ADDRESS = re.compile(r"[^\s\x00-\x20\x7f\"(),:;<>@\[\\\]]{1,64}@([^\s\x00-\x20\x7f\"(),:;<>@\[\\\]]{1,253})")
_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_NEEDS_WORDS = re.compile(r"[^\x20-\x7e]|=\?")  # an accidental `=?` would be read as an encoded word
_LONG = re.compile(rb"[^\n]{900,}")
_MAX_NAME = 100


@dataclass(frozen=True, slots=True)
class Mail:
    """What an SMTP server is told: envelope and message."""

    sender: str
    recipient: str
    message: bytes


def address(text: str | None) -> str:
    """The address as SMTP takes it, an international domain in its ASCII form. Raises Invalid."""
    if not text or not text.strip():
        raise Invalid("no-address")
    match = _ADDRESS.fullmatch(text.strip())
    if match is None:
        raise Invalid("bad-address")
    try:
        return match[0].removesuffix(match[1]) + _ascii(match[1])
    except UnicodeError:
        raise Invalid("bad-address") from None


@lru_cache(maxsize=1_024)  # people share domains
def _ascii(domain: str) -> str:
    return domain.encode("idna").decode("ascii")


@lru_cache(maxsize=2)
def _date(second: datetime) -> str:
    return format_datetime(second)


def message_id(delivery: UUID, domain: str) -> str:
    """The same for every attempt of a delivery: a receiver can tell a repeat by it."""
    return f"<{delivery}@{domain}>"


def compose(
    delivery: Delivery,
    text: EmailText,
    *,
    sender: str,
    sender_header: str,
    domain: str,
    now: datetime,
    unsubscribe: str | None = None,
) -> Mail:
    """The mail of a delivery. Raises Invalid when the recipient's address cannot be used.

    `unsubscribe` is a link that works by one click of the mail program (RFC 8058).
    """
    recipient = address(delivery.recipient.email)
    if not recipient.isascii():
        raise Invalid("bad-address", detail="the local part of the address is not ASCII")
    boundary = f"=_{delivery.id.hex}"  # `=_` stands in no quoted-printable text, and nobody can guess the id
    headers = [
        f"Message-ID: {message_id(delivery.id, domain)}",
        f"Date: {_date(now.replace(microsecond=0))}",
        f"From: {sender_header}",
        f"To: {mailbox(delivery.recipient.display_name, recipient)}",
        f"Subject: {unstructured(text.subject)}",
        "MIME-Version: 1.0",
        "Auto-Submitted: auto-generated",
        f"X-Carillon-Notification: {delivery.content.notification}",
        *(
            [f"List-Unsubscribe: <{unsubscribe}>", "List-Unsubscribe-Post: List-Unsubscribe=One-Click"]
            if unsubscribe
            else []
        ),
        *([f"traceparent: {unstructured(delivery.traceparent)}"] if delivery.traceparent else []),
        f'Content-Type: multipart/alternative; boundary="{boundary}"',
    ]
    limit = f"--{boundary}".encode()
    parts = (
        "\r\n".join(headers).encode("ascii"),
        b"\r\n\r\n" + limit + b"\r\n" + _part("plain", text.plain),
        b"\r\n" + limit + b"\r\n" + _part("html", text.html),
        b"\r\n" + limit + b"--\r\n",
    )
    return Mail(sender, recipient, b"".join(parts))


def mailbox(name: str | None, email: str) -> str:
    """`Name <address>` for a header; the name quoted or encoded where it must be."""
    shown = one_line(name or "")[:_MAX_NAME].strip()
    if not shown:
        return email
    if _NEEDS_WORDS.search(shown):
        return f"{_words(shown)} <{email}>"
    if not _ATOMS.fullmatch(shown):
        escaped = shown.replace("\\", "\\\\").replace('"', '\\"')
        shown = f'"{escaped}"'
    return f"{shown} <{email}>"


def unstructured(text: str) -> str:
    """A header's text: as it is where it is plain ASCII, else in encoded words."""
    line = one_line(text)
    return _words(line) if _NEEDS_WORDS.search(line) else line


def _words(text: str) -> str:
    return Header(text, "utf-8", maxlinelen=75, header_name="Subject").encode(linesep="\r\n")


def _part(subtype: str, text: str) -> bytes:
    content = text.replace("\r\n", "\n").replace("\r", "\n").encode("utf-8")
    plain = content.isascii() and _LONG.search(content) is None
    encoded = content if plain else binascii.b2a_qp(content, istext=True)
    coding = "7bit" if plain else "quoted-printable"
    head = f"Content-Type: text/{subtype}; charset=utf-8\r\nContent-Transfer-Encoding: {coding}\r\n\r\n"
    return head.encode("ascii") + encoded.replace(b"\n", b"\r\n")
