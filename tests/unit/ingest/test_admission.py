"""Admission: what is accepted and as what, and why the rest is refused."""

from __future__ import annotations

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.schemas.events import EVENT_NAMES, MAX_EVENT_BYTES
from libs.schemas.records import AcceptedEvent
from services.ingest.domain import documents
from services.ingest.domain.admission import Accepted
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule
from tests.unit.ingest.admitting import NOW, ORIGIN, RULES, accepted, admit, record, refused
from tests.unit.schemas.examples import METADATA, example

pytestmark = pytest.mark.covers("F0-1", "F0-2", "F0-3", "S3", "S4", "S16", "B1")


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_the_examples_are_accepted_for_the_topic_of_their_event(event: str) -> None:
    verdict = accepted(example(event))
    read = AcceptedEvent.model_validate_json(verdict.value)
    assert (verdict.event, read.event, read.id, read.tenant) == (event, event, verdict.id, "default")
    assert read.source.model_dump() == {"topic": "noti", "partition": 3, "offset": 41}
    assert read.model_dump(mode="json", by_alias=True)["acceptedAt"].startswith(NOW[:19])


def test_what_is_not_known_goes_on_untouched() -> None:
    document = example("service.event", future={"deep": [1, {"x": None}]}, metadata=METADATA | {"shard": 7})
    read = record(document | {"trace": {"a": 1}})
    assert read["future"] == {"deep": [1, {"x": None}]}
    assert read["metadata"]["shard"] == 7
    assert read["trace"] == {"a": 1}


def test_nothing_beside_the_event_can_pass_for_what_ingest_decides() -> None:
    mine = {"tenant": "acme", "id": "x-1", "type": "iam.user", "source": 1, "acceptedAt": 2, "schemaVersion": 9}
    read = AcceptedEvent.model_validate(record(example("service.event", **mine) | mine | {"tags": 5}))
    assert (read.tenant, read.schema_version, read.type, read.tags) == ("default", 1, "iam.user.created", ())


def test_names_in_snake_case_are_written_as_on_the_wire() -> None:
    metadata = {"org_id": "o", "user_id": "u", "agent_id": "a", "timestamp": METADATA["timestamp"]}
    read = record(example("agent.event", metadata=metadata, recipients={"user_ids": ["v"]}, action_url="/x"))
    assert read["metadata"] | {"orgId": "o", "userId": "u", "agentId": "a"} == read["metadata"]
    assert (read["recipients"], read["actionUrl"]) == ({"userIds": ["v"]}, "/x")
    assert "action_url" not in read


@pytest.mark.parametrize(
    ("given_", "written"),
    [
        ("2025-10-17T10:00:00Z", "2025-10-17T10:00:00Z"),
        ("2025-10-17T12:00:00+02:00", "2025-10-17T12:00:00+02:00"),
        (1_760_695_200, "2025-10-17T10:00:00.000Z"),
    ],
)
def test_timestamps_name_an_instant(given_: Any, written: str) -> None:
    assert record(example("service.alert", metadata={"timestamp": given_}))["metadata"]["timestamp"] == written


@pytest.mark.parametrize(
    ("changes", "severity"),
    [
        ({"severity": None}, "normal"),
        ({"severity": None, "priority": "HIGH"}, "high"),
        ({"severity": None, "priority": "URGENT"}, "critical"),
        ({"severity": "low", "priority": "HIGH"}, "low"),
    ],
)
def test_severity_follows_priority_where_none_is_given(changes: dict[str, Any], severity: str) -> None:
    assert record(example("service.alert", **changes))["severity"] == severity


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("iam.user.created", "iam.user.created"),
        ("iam.user.deleted", "iam.user"),
        ("crm.deal.closed", "service.event"),
        ("a.b.c.d", "service.event"),
        ("booking.created", "booking.created"),
        ("nearby-job", "nearby-job"),
        ("CONTACT_CREATED", "contact.created"),
    ],
)
def test_names_of_three_parts_and_registered_ones_have_a_type(name: str, kind: str) -> None:
    assert accepted(example("service.event", name=name)).type == kind


def nested(levels: int) -> Any:
    """Lists within lists."""
    return orjson.loads(b"[" * levels + b"]" * levels)


