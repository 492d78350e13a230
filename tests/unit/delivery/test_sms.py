"""Text messages: numbers, wording, and how many segments are paid for."""

from __future__ import annotations

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.delivery.adapters.http.client import Answer
from services.delivery.adapters.sns import errors as sns
from services.delivery.adapters.twilio.errors import message_id, of_answer
from services.delivery.domain.delivery import Content
from services.delivery.domain.sms import Segments, number, segments, text
from services.delivery.errors import Invalid
from tests.unit.delivery.test_webhook import NOW

pytestmark = pytest.mark.covers("F2-5", "F2-7")


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("", Segments("gsm-7", 1)),
        ("a" * 160, Segments("gsm-7", 1)),
        ("a" * 161, Segments("gsm-7", 2)),
        ("a" * 306, Segments("gsm-7", 2)),
        ("a" * 307, Segments("gsm-7", 3)),
        ("€" * 80, Segments("gsm-7", 1)),
        ("€" * 81, Segments("gsm-7", 2)),
        ("a" * 152 + "€" + "a" * 152, Segments("gsm-7", 3)),  # the euro is not cut in two
        ("Grüße ΔΩ @£", Segments("gsm-7", 1)),
        ("ç" * 70, Segments("ucs-2", 1)),
        ("ç" * 71, Segments("ucs-2", 2)),
        ("ç" * 134, Segments("ucs-2", 2)),
        ("ç" * 135, Segments("ucs-2", 3)),
        ("😀" * 35, Segments("ucs-2", 1)),
        ("😀" * 36, Segments("ucs-2", 2)),
        ("😀" * 67, Segments("ucs-2", 3)),  # 33 in each: no surrogate pair is cut in two
    ],
)
def test_segments(message: str, expected: Segments) -> None:
    assert segments(message) == expected


@pytest.mark.parametrize("given", ["+15005550006", "+1 (500) 555-0006", " +1.500.555.0006 "])
def test_numbers(given: str) -> None:
    assert number(given) == "+15005550006"


@pytest.mark.parametrize("given", ["0171 123456", "+0123456789", "+1", "+1234567890123456", "Ada", "+1500555000६"])
def test_what_is_no_number(given: str) -> None:
    with pytest.raises(Invalid, match="bad-address"):
        number(given)


def _content(title: str | None, message: str | None, url: str | None = None) -> Content:
    return Content(UUID(int=1), "service.alert", "high", title, message, url)


def test_the_words() -> None:
    assert (
        text(_content("Paid", "Order 3\nis paid.", "/o/3"), "https://a.test", 4)
        == "Paid: Order 3 is paid. https://a.test/o/3"
    )
    assert text(_content(None, None), None, 4) == "Notification"


def test_the_link_is_kept_where_words_are_cut() -> None:
    cut = text(_content("Paid", "word " * 200, "https://a.test/o/3"), None, 2)
    assert cut.startswith("Paid: word word")
    assert cut.endswith("... https://a.test/o/3")
    assert segments(cut) == Segments("gsm-7", 2)


texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=800)
urls = st.none() | st.text(st.sampled_from("abc/"), max_size=400).map("https://x.test/".__add__)


@given(texts, texts, urls, st.integers(1, 4))
def test_it_never_takes_more_than_is_allowed(
    title: str | None, message: str | None, url: str | None, most: int
) -> None:
    made = text(_content(title, message, url), None, most)
    assert made
    assert segments(made).count <= most


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        (400, b'{"code": 21211}', ("Permanent", "bad-address", "21211")),
        (400, b'{"code": 21610}', ("Permanent", "recipient-opted-out", "21610")),
        (400, b'{"code": 21606}', ("Permanent", "provider-refused", "21606")),
        (401, b'{"code": 20003}', ("Unavailable", "provider-refuses-us", "20003")),
        (404, b"", ("Unavailable", "provider-refuses-us", "404")),
        (429, b'{"code": 20429}', ("Overloaded", "provider-overloaded", "20429")),
        (503, b"busy", ("Overloaded", "provider-overloaded", "503")),
        (502, b"<html>", ("Uncertain", "outcome-unknown", "502")),
        (200, b"[]", ("Permanent", "provider-refused", "200")),
    ],
)
def test_answers(status: int, body: bytes, expected: tuple[str, str, str]) -> None:
    fault = of_answer(Answer(status, {}, body), NOW)
    assert (type(fault).__name__, fault.reason, fault.code) == expected


@pytest.mark.parametrize(
    ("status", "word", "expected"),
    [
        (400, "Throttling", ("Overloaded", "provider-overloaded")),
        (400, "InvalidParameter", ("Permanent", "bad-address")),
        (400, "OptedOut", ("Permanent", "recipient-opted-out")),
        (400, "ValidationException", ("Permanent", "provider-refused")),
        (403, "SignatureDoesNotMatch", ("Unavailable", "provider-refuses-us")),
        (500, "InternalError", ("Uncertain", "outcome-unknown")),
        (503, "ServiceUnavailable", ("Overloaded", "provider-overloaded")),
    ],
)
def test_answers_of_amazon(status: int, word: str, expected: tuple[str, str]) -> None:
    body = f"<ErrorResponse><Error><Code>{word}</Code><Message>+1500</Message></Error></ErrorResponse>".encode()
    fault = sns.of_answer(Answer(status, {}, body), NOW)
    assert (type(fault).__name__, fault.reason, fault.code) == (*expected, word)


@pytest.mark.parametrize(
    ("body", "found"), [(b'{"sid": "SM1"}', "SM1"), (b"{}", None), (b"junk", None), (b"[1]", None)]
)
def test_the_name_of_a_message(body: bytes, found: str | None) -> None:
    assert message_id(body) == found
