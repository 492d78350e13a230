"""Changes of the directory: what may be written, in which order, and which rooms follow from it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, get_args

from pydantic import ValidationError

from libs.schemas import rooms
from libs.schemas.directory import DIRECTORY_ENTRY, Device, DirectoryEntry, Membership, Org, User
from services.ingest.domain import refusals
from services.ingest.domain.refusals import Refused

Kind = Literal["user", "org", "membership", "device"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: Rooms that a person's own entry decides on; rooms of organisations follow memberships.
_OF_THE_PERSON = frozenset({rooms.TENANT, rooms.BROADCAST, "dept", "role"})


class Subject(NamedTuple):
    """What a change is about. `id` of a membership is (org, user), of a device (user, device), else (id,)."""

    tenant: str
    kind: Kind
    id: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.kind}:{'/'.join(self.id)}"


class Change(NamedTuple):
    """The subject is to be as `entry` says, or not to be (None)."""

    subject: Subject
    entry: DirectoryEntry | None


class Interval(NamedTuple):
    """An open membership. `role` is of organisations' rooms alone."""

    tenant: str
    user: str
    room: str
    role: str | None
    source: Literal["directory", "claim"] = "directory"


class Memberships(NamedTuple):
    """Which intervals open and close."""

    opened: list[Interval]
    closed: list[Interval]


def subject_of(tenant: str, entry: DirectoryEntry) -> Subject:
    """What an entry is about."""
    if isinstance(entry, Membership):
        return Subject(tenant, "membership", (entry.org_id, entry.user_id))
    if isinstance(entry, Device):
        return Subject(tenant, "device", (entry.user_id, entry.id))
    return Subject(tenant, entry.kind, (entry.id,))


def read(document: Any, tenant: str) -> Change | Refused:
    """An entry from outside."""
    try:
        entry = DIRECTORY_ENTRY.validate_python(document)
    except ValidationError as error:
        return refusals.from_entry(error)
    return Change(subject_of(tenant, entry), entry)


def in_order(changes: Iterable[Change]) -> list[Change]:
    """The last change of each subject, in the order of their keys: two writers lock in the same order."""
    latest = {change.subject: change for change in changes}
    return [latest[subject] for subject in sorted(latest)]


def people(changes: Iterable[Change]) -> set[tuple[str, str]]:
    """(tenant, user) of everybody whose memberships a change may touch."""
    touched = (change.subject for change in changes if change.subject.kind in ("user", "membership"))
    return {(subject.tenant, subject.id[-1]) for subject in touched}


def memberships(changes: Iterable[Change], current: Iterable[Interval]) -> Memberships:
    """What the changes open and close, given the open intervals of their people.

    A person's entry names their departments and roles completely: what the directory opened and it does not name is
    closed; what a token claimed stays. Who is deleted leaves every room.
    """
    mine: dict[tuple[str, str], list[Interval]] = {}
    for interval in current:
        mine.setdefault((interval.tenant, interval.user), []).append(interval)
    plan = Memberships([], [])
    for subject, entry in changes:
        if subject.kind == "user":
            _follow_person(subject, entry, mine.get((subject.tenant, subject.id[0]), []), plan)
        elif subject.kind == "membership":
            _follow_membership(subject, entry, mine.get((subject.tenant, subject.id[1]), []), plan)
    return plan


def _follow_person(subject: Subject, entry: DirectoryEntry | None, current: list[Interval], plan: Memberships) -> None:
    if not isinstance(entry, User):
        plan.closed.extend(current)
        return
    wanted = rooms_of(entry)
    plan.closed.extend(
        interval
        for interval in current
        if interval.source == "directory"
        and rooms.kind(interval.room) in _OF_THE_PERSON
        and interval.room not in wanted
    )
    _open(subject.tenant, entry.id, dict.fromkeys(wanted), current, plan)


def _follow_membership(
    subject: Subject, entry: DirectoryEntry | None, current: list[Interval], plan: Memberships
) -> None:
    org, user = subject.id
    if isinstance(entry, Membership):
        _open(subject.tenant, user, {rooms.org(org): entry.role}, current, plan)
    else:
        plan.closed.append(Interval(subject.tenant, user, rooms.org(org), None))


def _open(tenant: str, user: str, wanted: Mapping[str, str | None], current: list[Interval], plan: Memberships) -> None:
    """Only what differs: opening locks the heads of rooms, and some of them are everybody's."""
    there = {(interval.room, interval.role) for interval in current if interval.source == "directory"}
    plan.opened.extend(Interval(tenant, user, room, role) for room, role in wanted.items() if (room, role) not in there)


def rooms_of(user: User) -> frozenset[str]:
    """The rooms that a person's entry puts them in."""
    groups = {rooms.dept(name) for name in user.departments} | {rooms.role(name) for name in user.roles}
    return frozenset({rooms.TENANT, rooms.BROADCAST} | groups)


def attributes_of(entry: User | Org) -> dict[str, Any]:
    """What is stored beside the columns: the attributes, and what this version of the contract does not know."""
    return {**(entry.model_extra or {}), **entry.attributes}
