"""What replaying means, on values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.domain.replay import Impossible, Position, Resend, Stretch, again
from cli.domain.replaying import Candidate, Fate, Tally, Wanted
from libs.catalogue.catalogue import shipped
from libs.runtime.ids import FIRST_PLACE_HEADER, Place
from libs.schemas.topics import IDS_KEPT
from services.ingest.domain.admission import Accepted, Rules, admit_bytes
from services.ingest.domain.origins import RecordOrigin, first_place, named_by_headers
from services.ingest.domain.refusals import Refused
from services.ingest.domain.tenants import TenantRule

pytestmark = pytest.mark.covers("B7", "B1")

NOW = datetime(2026, 1, 31, tzinfo=UTC)


@dataclass
class Record:
    topic: str
    value: bytes | None
    partition: int = 2
    offset: int = 5
    timestamp: int = 1_760_000_000_000
    key: bytes | None = b"k"
    headers: Sequence[tuple[str, bytes]] = field(default_factory=list)


def upstream(**data: Any) -> bytes:
    metadata = {"timestamp": "2026-01-01T00:00:00Z", "orgId": "acme"} | data.pop("metadata", {})
    return orjson.dumps(
        {"event": "system.notification", "data": {"title": "t", "message": "m", "metadata": metadata} | data}
    )


def admitted(record: Record) -> UUID:
    """The id that ingest gives it."""
    named, place = named_by_headers(record.headers), first_place(record.headers)
    assert not isinstance(named, Refused)
    assert not isinstance(place, Refused)
    where = place or Place(record.topic, record.partition, record.offset, record.timestamp)
    tenants = TenantRule("default", frozenset({"*"}), frozenset({"default", "acme"}))
    rules = Rules(lambda _: shipped(), tenants, "2026-01-01T00:00:00.000Z")
    verdict = admit_bytes(record.value, RecordOrigin(*where, record.key, named), rules)
    assert isinstance(verdict, Accepted), verdict
    return verdict.id


_HEADERS: list[list[tuple[str, bytes]]] = [
    [],
    [("idempotency-key", b"a")],
    [("ce_source", b"s"), ("ce_id", b"1")],
    [(FIRST_PLACE_HEADER, b"noti:0:1:2")],
    [("traceparent", b"00-" + b"a" * 32 + b"-" + b"b" * 16 + b"-01")],
]


@given(
    st.sampled_from([None, "order-1"]),
    st.sampled_from([None, "acme"]),
    st.sampled_from(_HEADERS),
    st.integers(0, 99),
)
def test_an_event_of_noti_stays_what_ingest_named_it_however_often_it_is_sent(
    given_id: str | None, tenant: str | None, headers: list[tuple[str, bytes]], offset: int
) -> None:
    data = ({"id": given_id} if given_id else {}) | ({"metadata": {"tenantId": tenant}} if tenant else {})
    record = Record("p.noti", upstream(**data), headers=headers)
    first = again(record, "p.", "default")
    assert isinstance(first, Resend)
    assert (first.id, first.tenant) == (admitted(record), tenant or "default")
    assert (first.topic, first.partition, first.key, first.value) == ("p.noti", 2, b"k", record.value)
    repeated = Record("p.noti", record.value, offset=offset, timestamp=9, headers=list(first.headers))
    assert admitted(repeated) == first.id
    second = again(repeated, "p.", "default")
    assert second == first


def test_an_accepted_event_keeps_its_id_and_headers() -> None:
    identifier = uuid4()
    value = orjson.dumps({"tenant": "acme", "id": str(identifier), "data": {}, "acceptedAt": "…"})
    record = Record("service.event.bulk", value, headers=[("carillon-follows", b"1,2")])
    assert again(record, "", "default") == Resend(
        "service.event.bulk", b"k", value, (("carillon-follows", b"1,2"),), 2, "acme", identifier
    )


@pytest.mark.parametrize(
    "value", [None, b"", b"{", b"[]", b'{"data": 1}', b'{"data": {}}', b'{"id": 7, "tenant": "a"}']
)
def test_what_is_no_event_is_not_sent(value: bytes | None) -> None:
    assert isinstance(again(Record("noti", value), "", "default"), Impossible)


@given(st.integers(0, 99), st.integers(0, 10**9), st.none() | st.integers(0, 10**9))
def test_stretches_are_read_as_they_are_written(partition: int, first: int, last: int | None) -> None:
    stretch = Stretch("a:b", partition, first, last)
    assert Stretch.parse(str(stretch)) == stretch


@pytest.mark.parametrize("text", ["", "noti", "noti:1", "noti:1:", "noti:x:1", ":1:2", "noti:1:2-x", "noti:1:-2"])
def test_other_words_are_no_stretch(text: str) -> None:
    with pytest.raises(ValueError, match="is not topic"):
        Stretch.parse(text)


def test_the_filters_and_the_limit_of_age() -> None:
    at = int((NOW - IDS_KEPT).timestamp() * 1000)
    one = Candidate(Position("events.dead", 0, 1), at, Impossible("x", "acme"), "too-large")
    assert not one.too_old(NOW)
    assert one.too_old(NOW + timedelta(seconds=1))
    assert one.meant(Wanted(NOW))
    assert one.meant(Wanted(NOW, "acme", "too-large"))
    assert not one.meant(Wanted(NOW, "other"))
    assert not one.meant(Wanted(NOW, code="wrong-event"))


def test_the_summary_counts_what_could_not_be_done() -> None:
    tally = Tally(5)
    tally.fates.update([Fate.NEW, Fate.DUPLICATE, Fate.DUPLICATE, Fate.IMPOSSIBLE, Fate.TOO_OLD])
    assert tally.findings == 2
    assert tally.lines()[:3] == [
        "5 records read",
        "1 sent again, and new",
        "2 sent again, and known already: it changes nothing",
    ]
