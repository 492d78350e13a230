"""Mail in the words and the language of its person, with a link to unsubscribe by and a signature."""

from __future__ import annotations

import base64
import re
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes, policy
from pathlib import Path
from uuid import UUID

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from libs.auth.links import Opened, Unsubscribe, address_hash, verify, verify_opened
from libs.catalogue.types import NotificationType
from services.delivery.adapters.smtp.signing import Signer
from services.delivery.domain.composing import Composer, Links
from services.delivery.domain.delivery import Content, Delivery, Recipient
from services.delivery.domain.rendering import EmailRenderer
from services.delivery.domain.wording import worded

pytestmark = pytest.mark.covers("B3", "B6", "F3-4")

NOW = datetime(2026, 1, 2, tzinfo=UTC)
SECRET = "s" * 40
ADDRESS = address_hash("acme", "email", "ada@example.test")
TEMPLATES = Path("services/delivery/templates")
MJML = (
    "<mjml><mj-head><mj-style>.x { color: red }</mj-style></mj-head><mj-body><mj-section><mj-column>"
    "<mj-text>{{ body }}</mj-text><mj-text>{{ data.note }}</mj-text>"
    '<mj-button href="{{ action_url }}">{{ action }}</mj-button></mj-column></mj-section></mj-body></mjml>'
)
KIND = NotificationType.model_validate(
    {
        "key": "booking.created",
        "name": "Booking created",
        "match": {"event": "service.event", "name": "booking.created"},
        "category": "bookings",
        "channels": ["in-app", "email", "sms"],
        "templates": {
            "default": {
                "default": {"title": "Booking {{ id }}", "message": "{{ who }} booked."},
                "email": {"html": MJML, "action": "Open it"},
            },
            "de": {
                "default": {"title": "Buchung {{ id }}", "message": "{{ who }} hat gebucht."},
                "sms": {"message": "Gebucht: {{ who }}"},
            },
        },
    }
)


def delivery(channel: str = "email", locale: str | None = None, **content: object) -> Delivery:
    said = {"title": "Booking 7", "message": "Ada booked.", "action_url": "/b/7"} | content
    document = {"event": "service.event", "name": "booking.created", "metadata": {}, "data": DATA}
    recipient = Recipient("ada", "ada@example.test", "Ada", phone="+15005550001", locale=locale)
    made = Content(UUID(int=3), "booking.created", document=document, **said)  # type: ignore[arg-type]
    return Delivery("acme", UUID(int=1), channel, UUID(int=2), 0, NOW, recipient, made)


DATA = {"id": 7, "who": "Ada", "note": "<script>alert(1)</script>"}


def composer(links: Links | None = None) -> Composer:
    html, plain = ((TEMPLATES / f"email.{kind}.j2").read_text() for kind in ("html", "txt"))
    renderer = EmailRenderer(html, plain, "https://app.example.test")
    return Composer(renderer, ("Carillon", "c@example.test"), "example.test", links, lambda: NOW)


def test_words_follow_the_persons_locale_and_the_channel() -> None:
    german = worded(delivery(locale="de-AT"), KIND).content
    assert (german.title, german.message) == ("Buchung 7", "Ada hat gebucht.")
    assert worded(delivery("sms", "de"), KIND).content.message == "Gebucht: Ada"
    english = worded(delivery(locale="en-GB"), KIND).content
    assert (english.title, english.message, english.action) == ("Booking 7", "Ada booked.", "Open it")


def test_words_that_the_producer_gave_are_kept() -> None:
    own = worded(delivery(locale="de", title="Own", message="Words"), KIND).content
    assert (own.title, own.message) == ("Own", "Words")
    unknown = delivery(locale="de")
    assert worded(unknown, None) is unknown


def test_mjml_becomes_html_with_its_styles_inline_and_nothing_of_others_in_it() -> None:
    text = composer()._renderer.render(worded(delivery(), KIND).content, delivery().recipient)
    assert "<mj-" not in text.html
    assert "<table" in text.html
    assert 'style="' in text.html
    assert "Open it" in text.html
    assert "https://app.example.test/b/7" in text.html
    assert "<script>" not in text.html
    assert "&lt;script&gt;" in text.html
    assert text.plain.count("Ada booked.") == 1


@pytest.mark.parametrize(
    "markup", ["<mjml><mj-body>", "{{ nowhere }}", '<mjml><mj-include path="/etc/passwd"/></mjml>']
)
def test_a_template_that_cannot_be_used_gives_way_to_the_common_one(markup: str) -> None:
    content = replace(worded(delivery(), KIND).content, markup=markup)
    assert "Ada booked." in composer()._renderer.render(content, delivery().recipient).html


def test_one_click_is_offered_and_signed_for_the_delivery() -> None:
    mail = composer(Links("https://api.example.test", SECRET)).compose(delivery())
    parsed = message_from_bytes(mail.message, policy=policy.default)
    assert parsed["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = parsed["List-Unsubscribe"].strip("<>")
    assert link.startswith("https://api.example.test/api/v1/unsubscribe/")
    asked = verify(link.rpartition("/")[2], SECRET)
    assert asked == Unsubscribe("acme", "ada", "email", "booking.created", UUID(int=1), ADDRESS)
    for kind in ("plain", "html"):
        assert link in parsed.get_body((kind,)).get_content()  # type: ignore[union-attr]
    assert "List-Unsubscribe" not in composer().compose(delivery()).message.decode()


@pytest.mark.parametrize("kind", [None, KIND], ids=["common template", "MJML"])
def test_a_picture_tells_of_opening_where_the_tenant_wants_it(kind: NotificationType | None) -> None:
    links = Links("https://api.example.test", SECRET)
    made = worded(replace(delivery(), opens=True), kind)
    parsed = message_from_bytes(composer(links).compose(made).message, policy=policy.default)
    html = parsed.get_body(("html",)).get_content()  # type: ignore[union-attr]
    (source,) = re.findall(r'<img src="([^"]+)" width="1" height="1" alt="">\s*</body>', html)
    origin, _, token = source.rpartition("/")
    assert origin == "https://api.example.test/api/v1/opens"
    assert verify_opened(token, SECRET) == Opened("acme", UUID(int=1))
    assert verify(token, SECRET) is None  # it unsubscribes nobody
    assert source not in parsed.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    for off in (composer(links).compose(replace(made, opens=False)), composer().compose(made)):
        assert b"/opens/" not in off.message.replace(b"=\r\n", b"")


def test_a_link_to_unsubscribe_by_is_no_picture() -> None:
    token = composer(Links("", SECRET))._links.unsubscribe(delivery()).rpartition("/")[2]  # type: ignore[union-attr]
    assert verify_opened(token, SECRET) is None
    assert verify_opened("x.y.z", SECRET) is None


def test_mail_is_signed_with_its_unsubscribe_headers() -> None:
    key = rsa.generate_private_key(65537, 2048)
    pem = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    mail = Signer("example.test", "s1", pem).signed(
        composer(Links("https://api.example.test", SECRET)).compose(delivery())
    )

    def dns(name: bytes, timeout: int = 5) -> bytes:
        assert name == b"s1._domainkey.example.test."
        return b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    assert dkim.verify(mail.message, dnsfunc=dns)
    signature = mail.message.partition(b"\r\nMessage-ID")[0].lower()
    assert b"list-unsubscribe-post" in signature
    changed = mail.message.replace(b"One-Click", b"Two-Click")
    assert not dkim.verify(changed, dnsfunc=dns)
    with pytest.raises(dkim.DKIMException):
        Signer("example.test", "s1", b"no key")
