"""Who a notification is for: the recipients that the event names, or the rule of its type (F0-4).

| event               | without named recipients it is for                                                         |
|---------------------|--------------------------------------------------------------------------------------------|
| system.notification | the organisation, or the whole tenant when none is given                                   |
| service.event       | the creator, the affected user where the catalogue says where to find it, the organisation |
| service.alert       | the admins and owners of the organisation; critical adds the system admins;                |
|                     | without an organisation the system admins alone                                            |
| agent.event         | the user and the agent                                                                     |

The system organisation always means the system admins: the people with a certain role in the tenant (S14).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Literal

from libs.catalogue.paths import at_path
from libs.catalogue.types import NotificationType
from libs.schemas import rooms
from libs.schemas.events import MAX_ID_LENGTH, Recipients
from libs.schemas.records import AcceptedEvent

_ID = re.compile(rf"^[^\s\x00-\x1f]{{1,{MAX_ID_LENGTH}}}$")


class Rule(StrEnum):
    """By which rule an audience came about."""

    NAMED = "named"
    ORGANISATION = "organisation"
    TENANT = "tenant"
    PARTIES = "parties"
    ORG_ADMINS = "org-admins"
    SYSTEM_ADMINS = "system-admins"
    AGENT = "agent"


@dataclass(frozen=True, slots=True)
class AudienceRules:
    """The names by which the rules find people, and the topics that an event may be forwarded to."""

    alert_roles: frozenset[str]
    system_org: str
    system_admin_role: str
    forward_topics: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forward:
    """A `service` or `queue` recipient. `topic` None: the name is not on the allow list, so nothing is sent."""

    kind: Literal["service", "queue"]
    name: str
    topic: str | None


@dataclass(frozen=True, slots=True)
class Audience:
    """Rooms in their fixed order, where else the event goes, and what could not be resolved (`notes`)."""

    rule: Rule
    rooms: tuple[str, ...]
    forwards: tuple[Forward, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """The users who are addressed in their own room."""
        return tuple(room[5:] for room in self.rooms if room.startswith("user:"))

    @property
    def groups(self) -> tuple[str, ...]:
        """The rooms of more than one reader."""
        return tuple(room for room in self.rooms if not rooms.is_personal(room))


def org_asked_for_admins(event: AcceptedEvent, rules: AudienceRules) -> str | None:
    """The organisation whose admins the audience needs to know, or None."""
    if event.event != "service.alert" or (event.recipients is not None and _names_anybody(event.recipients)):
        return None
    org = _id(event.metadata.get("orgId"))
    return org if org != rules.system_org else None


def resolve(
    event: AcceptedEvent, kind: NotificationType, rules: AudienceRules, org_admins: Sequence[str] = ()
) -> Audience:
    """The audience of an event. `org_admins` are the user ids that `org_asked_for_admins` asked for."""
    if event.recipients is not None and _names_anybody(event.recipients):
        return _named(event.recipients, rules)
    org = _id(event.metadata.get("orgId"))
    match event.event:
        case "system.notification":
            return _audience(Rule.ORGANISATION if org else Rule.TENANT, [_org(org, rules) if org else rooms.TENANT])
        case "service.event":
            return _parties(event, kind, _org(org, rules) if org else None)
        case "service.alert":
            return _alerted(event, org, rules, org_admins)
        case "agent.event":
            ids = _id(event.metadata.get("userId")), _id(event.metadata.get("agentId"))
            found = [room(name) for room, name in zip((rooms.user, rooms.agent), ids, strict=True) if name]
            return _audience(Rule.AGENT, found)


def _names_anybody(recipients: Recipients) -> bool:
    return bool(
        recipients.user_ids
        or recipients.agent_ids
        or recipients.org_ids
        or recipients.departments
        or recipients.roles
        or recipients.topics
        or recipients.tenant
        or recipients.broadcast
        or recipients.service
        or recipients.queue
    )


def _named(recipients: Recipients, rules: AudienceRules) -> Audience:
    if len(recipients.user_ids) == 1 and recipients.model_fields_set == {"user_ids"}:  # by far the most frequent
        return Audience(Rule.NAMED, (rooms.user(recipients.user_ids[0]),))
    found = [rooms.user(name) for name in recipients.user_ids]
    found += [rooms.agent(name) for name in recipients.agent_ids]
    found += [_org(name, rules) for name in recipients.org_ids]
    found += [rooms.dept(name) for name in recipients.departments]
    found += [rooms.role(name) for name in recipients.roles]
    found += [rooms.topic(name) for name in recipients.topics]
    found += [rooms.TENANT] * recipients.tenant + [rooms.BROADCAST] * recipients.broadcast
    kinds: tuple[Literal["service", "queue"], ...] = ("service", "queue")
    asked = [(kind, getattr(recipients, kind)) for kind in kinds]
    forwards = tuple(Forward(kind, name, rules.forward_topics.get(name)) for kind, name in asked if name)
    notes = tuple(f"{forward.kind}-not-allowed:{forward.name}" for forward in forwards if forward.topic is None)
    return Audience(Rule.NAMED, rooms.ordered(found), forwards, notes)


def _parties(event: AcceptedEvent, kind: NotificationType, org_room: str | None) -> Audience:
    data = event.data or {}
    creators = [_id(event.metadata.get("userId")), _id(data.get("createdBy"))]
    affected = [_id(at_path(data, path)) for path in kind.audience.users]
    found = [rooms.user(name) for name in (*creators, *affected) if name]
    return _audience(Rule.PARTIES, [*found, org_room] if org_room else found)


def _alerted(event: AcceptedEvent, org: str | None, rules: AudienceRules, org_admins: Sequence[str]) -> Audience:
    system_admins = rooms.role(rules.system_admin_role)
    if org is None or org == rules.system_org:
        return _audience(Rule.SYSTEM_ADMINS, [system_admins])
    found = [rooms.user(name) for name in org_admins]
    if event.severity == "critical":
        found.append(system_admins)
    return _audience(Rule.ORG_ADMINS, found, () if org_admins else (f"no-admins:{org}",))


def _audience(rule: Rule, found: Iterable[str], notes: tuple[str, ...] = ()) -> Audience:
    ordered = rooms.ordered(found)
    return Audience(rule, ordered, (), notes if ordered or notes else ("nobody-named",))


def _org(org: str, rules: AudienceRules) -> str:
    return rooms.role(rules.system_admin_role) if org == rules.system_org else rooms.org(org)


def _id(value: Any) -> str | None:
    # Free data: it may hold anything, and what is no id addresses nobody.
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    return value if isinstance(value, str) and _ID.match(value) else None
