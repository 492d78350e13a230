"""`carillon publish` to a real topic."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from tests.integration.cli.running import Command

pytestmark = pytest.mark.covers("F0-1")

EVENT = {
    "event": "service.event",
    "data": {"name": "iam.user.created", "metadata": {"timestamp": "2025-10-17T10:30:00Z"}, "data": {"_id": "7"}},
}


def test_composes_an_event_and_prints_where_it_stands(carillon: Command) -> None:
    before = len(carillon.records("noti"))
    result = carillon(
        "publish", "system.notification", "title=Hello", "message=It works", "data:={\"n\": 1}",
        "--to", "user:ana", "--to", "org:acme", "--tenant", "acme", "--record-key", "k", "--idempotency-key", "i-1",
    )  # fmt: skip
    assert result.exit_code == 0, result.output
    position, traceparent = result.stdout.strip().split("\t")
    records = carillon.records("noti")
    assert len(records) == before + 1
    record = next(r for r in records if f"{r.topic}:{r.partition}:{r.offset}" == position)
    data = orjson.loads(record.value)["data"]
    assert data["recipients"] == {"userIds": ["ana"], "orgIds": ["acme"]}
    assert data["metadata"]["tenantId"] == "acme"
    assert data["data"] == {"n": 1}
    assert record.key == b"k"
    assert dict(record.headers) == {"idempotency-key": b"i-1", "traceparent": traceparent.encode()}


def test_publishes_json_lines_from_a_file_and_a_pipe(carillon: Command, tmp_path: Path) -> None:
    line = orjson.dumps(EVENT).decode()
    file = tmp_path / "events.jsonl"
    file.write_text(f"{line}\n\n{line}\n")
    assert len(carillon("publish", "-f", str(file)).stdout.splitlines()) == 2
    assert len(carillon("publish", "-f", "-", stdin=f"[{line},{line},{line}]").stdout.splitlines()) == 3
    assert len(carillon("publish", "--kafka", "-", stdin=line).stdout.splitlines()) == 1


def test_what_the_contract_refuses_is_not_sent_unless_asked_for(carillon: Command) -> None:
    wrong = orjson.dumps(EVENT | {"data": {"name": "iam.user.created", "metadata": {}}}).decode()
    result = carillon("publish", "-f", "-", stdin=wrong)
    assert result.exit_code == 2
    assert "metadata.timestamp" in result.output
    assert carillon("publish", "-f", "-", "--unchecked", stdin=wrong).exit_code == 0
