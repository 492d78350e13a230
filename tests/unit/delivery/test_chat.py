"""Messages to chats: within the bounds of each service, without mentions; and what their answers mean."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.delivery.adapters.chat import errors
from services.delivery.adapters.http.client import Answer
from services.delivery.domain import chat
from services.delivery.domain.delivery import Content, Delivery, Recipient

pytestmark = pytest.mark.covers("F2-5", "F2-7")

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def _delivery(title: str | None, message: str | None, url: str | None = None) -> Delivery:
    content = Content(UUID(int=3), "service.alert", "critical", title, message, url)
    return Delivery("acme", UUID(int=1), "slack", UUID(int=2), 0, NOW, Recipient("endpoint e"), content)


def test_slack() -> None:
    message = chat.slack(
        _delivery("A <title>", "It **is** [here](https://x.test/a?b=1&c=2) & <!channel>", "/r"), "https://a.test"
    )
    header, section, actions = message["blocks"]
    assert message["text"] == "A &lt;title&gt;"
    assert header["text"] == {"type": "plain_text", "text": "A <title>", "emoji": False}
    assert section["text"]["text"] == "It *is* <https://x.test/a?b=1&amp;c=2|here> &amp; &lt;!channel&gt;"
    assert actions["elements"][0]["url"] == "https://a.test/r"


def test_discord() -> None:
    message = chat.discord(_delivery("A title", "@everyone **look**", "https://a.test/r"), None)
    assert message == {
        "embeds": [
            {
                "title": "A title",
                "description": "@everyone **look**",
                "color": 0xC23030,
                "timestamp": "2026-11-21T10:00:00.000Z",
                "url": "https://a.test/r",
            }
        ],
        "allowed_mentions": {"parse": []},
    }


def test_teams() -> None:
    (attachment,) = chat.teams(_delivery(None, "Words", "/r"), "https://a.test")["attachments"]
    card = attachment["content"]
    assert [block["text"] for block in card["body"]] == ["Notification", "Words"]
    assert card["actions"] == [{"type": "Action.OpenUrl", "title": "View details", "url": "https://a.test/r"}]


texts = st.none() | st.text(st.characters(exclude_categories=["Cs"]), max_size=12_000)


@given(texts, texts)
def test_every_message_is_within_the_bounds(title: str | None, message: str | None) -> None:
    delivery = _delivery(title, message)
    blocks = chat.slack(delivery, None)["blocks"]
    assert 1 <= len(blocks[0]["text"]["text"]) <= 150
    assert all(len(block["text"]["text"]) <= 3_000 for block in blocks)
    (embed,) = chat.discord(delivery, None)["embeds"]
    assert 1 <= len(embed["title"]) <= 256
    assert len(embed["title"]) + len(embed["description"]) <= 6_000
    assert len(orjson.dumps(chat.teams(delivery, None))) < 100_000


@given(st.text(max_size=200))
def test_slack_is_told_nothing_in_angle_brackets_but_links(text: str) -> None:
    section = [b for b in chat.slack(_delivery("t", text), None)["blocks"] if b["type"] == "section"]
    for block in section:
        for part in block["text"]["text"].split("<")[1:]:
            assert part.startswith(("https://", "http://"))


@pytest.mark.parametrize(
    ("read", "status", "body", "expected"),
    [
        (errors.slack, 200, b"ok", None),
        (errors.slack, 400, b"invalid_payload", ("Permanent", "provider-refused", "invalid_payload")),
        (errors.slack, 403, b"action_prohibited", ("Permanent", "provider-refused", "action_prohibited")),
        (errors.slack, 410, b"channel_is_archived", ("Permanent", "address-gone", "channel_is_archived")),
        (errors.slack, 500, b"<html>what you sent</html>", ("Retryable", "provider-deferred", "500")),
        (errors.discord, 204, b"", None),
        (errors.discord, 400, b'{"code": 50006}', ("Permanent", "provider-refused", "50006")),
        (errors.discord, 401, b'{"code": 50027}', ("Permanent", "address-gone", "50027")),
        (errors.discord, 429, b"[]", ("Retryable", "provider-overloaded", "429")),
        (errors.discord, 503, b"oops", ("Retryable", "provider-overloaded", "503")),
        (errors.teams, 202, b"", None),
        (errors.teams, 200, b"1", None),
        (errors.teams, 200, b"... failed with error: who knows", ("Retryable", "provider-deferred", "500")),
        (errors.teams, 200, b"failed with error: ... HTTP error 413", ("Permanent", "provider-refused", "413")),
        (errors.teams, 302, b"", ("Permanent", "provider-refused", "302")),
    ],
)
def test_answers(read: Callable[..., Any], status: int, body: bytes, expected: tuple[str, str, str] | None) -> None:
    fault = read(Answer(status, {}, body), NOW)
    assert (fault and (type(fault).__name__, fault.reason, fault.code)) == expected
