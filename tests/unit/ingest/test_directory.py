"""The directory: what entries mean for memberships, and what the topic may say."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.schemas.directory import User
from services.ingest.domain import directory
from services.ingest.domain.directory import Change, Interval, Subject
from services.ingest.domain.directory_records import change_of
from services.ingest.domain.refusals import Refused
from tests.unit.ingest.admitting import TENANTS

pytestmark = pytest.mark.covers("S3", "F1-3")


def change(document: dict[str, Any], tenant: str = "default") -> Change:
    found = directory.read(document, tenant)
    assert isinstance(found, Change)
    return found


def ada(**fields: Any) -> Change:
    return change({"kind": "user", "id": "ada"} | fields)


def rooms(intervals: list[Interval]) -> set[str]:
    return {interval.room for interval in intervals}


def test_a_person_is_in_the_tenant_and_in_what_their_entry_names() -> None:
    plan = directory.memberships([ada(departments=["d"], roles=["r"])], [])
    assert rooms(plan.opened) == {"tenant", "broadcast", "dept:d", "role:r"}
    assert plan.closed == []


def test_what_the_directory_no_longer_names_is_closed_and_what_a_token_claimed_stays() -> None:
    current = [
        Interval("default", "ada", "dept:old", None),
        Interval("default", "ada", "role:claimed", None, "claim"),
        Interval("default", "ada", "org:o", "admin"),
        Interval("default", "ada", "tenant", None),
        Interval("default", "bob", "dept:old", None),
    ]
    plan = directory.memberships([ada(departments=["new"])], current)
    assert rooms(plan.closed) == {"dept:old"}
    assert rooms(plan.opened) == {"broadcast", "dept:new"}


def test_a_claim_becomes_the_directorys() -> None:
    current = [Interval("default", "ada", "tenant", None, "claim")]
    assert "tenant" in rooms(directory.memberships([ada()], current).opened)


def test_who_is_deleted_leaves_every_room() -> None:
    current = [
        Interval("default", "ada", "org:o", "admin"),
        Interval("default", "ada", "role:x", None, "claim"),
    ]
    plan = directory.memberships([Change(Subject("default", "user", ("ada",)), None)], current)
    assert rooms(plan.closed) == {"org:o", "role:x"}


def test_a_membership_opens_with_its_role_and_only_when_it_differs() -> None:
    joins = change({"kind": "membership", "orgId": "o", "userId": "ada", "role": "owner"})
    assert directory.memberships([joins], []).opened == [Interval("default", "ada", "org:o", "owner")]
    assert directory.memberships([joins], [Interval("default", "ada", "org:o", "owner")]).opened == []
    assert directory.memberships([joins], [Interval("default", "ada", "org:o", "member")]).opened != []


NAMES = st.sets(st.sampled_from("abcd"))


@given(NAMES, NAMES, NAMES)
def test_after_a_change_the_directory_holds_exactly_what_is_named(
    before: set[str], after: set[str], claimed: set[str]
) -> None:
    current = [Interval("default", "ada", f"dept:{name}", None) for name in before] + [
        Interval("default", "ada", f"dept:{name}", None, "claim") for name in claimed - before
    ]
    plan = directory.memberships([ada(departments=sorted(after))], current)
    mine = {i.room for i in current if i.source == "directory"} - rooms(plan.closed) | rooms(plan.opened)
    assert mine == {"tenant", "broadcast", *(f"dept:{name}" for name in after)}


def test_of_several_changes_of_one_subject_the_last_counts() -> None:
    first, last = ada(email="a@x.test"), ada(email="b@x.test")
    gone = Change(Subject("default", "device", ("ada", "d")), None)
    assert directory.in_order([last, gone, first]) == [gone, first]


def test_what_the_contract_does_not_know_is_kept_among_the_attributes() -> None:
    entry = ada(desk={"floor": 1}, attributes={"a": 2}).entry
    assert isinstance(entry, User)
    assert directory.attributes_of(entry) == {"desk": {"floor": 1}, "a": 2}


@pytest.mark.parametrize(
    ("key", "value", "subject"),
    [
        (b"user:acme:ada", {"email": "a@x.test", "id": "ada"}, Subject("acme", "user", ("ada",))),
        (b"user:default:a:b", {"id": "a:b"}, Subject("default", "user", ("a:b",))),
        (b"org:default:o", {"kind": "org", "id": "o"}, Subject("default", "org", ("o",))),
        (b"membership:default:o/u", {"orgId": "o", "userId": "u"}, Subject("default", "membership", ("o", "u"))),
        (b"device:default:u/d", None, Subject("default", "device", ("u", "d"))),
    ],
)
def test_records_of_the_topic(key: bytes, value: dict[str, Any] | None, subject: Subject) -> None:
    found = change_of(key, None if value is None else orjson.dumps(value), TENANTS)
    assert isinstance(found, Change)
    assert found.subject == subject
    assert (found.entry is None) == (value is None)


@pytest.mark.parametrize(
    ("key", "value", "code"),
    [
        (None, b"{}", "invalid-key"),
        (b"user:ada", b"{}", "invalid-key"),
        (b"pet:default:rex", b"{}", "invalid-key"),
        (b"membership:default:o", None, "invalid-key"),
        (b"user:default:", None, "invalid-key"),
        (b"\xff:default:x", None, "invalid-key"),
        (b"user:nobody:ada", None, "unknown-tenant"),
        (b"user:default:ada", b"{", "not-json"),
        (b"user:default:ada", b"[]", "not-an-object"),
        (b"user:default:ada", b'{"id": "bob"}', "invalid-key"),
        (b"user:default:ada", b'{"id": "ada", "email": "nope"}', "invalid-field"),
        (b"user:default:ada", b'{"id": "ada", "displayName": "a\\u0000"}', "nul-character"),
    ],
)
def test_records_that_are_refused(key: bytes | None, value: bytes | None, code: str) -> None:
    found = change_of(key, value, TENANTS)
    assert isinstance(found, Refused)
    assert found.code == code
