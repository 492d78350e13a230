"""The catalogue finds a type for every event and refuses what it cannot use, with the line."""

import pytest

from libs.catalogue.catalogue import SHIPPED, parse, shipped
from libs.catalogue.reading import BadCatalogue
from libs.catalogue.texts import context, texts
from libs.schemas.events import EVENT_NAMES

pytestmark = pytest.mark.covers("S4", "S7")

REST = "".join(
    f"  - {{key: {event}, match: {{event: {event}}}, category: c, name: n, channels: [in-app]}}\n"
    for event in EVENT_NAMES
)


def type_of(**fields: str) -> str:
    """The lines of a type, which is right but for `fields`."""
    lines = {"key": "a", "match": "{event: service.event, name: a}", "category": "c", "name": "A",
             "channels": "[in-app]"} | fields  # fmt: skip
    return "  - " + "\n    ".join(f"{name}: {value}" for name, value in lines.items()) + "\n"


@pytest.mark.parametrize(
    ("event", "name", "key"),
    [
        ("service.event", "iam.user.created", "iam.user.created"),
        ("service.event", "iam.user.deleted", "iam.user"),
        ("service.event", "crm.deal.closed", "service.event"),
        ("service.event", "CONTACT_CREATED", "contact.created"),
        ("service.event", "AGENT_COMPLETED", "agent.completed"),
        ("service.event", "nearby-job", "nearby-job"),
        ("agent.event", "request_help", "agent.request_help"),
        ("system.notification", None, "system.notification"),
        ("system.notification", "system.maintenance", "system.maintenance"),
        ("system.notification", "anything", "system.notification"),
        ("service.alert", None, "service.alert"),
    ],
)
def test_every_event_has_a_type(event: str, name: str | None, key: str) -> None:
    assert shipped().find(event, name).key == key  # type: ignore[arg-type]  # parametrised as plain text


def test_registered_names_need_no_three_parts() -> None:
    assert shipped().registers("nearby-job")
    assert not shipped().registers("two.parts")


def test_exact_names_come_before_patterns_wherever_they_stand() -> None:
    broad, narrow = (type_of(key=k, match=f'{{event: service.event, name: "{n}"}}') for k, n in
                     (("broad", "*.*.made"), ("narrow", "a.*.made")))  # fmt: skip
    broad = broad.replace("*.*.made", "a.*.*")
    exact = type_of(key="exact", match="{event: service.event, name: a.b.made}")
    found = parse("types:\n" + REST + broad + narrow + exact)
    named = {"a.b.made": "exact", "a.c.made": "narrow", "a.c.gone": "broad", "b.c.made": "service.event"}
    assert {name: found.find("service.event", name).key for name in named} == named


def test_text_is_filled_from_the_data() -> None:
    kind = shipped().find("service.event", "template.category.created")
    told = texts(kind, "in-app", context({"name": "Electronics"}, event_name="template.category.created"))
    assert told[:2] == ("Category Created", 'New category "Electronics" has been created')


def test_a_text_that_misses_its_data_falls_back() -> None:
    kind = shipped().find("service.event", "iam.user.created")
    told = texts(kind, "in-app", context(None, event_name="iam.user.created"))
    assert told[:2] == ("New User Added", "A user has been added to your organization")
    plain = shipped().find("service.event", "cbm.order.completed")
    told = texts(plain, "in-app", context(None, event_name="cbm.order.completed"))
    assert told[:2] == ("Resource Updated", "cbm.order.completed occurred")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("types:\n" + type_of(match="{event: nonsense}"), "line 3, a: match.event: Input should be 'system.notif"),
        ("types:\n" + REST + type_of(chanels="[email]"), "line 11, a: chanels: Extra inputs are not permitted"),
        ("types:\n" + type_of(color='"red"'), "line 7, a: color: String should match"),
        ("types:\n" + type_of(allowedChannels="[email]"), "line 2, a: channels: in-app is not one of allowedChannels"),
        ("types:\n" + type_of(wireNames="{/: other}"), "line 7, a: wireNames./: Input should be '/ws/notifications'"),
        ("types:\n" + type_of(wireNames="{/ws/notifications: connected}"), "line 2, a: wireNames: connected is a name"),
        ("types:\n" + type_of(templates="{default: {default: {title: '{{ x'}}}"),
         "line 7, a: templates.default.default.title: line 1: unexpected end of template"),
        ("types:\n" + type_of(templates="{english: {}}"), "line 7, a: templates.english: String should match"),
        ("types:\n" + REST + type_of() + type_of(), "line 11, a: two types have the same key a"),
        ("types:\n" + REST + type_of(aliases="[service.alert]"),
         "line 6, a: service.alert is a name of two types: service.alert and a"),
        ("types:\n" + type_of(), "no type matches every system.notification"),
        ("types: [\n", "line 2: expected the node content"),
        ("types:\n" + type_of(key="a\n    key: b"), "line 3: key stands twice"),
        ("types: &a\n - *a\n", "line 2: YAML aliases are not taken"),
        ("types:\n - key: !!python/name:os.system ''\n", "line 2: could not determine a constructor"),
        ("version: 1\ntypes: []\n", "line 1: a catalogue is {types: […]} and nothing else"),
        ("", "line 1: the document is empty"),
        ('{"types": [\n{"key": "a"}]}', "line 2, a: match: Field required"),
    ],
)  # fmt: skip
def test_a_bad_catalogue_is_refused_with_the_line_and_the_reason(text: str, told: str) -> None:
    with pytest.raises(BadCatalogue) as refused:
        parse(text)
    assert str(refused.value).startswith(told)


def test_everything_that_is_wrong_is_told_at_once() -> None:
    with pytest.raises(BadCatalogue) as refused:
        parse("types:\n" + type_of(color='"red"', icon='"?"') + type_of(key='"?"'))
    assert [(fault.line, fault.field) for fault in refused.value.faults] == [(7, "color"), (8, "icon"), (9, "key")]


def test_the_version_follows_the_content() -> None:
    first, other = parse("types:\n" + REST), parse("types:\n" + REST + type_of())
    assert first.version == parse("types:\n" + REST).version != other.version


def test_each_file_of_the_shipped_catalogue_is_read() -> None:
    assert {path.stem for path in SHIPPED.glob("*.yaml")} == {
        "agents", "collaboration", "crm", "events", "marketplace", "resources", "system",
    }  # fmt: skip
