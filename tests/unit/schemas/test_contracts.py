"""The wire contracts: what is read, what survives, and the schema files that others build on."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import jsonschema
import orjson
import pytest
from pydantic import ValidationError

from libs.runtime.clock import utc_now
from libs.schemas import generate, records, topics
from libs.schemas.directory import DIRECTORY_ENTRY
from libs.schemas.events import EVENT_NAMES, UPSTREAM_EVENT
from tests.unit.schemas.examples import EXAMPLES, METADATA, example

pytestmark = pytest.mark.covers("F0-1", "F0-2")


def test_the_schema_files_are_those_of_the_models() -> None:
    assert generate.drifted() == [], "run `make schemas`"


def test_the_drift_check_sees_a_changed_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    monkeypatch.setattr(generate, "FOLDER", tmp_path)
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
    (tmp_path / "dead-letter.schema.json").write_text("{}")
    assert generate.drifted() == ["dead-letter.schema.json"]
    assert generate.main(["--check"]) == 1


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_the_examples_are_valid_by_model_and_by_schema_file(event: str) -> None:
    assert UPSTREAM_EVENT.validate_python(EXAMPLES[event]).event == event
    schema = orjson.loads((generate.FOLDER / "upstream-event.schema.json").read_bytes())
    jsonschema.Draft202012Validator(schema).validate(EXAMPLES[event])


@pytest.mark.parametrize("event", EVENT_NAMES)
def test_unknown_fields_survive_at_every_level(event: str) -> None:
    document = example(event, future={"a": 1}, metadata=EXAMPLES[event]["data"]["metadata"] | {"shard": 7}) | {"v": 2}
    again = UPSTREAM_EVENT.validate_python(document).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert again == document


@pytest.mark.parametrize(
    ("event", "changes"),
    [
        ("system.notification", {"title": None}),
        ("service.alert", {"message": ""}),
        ("service.alert", {"severity": "urgent"}),
        ("service.event", {"name": None}),
        ("agent.event", {"name": "sleeping"}),
        ("agent.event", {"metadata": METADATA}),
        ("system.notification", {"metadata": METADATA | {"timestamp": "2025-10-17T10:00:00"}}),
        ("system.notification", {"recipients": {"userIds": [f"u{n}" for n in range(1_001)]}}),
        ("system.notification", {"recipients": {"userIds": ["with space"]}}),
        ("system.notification", {"actionUrl": "javascript:alert(1)"}),
        ("system.notification", {"channels": ["pigeon"]}),
        ("system.notification", {"tags": "not-a-list"}),
    ],
)
def test_what_the_contract_forbids(event: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        UPSTREAM_EVENT.validate_python(example(event, **changes))


def test_a_severity_is_normal_unless_given() -> None:
    assert UPSTREAM_EVENT.validate_python(example("service.event")).data.severity == "normal"


def test_an_older_reader_keeps_what_a_newer_one_wrote() -> None:
    written = {
        "schemaVersion": 1,
        "id": str(uuid4()),
        "tenant": "default",
        "event": "service.event",
        "type": "service.event",
        "metadata": METADATA,
        "acceptedAt": "2025-10-17T10:00:00.000Z",
        "source": {"topic": "noti", "partition": 1, "offset": 2, "epoch": 3},
        "ofTomorrow": [1, 2],
    }
    again = records.AcceptedEvent.model_validate(written).model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert again["ofTomorrow"] == [1, 2]
    assert again["source"]["epoch"] == 3


def test_gateway_records_are_told_apart_by_kind() -> None:
    change = records.MembershipChange(tenant="t", user_id="u", version=3)
    read = records.GATEWAY_RECORD.validate_json(change.model_dump_json(by_alias=True))
    assert isinstance(read, records.MembershipChange)
    assert read.version == 3


def test_names_on_the_wire_are_camel_case() -> None:
    letter = records.DeadLetter(
        code="not-json", reason="r", source=records.Source(topic="noti"), failed_at=utc_now(), service="ingest"
    )
    assert {"failedAt", "sourceTimestamp", "schemaVersion"} <= letter.model_dump(by_alias=True).keys()


def test_directory_entries_are_told_apart_by_kind() -> None:
    entry = DIRECTORY_ENTRY.validate_python({"kind": "membership", "orgId": "o", "userId": "u"})
    assert entry.kind == "membership"


def test_every_event_has_a_topic_and_no_topic_stands_twice() -> None:
    assert tuple(topics.TYPED) == EVENT_NAMES
    names = [topic.name for topic in topics.ALL]
    assert len(names) == len(set(names))
    assert all(topic.partitions > 1 for topic in topics.ALL)