BAD: list[tuple[str, Any, str, str | None]] = [
    ("tombstone", None, "no-value", None),
    ("empty", b"", "not-json", None),
    ("not JSON", b'{"event": ', "not-json", None),
    ("NaN", b'{"event": NaN}', "not-json", None),
    ("not UTF-8", b'{"event": "\xff"}', "not-utf8", None),
    ("lone surrogate", b'{"event": "\\ud800"}', "lone-surrogate", None),
    ("a list", [], "not-an-object", None),
    ("a text", "x", "not-an-object", None),
    ("no event", {}, "missing-field", "event"),
    ("no data", {"event": "service.event"}, "missing-field", "data"),
    ("data of another kind", {"event": "service.event", "data": 5}, "not-an-object", "data"),
    ("wrong event", {"event": "service.incident", "data": {}}, "wrong-event", "event"),
    ("no agent", example("agent.event", metadata=METADATA), "missing-field", "data.metadata.agentId"),
    ("wrong severity", example("service.alert", severity="urgent"), "wrong-severity", "data.severity"),
    ("two parts", example("service.event", name="user.created"), "unregistered-name", "data.name"),
    (
        "no zone",
        example("service.event", metadata={"timestamp": "2025-10-17T10:00:00"}),
        "timestamp-without-zone",
        "data.metadata.timestamp",
    ),
    ("no timestamp", example("service.event", metadata={}), "missing-field", "data.metadata.timestamp"),
    ("NUL in a text", example("service.event", data={"a": ["b", "c\0"]}), "nul-character", "data.data.a.1"),
    ("NUL in a name", example("service.event", data={"a\0": 1}), "nul-character", "data.data"),
    ("too deep", example("service.event", data={"a": nested(40)}), "too-deep", "data.data.a"),
    ("far too deep", b"[" * 2_000 + b"]" * 2_000, "too-deep", None),
    (
        "long integer",
        orjson.dumps(example("service.event", data={"n": 1})).replace(b'"n":1', b'"n":' + b"9" * 25),
        "number-out-of-range",
        "data.data.n",
    ),
    (
        "number without end",
        orjson.dumps(example("service.event", data={"n": 1})).replace(b'"n":1', b'"n":1e999'),
        "number-out-of-range",
        None,
    ),
    (
        "many recipients",
        example("service.event", recipients={"userIds": [f"u{n}" for n in range(2_000)]}),
        "too-many-recipients",
        "data.recipients.userIds",
    ),
    (
        "very many recipients",
        example("service.event", recipients={"userIds": [f"u{n}" for n in range(100_000)]}),
        "too-large",
        None,
    ),
    ("too large", example("service.event", data={"x": "y" * MAX_EVENT_BYTES}), "too-large", None),
    ("2 MB", b"x" * 2_000_000, "too-large", None),
    (
        "unknown tenant",
        example("service.event", metadata=METADATA | {"tenantId": "nobody"}),
        "unknown-tenant",
        "data.metadata.tenantId",
    ),
]


@pytest.mark.parametrize(("event", "code", "field"), [bad[1:] for bad in BAD], ids=[bad[0] for bad in BAD])
def test_refusals_name_code_reason_and_field(event: Any, code: str, field: str | None) -> None:
    verdict = refused(event)
    assert (verdict.code, verdict.field) == (code, field)
    assert verdict.reason


def test_text_that_only_looks_suspicious_is_accepted() -> None:
    texts = {
        "path": "C:\\u0000",
        "digits": "1234567890123456789012",
        "largest": 2**64 - 1,
        "many": [[] for _ in range(60)],
    }
    assert record(example("service.event", data=texts))["data"] == texts


def test_a_tenant_that_the_topic_may_not_name_is_refused() -> None:
    rules = RULES._replace(tenants=TenantRule("default", frozenset({"default"}), frozenset({"default", "acme"})))
    event = example("service.event", metadata=METADATA | {"tenantId": "acme"})
    assert refused(event, rules=rules).code == "tenant-not-allowed"
    assert accepted(event).tenant == "acme"


@pytest.mark.covers("S14")
def test_only_who_may_name_every_tenant_broadcasts_to_all_of_them() -> None:
    rules = RULES._replace(tenants=TenantRule("default", frozenset({"default"}), frozenset({"default"})))
    everywhere, here = ({"recipients": {"broadcast": to}} for to in ("platform", True))
    verdict = refused(example("service.event", **everywhere), rules=rules)
    assert (verdict.code, verdict.field) == ("platform-not-allowed", "data.recipients.broadcast")
    assert record(example("service.event", **here))["recipients"] == {"broadcast": True}
    assert record(example("service.event", **everywhere))["recipients"] == {"broadcast": "platform"}


@pytest.mark.parametrize(
    ("event", "key", "expected"),
    [
        ("agent.event", b"producer", b"agent-1"),
        ("service.event", b"producer", b"producer"),
        ("service.event", None, b"user-1"),
    ],
)
def test_the_ordering_key(event: str, key: bytes | None, expected: bytes) -> None:
    assert accepted(example(event), ORIGIN._replace(key=key)).key == expected


def test_without_key_and_user_an_event_is_spread() -> None:
    assert accepted(example("service.event", metadata={"timestamp": METADATA["timestamp"]})).key is None


def test_reading_again_gives_the_same_record_and_trace() -> None:
    first, again = accepted(example("service.event")), accepted(example("service.event"))
    assert first == again
    assert len(first.traceparent.split("-")) == 4
    assert accepted(example("service.event"), ORIGIN._replace(offset=42)).id != first.id


def test_the_producers_trace_is_carried() -> None:
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    assert accepted(example("service.event"), ORIGIN._replace(traceparent=trace)).traceparent == trace


def test_a_long_flat_list_is_not_walked() -> None:
    flat = documents.parse(orjson.dumps([example("service.event")] * 500))
    assert isinstance(flat, documents.Parsed)
    assert not flat.suspicious
    deep = documents.parse(orjson.dumps([nested(40)]))
    assert isinstance(deep, documents.Parsed)
    assert deep.suspicious


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@given(JSON, st.sampled_from(EVENT_NAMES), st.sampled_from(["data", "metadata", "recipients", "name", "tags", "more"]))
def test_no_event_breaks_admission_and_no_accepted_one_breaks_its_reader(value: Any, event: str, where: str) -> None:
    document = example(event)
    document["data"][where] = value
    verdict = admit(json.dumps(document).encode())
    if isinstance(verdict, Accepted):
        AcceptedEvent.model_validate_json(verdict.value)
        assert b"\\u0000" not in verdict.value.replace(b"\\\\", b"")
    else:
        assert isinstance(verdict, Refused)


@given(st.binary(max_size=200))
def test_no_bytes_break_admission(raw: bytes) -> None:
    assert isinstance(admit(raw), Refused)
