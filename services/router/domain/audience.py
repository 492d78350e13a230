"""Who a notification is for: the recipients that the event names, or the rule of its type (F0-4).

| event               | without named recipients it is for                                                         |
|---------------------|--------------------------------------------------------------------------------------------|
| system.notification | the organisation, or the whole tenant when none is given                                   |
| service.event       | the creator, the affected user where the catalogue says where to find it, the organisation |
| service.alert       | the admins and owners of the organisation; critical adds the system admins;                |
|                     | without an organisation the system admins alone                                            |
| agent.event         | the user and the agent                                                                     |

A type may add to the rule of its event or stand in for it: users by paths into the data, departments, roles, topics,
the tenant, people near a point (libs.catalogue.types.AudienceRule). An event that bears the name of a type of another
event, such as AGENT_COMPLETED, goes by the rule of that one. The system organisation always means the system admins:
the people with a certain role in the tenant (S14).

Who is excluded is taken out whoever named them. Out of a group's room nobody can be taken, so they stand on the
notification: `Audience.excluded`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Literal

from libs.catalogue.types import AudienceRule, NotificationType
from libs.schemas import rooms
from libs.schemas.events import EventName, Recipients
from libs.schemas.records import AcceptedEvent
from services.router.domain.nearness import Search, search
from services.router.domain.targeting import Found, actor, by_type, identifier

_BY_EVENT = AudienceRule()
_NOBODY_NAMED, _NOBODY_LEFT = "nobody-named", "nobody-left"


class Rule(StrEnum):
    """By which rule an audience came about."""

    NAMED = "named"
    ORGANISATION = "organisation"
    TENANT = "tenant"
    PARTIES = "parties"
    ORG_ADMINS = "org-admins"
    SYSTEM_ADMINS = "system-admins"
    AGENT = "agent"
    TYPE = "type"


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
    """Rooms in their fixed order, where else the event goes, and what could not be resolved (`notes`).

    `excluded` are users who are not meant although they may be in one of the groups.
    """

    rule: Rule
    rooms: tuple[str, ...]
    forwards: tuple[Forward, ...] = ()
    notes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    @property
    def people(self) -> tuple[str, ...]:
        """The users who are addressed in their own room."""
        return tuple(room[5:] for room in self.rooms if room.startswith("user:"))

    @property
    def groups(self) -> tuple[str, ...]:
        """The rooms of more than one reader."""
        return tuple(room for room in self.rooms if not rooms.is_personal(room))


@dataclass(frozen=True, slots=True)
class Asked:
    """What the directory is asked first: the admins of an organisation, who is near a point."""

    org: str | None = None
    near: Search | None = None


_NOTHING_ASKED, _NOTHING_FOUND = Asked(), Found()
_NOBODY = Audience(Rule.TYPE, ())


def asked(event: AcceptedEvent, kind: NotificationType, rules: AudienceRules) -> Asked:
    """What must be known before `resolve`."""
    rule = kind.audience
    alerts = rule.by_event and kind.match.event == "service.alert"
    if (rule.near is None and not alerts) or (event.recipients is not None and _names_anybody(event.recipients)):
        return _NOTHING_ASKED
    org = identifier(event.metadata.get("orgId")) if alerts else None
    return Asked(org if org != rules.system_org else None, search(event, rule.near) if rule.near else None)


def resolve(
    event: AcceptedEvent, kind: NotificationType, rules: AudienceRules, found: Found = _NOTHING_FOUND
) -> Audience:
    """The audience of an event. `found` answers what `asked` asked."""
    recipients, excluded = event.recipients, frozenset[str]()
    if recipients is not None and _names_anybody(recipients):
        audience = _named(recipients, rules)
    else:
        audience = _ruled(event, kind, rules, found)
        excluded = actor(event) if kind.audience.exclude_actor else excluded
    if recipients is not None and recipients.exclude_user_ids:
        excluded |= frozenset(recipients.exclude_user_ids)
    return _without(audience, excluded) if excluded else audience


def _ruled(event: AcceptedEvent, kind: NotificationType, rules: AudienceRules, found: Found) -> Audience:
    rule = kind.audience
    by_event = _by_event(event, kind.match.event, rules, found.org_admins) if rule.by_event else _NOBODY
    if rule == _BY_EVENT:
        return by_event
    named, notes = by_type(event, rule, found)
    gathered = rooms.ordered((*by_event.rooms, *named))
    known = tuple(note for note in by_event.notes if note != _NOBODY_NAMED)
    return Audience(by_event.rule, gathered, (), (*known, *notes) if gathered or notes else (_NOBODY_NAMED,))


def _by_event(event: AcceptedEvent, rule: EventName, rules: AudienceRules, org_admins: Sequence[str]) -> Audience:
    org = identifier(event.metadata.get("orgId"))
    match rule:
        case "system.notification":
            return _audience(Rule.ORGANISATION if org else Rule.TENANT, [_org(org, rules) if org else rooms.TENANT])
        case "service.event":
            return _parties(event, _org(org, rules) if org else None)
        case "service.alert":
            return _alerted(event, org, rules, org_admins)
        case "agent.event":
            ids = identifier(event.metadata.get("userId")), identifier(event.metadata.get("agentId"))
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
    found += [rooms.TENANT] * recipients.tenant + [rooms.BROADCAST] * bool(recipients.broadcast)
    kinds: tuple[Literal["service", "queue"], ...] = ("service", "queue")
    asked = [(kind, getattr(recipients, kind)) for kind in kinds]
    forwards = tuple(Forward(kind, name, rules.forward_topics.get(name)) for kind, name in asked if name)
    notes = tuple(f"{forward.kind}-not-allowed:{forward.name}" for forward in forwards if forward.topic is None)
    return Audience(Rule.NAMED, rooms.ordered(found), forwards, notes)


def _without(audience: Audience, excluded: frozenset[str]) -> Audience:
    kept = tuple(room for room in audience.rooms if not (room.startswith("user:") and room[5:] in excluded))
    left = replace(audience, rooms=kept, notes=audience.notes if kept or not audience.rooms else (_NOBODY_LEFT,))
    return replace(left, excluded=tuple(sorted(excluded))) if left.groups else left


def _parties(event: AcceptedEvent, org_room: str | None) -> Audience:
    creators = [identifier(event.metadata.get("userId")), identifier((event.data or {}).get("createdBy"))]
    found = [rooms.user(name) for name in creators if name]
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
    return Audience(rule, ordered, (), notes if ordered or notes else (_NOBODY_NAMED,))


def _org(org: str, rules: AudienceRules) -> str:
    return rooms.role(rules.system_admin_role) if org == rules.system_org else rooms.org(org)
