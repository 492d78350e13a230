"""The types of the simulation, one for each promise, and the events that are published."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from libs.catalogue.catalogue import Catalogue, shipped
from libs.catalogue.reading import read_types
from libs.schemas.events import PLATFORM, Recipients
from libs.schemas.records import AcceptedEvent, Source
from tests.simulation.world import BEGINNING

TENANT = "acme"
TENANTS = ("acme", "beta", "cora", "dora", "east")
LIMIT, MOST_ITEMS, WINDOW = 2, 3, 20

_TYPES = """
types:
- {key: sim.plain, match: {event: service.event, name: sim.plain}, category: sim, name: Plain, channels: [in-app]}
- {key: sim.mail, match: {event: service.event, name: sim.mail}, category: sim, name: Mail, channels: [in-app, email]}
- key: sim.throttled
  match: {event: service.event, name: sim.throttled}
  category: sim
  name: Throttled
  channels: [in-app, email]
  throttle: {limit: 2, perSeconds: 86400}
- key: sim.digested
  match: {event: service.event, name: sim.digested}
  category: sim
  name: Digested
  channels: [in-app, email]
  digest: {windowSeconds: 20, maxItems: 3}
"""
CATALOGUE = Catalogue("simulated", (*shipped().types, *(entry.type for entry in read_types(_TYPES))))

#: broken: no event at all · refused: the database does not take its text · later: it is to be told in some seconds ·
#: everywhere: for everybody in every tenant
What = Literal[
    "plain", "mail", "throttled", "digested", "collapsing", "group", "later", "everywhere", "broken", "refused"
]
ORG = ("ada", "bea", "cyd", "dan", "eve")


def members_of(room: str) -> tuple[str, ...]:
    """The people of a group, in the order of their ids."""
    return ORG


def event(number: int, what: What, user: str) -> bytes:
    """The record of an event; its id is its number."""
    if what == "broken":
        return b"{"
    name = f"sim.{what}" if what in ("throttled", "digested", "mail") else "sim.plain"
    more: dict[str, Any] = {}
    if what == "group":
        name, more = "sim.mail", {"recipients": Recipients(user_ids=(user,), org_ids=("o",))}
    elif what == "later":
        more = {"deliver_at": BEGINNING + timedelta(seconds=3 + number)}
    elif what == "everywhere":
        more = {"recipients": Recipients(broadcast=PLATFORM)}
    elif what == "collapsing":
        name, more = "sim.mail", {"collapse_key": "one"}
    accepted = AcceptedEvent(
        id=UUID(int=number + 1),
        tenant=TENANT,
        event="service.event",
        type=name,
        name=name,
        title="t\x00" if what == "refused" else "t",
        message="m",
        metadata={},
        **{"recipients": Recipients(user_ids=(user,))} | more,
        accepted_at=BEGINNING,
        source=Source(topic="noti", partition=0, offset=number),
    )
    return accepted.model_dump_json(by_alias=True, exclude_none=True).encode()
