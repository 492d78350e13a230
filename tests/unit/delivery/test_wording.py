"""The words of a delivery by its type: digests, and what is kept from screens that others see."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from libs.catalogue.types import NotificationType
from services.delivery.domain.delivery import Content, Delivery, Item, Recipient
from services.delivery.domain.wording import worded

TEMPLATES: dict[str, Any] = {
    "default": {
        "default": {
            "title": "Result for {{ patient.name }}",
            "message": "{{ patient.value }} of {{ test }}",
            "digestTitle": "{{ count }} results",
            "digestMessage": "{% for item in items %}[{{ item.title }}]{% endfor %}",
        }
    },
    "de": {"email": {"digestTitle": "{{ count }} Befunde"}},
}
DATA = {"patient": {"name": "Ada", "value": 7}, "test": "TSH"}


def kind(**fields: Any) -> NotificationType:
    given = {"key": "lab.result", "category": "lab", "name": "Result", "channels": ["email", "push"]}
    match = {"match": {"event": "service.event"}, "templates": TEMPLATES}
    return NotificationType.model_validate(given | match | fields)


def delivery(channel: str, content: Content, locale: str | None = None) -> Delivery:
    person = Recipient("ada", locale=locale)
    return Delivery("acme", uuid4(), channel, uuid4(), 0, datetime(2026, 11, 21, tzinfo=UTC), person, content)


def stored(title: str = "Result for Ada", message: str = "7 of TSH") -> Content:
    return Content(uuid4(), "lab.result", title=title, message=message, document={"data": DATA, "name": "lab.result"})


@pytest.mark.covers("F2-8")
@pytest.mark.parametrize("channel", ["push", "sms", "slack"])
def test_sensitive_data_is_masked_where_others_may_see_it(channel: str) -> None:
    sensitive = kind(sensitive=["patient.name", "patient.value", "not.there"])
    said = worded(delivery(channel, stored()), sensitive).content
    assert (said.title, said.message) == ("Result for •••", "••• of TSH")
    own = worded(delivery("email", stored()), sensitive).content
    assert (own.title, own.message) == ("Result for Ada", "7 of TSH")
    assert worded(delivery(channel, stored()), kind()).content.title == "Result for Ada"
    assert DATA == {"patient": {"name": "Ada", "value": 7}, "test": "TSH"}


def collected(*items: Item) -> Content:
    return Content(uuid4(), "digest", title="plain", message="list", items=items)


ITEMS = (Item("a", "m", None, "lab.result"), Item("b", "m", None, "lab.result"))


@pytest.mark.covers("B4", "B3")
@pytest.mark.parametrize(
    ("channel", "locale", "title"),
    [("email", "de-AT", "2 Befunde"), ("email", "fr", "2 results"), ("push", "de", "2 results")],
)
def test_a_digest_has_the_words_of_its_type(channel: str, locale: str, title: str) -> None:
    content = collected(*ITEMS)
    assert content.worded_by == "lab.result"
    assert worded(delivery(channel, content, locale), kind()).content.title == title


@pytest.mark.covers("B4")
def test_a_digest_of_several_types_or_of_one_item_keeps_the_plain_words() -> None:
    assert collected(*ITEMS, Item("c", None, None, "other")).worded_by == "digest"
    assert worded(delivery("email", collected(ITEMS[0])), kind()).content.title == "plain"
    assert worded(delivery("email", collected(*ITEMS)), None).content.title == "plain"
    filled = worded(delivery("email", collected(*ITEMS)), kind()).content
    assert (filled.title, filled.message) == ("2 results", "[a][b]")
