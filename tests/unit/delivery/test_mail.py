"""An email's words and bytes: what a mail program reads is what was meant, and nothing can be smuggled in."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

import services.delivery
from libs.markup.safe_html import cleaned, safe_html
from services.delivery.domain.delivery import Content, Delivery, Recipient
from services.delivery.domain.mail import address, compose, mailbox
from services.delivery.domain.rendering import EmailRenderer, EmailText, link, one_line
from services.delivery.errors import Invalid

pytestmark = pytest.mark.covers("F3-4", "F2-5")

TEMPLATES = Path(services.delivery.__file__).parent / "templates"
RENDERER = EmailRenderer(
    (TEMPLATES / "email.html.j2").read_text(), (TEMPLATES / "email.txt.j2").read_text(), "https://app.test/"
)
ID = UUID("11111111-2222-5333-8444-555555555555")
NOW = datetime(2026, 11, 21, 7, 0, tzinfo=UTC)
EXPECTED = {
    "Message-ID", "Date", "From", "To", "Subject", "MIME-Version", "Auto-Submitted", "X-Carillon-Notification",
    "traceparent", "Content-Type",
}  # fmt: skip
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def _delivery(**recipient: Any) -> Delivery:
    whom = Recipient("ada", **{"email": "ada@example.test", **recipient})
    return Delivery(
        "default", ID, "email", ID, 0, NOW, whom, Content(ID, "t"), "00-" + "a" * 32 + "-" + "b" * 16 + "-01"
    )


def _sent(text: EmailText, **recipient: str | None) -> EmailMessage:
    mail = compose(_delivery(**recipient), text, sender="c@x.test", sender_header="c@x.test", domain="x.test", now=NOW)
    assert b"\n" not in mail.message.replace(b"\r\n", b"")
    assert b"\r" not in mail.message.replace(b"\r\n", b"")
    assert max(map(len, mail.message.split(b"\r\n"))) <= 998
    assert mail.message.isascii()
    return email.message_from_bytes(mail.message, policy=email.policy.default)


def _normal(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(texts, texts, texts)
def test_what_is_read_is_what_was_written(subject: str, plain: str, html: str) -> None:
    parsed = _sent(EmailText(one_line(subject), plain, html))
    assert one_line(parsed["Subject"]) == one_line(subject)
    body, rich = parsed.get_body(("plain",)), parsed.get_body(("html",))
    assert body is not None
    assert rich is not None
    assert _normal(body.get_content()).rstrip("\n") == _normal(plain).rstrip("\n")
    assert _normal(rich.get_content()).rstrip("\n") == _normal(html).rstrip("\n")


@given(texts, texts)
def test_no_header_can_be_injected(title: str, name: str) -> None:
    parsed = _sent(EmailText(title, "p", "h"), display_name=name)
    assert set(parsed.keys()) == EXPECTED
    assert parsed["To"].addresses[0].addr_spec == "ada@example.test"
    assert len(parsed["To"].addresses) == 1


@pytest.mark.parametrize("break_", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\x00"])
def test_a_line_break_in_a_title_is_a_blank(break_: str) -> None:
    parsed = _sent(EmailText(f"Hi{break_}Bcc: evil@x.test", "p", "h"), display_name=f"Ada{break_}Bcc: evil@x.test")
    assert "Bcc" not in parsed
    assert parsed["Subject"] == "Hi Bcc: evil@x.test"


def test_the_same_delivery_has_the_same_message_id() -> None:
    text = EmailText("s", "p", "h")
    assert _sent(text)["Message-ID"] == _sent(text)["Message-ID"] == f"<{ID}@x.test>"


@pytest.mark.parametrize(
    ("name", "header"),
    [
        (None, "a@b.test"),
        ("Ada Lovelace", "Ada Lovelace <a@b.test>"),
        ('Lovelace, "Ada"', '"Lovelace, \\"Ada\\"" <a@b.test>'),
        ("Ådå", "=?utf-8?b?w4Vkw6U=?= <a@b.test>"),
    ],
)
def test_names_are_quoted_or_encoded_where_they_must_be(name: str | None, header: str) -> None:
    assert mailbox(name, "a@b.test") == header


@pytest.mark.parametrize("text", ["ada@example.test", "a.b+c@example.test", " ada@example.test "])
def test_usable_addresses(text: str) -> None:
    assert address(text) == text.strip()


def test_an_international_domain_is_told_in_ascii() -> None:
    assert address("ada@bücher.test") == "ada@xn--bcher-kva.test"


@pytest.mark.parametrize(
    "text",
    [
        "a",
        "@b.test",
        "a@",
        "a@b@c",
        "a b@c.test",
        "a@c.test\r\nRCPT TO:<b@c.test>",
        "a@c.test>",
        "<a@c.test>",
        "a@c.te,st",
    ],
)
def test_unusable_addresses(text: str) -> None:
    with pytest.raises(Invalid, match="bad-address"):
        address(text)


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_address(text: str | None) -> None:
    with pytest.raises(Invalid, match="no-address"):
        address(text)


class _Seen(HTMLParser):
    """Tags and attributes of a document."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs


