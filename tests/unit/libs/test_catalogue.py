"""The catalogue finds a type for every event and refuses what it cannot use."""

import pytest

from libs.catalogue import catalogue, rendering

pytestmark = pytest.mark.covers("S4", "S7")

SHIPPED = catalogue.shipped()


@pytest.mark.parametrize(
    ("event", "name", "key"),
    [
        ("service.event", "iam.user.created", "iam.user.created"),
        ("service.event", "iam.user.updated", "iam.user"),
        ("service.event", "cbm.order.completed", "service.event"),
        ("service.event", "CONTACT_CREATED", "contact.created"),
        ("service.event", "booking.created", "booking.created"),
        ("service.event", "nearby-job", "nearby-job"),
        ("agent.event", "request_help", "agent.request_help"),
        ("agent.event", "thinking", "agent.event"),
        ("system.notification", None, "system.notification"),
        ("service.alert", None, "service.alert"),
    ],
)
def test_every_event_has_a_type(event: str, name: str | None, key: str) -> None:
    assert SHIPPED.find(event, name).key == key  # type: ignore[arg-type]  # parametrised as plain text


def test_registered_names_need_no_three_parts() -> None:
    assert SHIPPED.registers("nearby-job")
    assert not SHIPPED.registers("two.parts")


def test_text_is_filled_from_the_data() -> None:
    kind = SHIPPED.find("service.event", "template.category.created")
    assert rendering.text(kind, kind.key, {"name": "Electronics"}) == (
        "Category Created", 'New category "Electronics" has been created',
    )  # fmt: skip


def test_a_text_that_misses_its_data_falls_back() -> None:
    kind = SHIPPED.find("service.event", "iam.user.created")
    assert rendering.text(kind, kind.key, {}) == ("New User Added", "A user has been added to your organization")
    plain = SHIPPED.find("service.event", "cbm.order.completed")
    assert rendering.text(plain, "cbm.order.completed", None) == ("Resource Updated", "cbm.order.completed occurred")


def test_a_bad_catalogue_is_refused_with_the_entry_and_the_reason() -> None:
    text = 'version: "1"\ntypes:\n  - {key: a, match: {event: nonsense}, category: c, channels: [in-app]}\n'
    with pytest.raises(catalogue.BadCatalogue, match=r"type 1 \(a\): match.event"):
        catalogue.parse(text)


def test_a_key_stands_once() -> None:
    entry = "{key: a, match: {event: service.event}, category: c, channels: [in-app]}"
    with pytest.raises(catalogue.BadCatalogue, match="same key"):
        catalogue.parse(f'version: "1"\ntypes:\n  - {entry}\n  - {entry}\n')