mischief = st.lists(
    st.sampled_from(
        [
            "<script>",
            "</script>",
            "<img src=x onerror=y>",
            "[a](",
            "javascript:x",
            "data:x",
            ")",
            "**",
            "`",
            "\n",
            "#",
            "a",
            "<",
        ]
    )
)


@given(st.one_of(texts, mischief.map("".join)))
def test_rendered_html_holds_nothing_active(markdown: str) -> None:
    seen = _Seen()
    seen.feed(safe_html(markdown))
    assert not seen.tags & {"script", "style", "img", "iframe", "object", "form", "svg", "link"}
    for name, value in seen.attributes:
        assert name in ("href", "rel")
        assert name == "rel" or str(value).partition(":")[0].lower() not in ("javascript", "data")


def test_markdown_and_mischief() -> None:
    html = safe_html("**b** <script>x()</script> [in](javascript:x()) [out](https://x.test) ![i](https://x.test/i.png)")
    assert "<strong>b</strong>" in html
    assert "<script" not in html
    assert 'href="javascript' not in html
    assert 'href="https://x.test"' in html
    assert "<img" not in html


def test_titles_and_names_are_escaped() -> None:
    content = Content(ID, "t", title="<b>T</b>", message="m", action_url='https://x.test/"><b>')
    html = RENDERER.render(content, Recipient("u", "u@x.test", "<i>N</i>")).html
    assert "<b>" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;T&lt;/b&gt;" in html


def test_subject_is_the_title_and_the_action_is_a_button() -> None:
    text = RENDERER.render(Content(ID, "t", title="T", message="M", action_url="/reports"), Recipient("u"))
    assert text.subject == "T"
    assert "https://app.test/reports" in text.plain
    assert 'href="https://app.test/reports"' in text.html
    without = RENDERER.render(Content(ID, "t"), Recipient("u"))
    assert without.subject == "Notification"
    assert "View details" not in without.plain + without.html


@pytest.mark.parametrize(
    ("url", "base", "absolute"),
    [
        ("https://x.test/a", None, "https://x.test/a"),
        ("/a", "https://app.test/", "https://app.test/a"),
        ("/a", None, None),
        ("javascript:alert(1)", "https://app.test/", None),
        ("https://[", "https://app.test/", None),
        ("https://x.test/a\r\nb", None, None),
        (None, "https://app.test/", None),
    ],
)
def test_links(url: str | None, base: str | None, absolute: str | None) -> None:
    assert link(url, base) == absolute


@given(st.text(st.sampled_from("Aé1 ,.;:?!'\"()/%€$@+-_*#\n&<"), max_size=40))
def test_a_plain_sentence_is_rendered_as_by_the_parser(text: str) -> None:
    assert safe_html(text) == cleaned(text)
