"""What must always hold (docs/architecture.md), looked for in the tables and topics when everything is done."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import orjson

from services.router.domain.broadcasting import id_in
from services.router.domain.following import followed
from services.router.domain.incoming import Received, Record, decode
from services.router.domain.placing import CONTROL, NOTIFICATION
from tests.simulation.catalogue import LIMIT, MOST_ITEMS, ORG, TENANT, TENANTS, What
from tests.simulation.ledger import SLOT, Position
from tests.simulation.routers import PARTITIONS
from tests.simulation.world import World

#: Kinds that are taken first and become notifications by and by.
LATER = ("later", "everywhere")


@dataclass(frozen=True, slots=True)
class Published:
    """What stood on the topics in the beginning: the kind of each event by its number, and where it stands first."""

    kinds: Mapping[int, What]
    places: Sequence[tuple[int, int]]  # partition, number of the event; in the order of publishing

    def told(self, world: World) -> set[UUID]:
        """The ids of the notifications that there must be: an event that is cancelled while it waits is never told, and
        in which tenants one is that is taken back depends on how far it came."""
        given_up = {id_ for (_, id_), row in world.database.table("scheduled").items() if row.state == "cancelled"}
        ids = {UUID(int=n + 1) for n, what in self.kinds.items() if what not in ("broken", "refused", "everywhere")}
        there = {id_ for _, id_ in world.database.table("notifications")}
        for key, row in world.database.table("broadcasts").items():
            everywhere = {id_in(tenant, *key) for tenant in TENANTS}
            ids |= everywhere if row.reached is None else everywhere & there
        return ids - given_up


def check(world: World, published: Published) -> None:
    """Raises AssertionError that says what does not hold."""
    _accounting(world, published)
    _notifications(world, published)
    _logs(world)
    _order(world, published)
    _lanes(world, published)
    _emissions(world)
    _handed_on(world)
    _throttles(world)
    _digests(world)
    _cancelled(world)


def _accounting(world: World, published: Published) -> None:
    """Invariant 1: every offset is accounted for, and every fate is the right one."""
    total: Counter[str] = Counter()
    for partition in PARTITIONS:
        end = len(world.broker.partitions[partition])
        row = world.database.table("progress").get(partition, Position())
        assert row.next_offset == end == row.accepted + row.duplicates + row.dead + row.gaps, f"{partition}: {row}"
        total += Counter(accepted=row.accepted, dead=row.dead, gaps=row.gaps)
    in_turn = sum(what in LATER for what in published.kinds.values())
    assert total["accepted"] == len(published.told(world)) + in_turn, f"accepted {total['accepted']}"
    assert total["gaps"] == 0
    wrong = sum(published.kinds[number] in ("broken", "refused") for _, number in published.places)
    assert total["dead"] == wrong
    letters = len(world.broker.partitions["events.dead", 0])
    assert letters >= wrong, f"{wrong} records are dead, {letters} letters"


def _notifications(world: World, published: Published) -> None:
    """Invariant 1: each notification is there, with the decisions that it planned, each once."""
    database = world.database
    stored = database.table("notifications")
    assert {id_ for _, id_ in stored} == published.told(world)
    decided = Counter(row.notification for row in database.table("deliveries").values())
    decided += Counter(e.notification for e in database.table("room_log").values() if e.kind == NOTIFICATION)
    planned = Counter({id_: n.decisions_planned for (_, id_), n in stored.items()})
    replaced = {e.notification for e in database.table("room_log").values() if e.kind == CONTROL}
    for (_, id_, _room), row in database.table("expansions").items():
        planned[id_] += row.planned
        people = {d.user_id for d in database.table("deliveries").values() if d.notification == id_}
        assert id_ in replaced or people >= set(ORG), f"{id_} was decided for {people}"
    for _, id_ in stored:
        assert decided[id_] == planned[id_], f"{id_}: {planned[id_]} decisions planned, {decided[id_]} made"


def _logs(world: World) -> None:
    """Invariant 2: seq is gap-free, and a notification stands once in each of its rooms."""
    by_room: dict[tuple[str, str], list[int]] = defaultdict(list)
    for tenant, room, seq in world.database.table("room_log"):
        by_room[tenant, room].append(seq)
    for key, seqs in by_room.items():
        head = world.database.table("room_heads")[key]
        assert sorted(seqs) == list(range(1, head + 1)), f"{key}: {sorted(seqs)}, head {head}"
    entries = world.database.table("room_log").items()
    places = Counter((key[1], e.notification) for key, e in entries if e.kind == NOTIFICATION)
    wanted = Counter((room, id_) for (_, id_), n in world.database.table("notifications").items() for room in n.rooms)
    assert places == wanted


def _order(world: World, published: Published) -> None:
    """Invariant 2: in every room the events of a partition stand in its order."""
    times = Counter(number for _, number in published.places)
    for partition in {partition for partition, _ in published.places}:
        once = [n for p, n in published.places if p == partition and times[n] == 1 and published.kinds[n] not in LATER]
        rank = {UUID(int=number + 1): place for place, number in enumerate(once)}
        by_room: dict[str, list[int]] = defaultdict(list)
        for (_, room, _), e in sorted(world.database.table("room_log").items()):
            if e.kind == NOTIFICATION and e.notification in rank:
                by_room[room].append(rank[e.notification])
        for room, ranks in by_room.items():
            assert ranks == sorted(ranks), f"{room}: {ranks}"


def _lanes(world: World, published: Published) -> None:
    """What was published over a tenant's share stands, in every room, behind all of the fast lane that it follows."""
    times = Counter(number for _, number in published.places)
    once = {UUID(int=n + 1) for n, seen in times.items() if seen == 1 and published.kinds[n] not in LATER}
    entries = world.database.table("room_log").items()
    seqs = {(room, e.notification): seq for (_, room, seq), e in entries if e.kind == NOTIFICATION}
    rooms = {room for room, _ in seqs}
    for partition in PARTITIONS:
        for record in world.broker.partitions[partition]:
            for fast, offset in followed([record], "").items():
                before = [id_ for one in world.broker.partitions[fast][:offset] if (id_ := _id(one)) in once]
                pairs = ((seqs.get((room, id_)), seqs.get((room, _id(record)))) for room in rooms for id_ in before)
                late = [pair for pair in pairs if None not in pair and pair[0] > pair[1]]  # type: ignore[operator]
                assert _id(record) not in once or not late, f"{_id(record)} stands before what it follows"


def _id(record: Record) -> UUID | None:
    event = decode(record)
    return event.event.id if isinstance(event, Received) else None


def _emissions(world: World) -> None:
    """Nothing is lost and nothing made up: each entry was sent to who listens, as it stands in the log."""
    sent: set[tuple[str, UUID, int]] = set()
    for record in world.broker.partitions["gateway.inbox", SLOT]:
        emission = orjson.loads(record.value or b"")
        if emission["kind"] == "notification":
            sent |= {(place["room"], UUID(emission["id"]), place["seq"]) for place in emission["rooms"]}
    entries = world.database.table("room_log").items()
    shown = {(room, e.notification, seq) for (_, room, seq), e in entries if e.kind == NOTIFICATION}
    assert sent <= shown
    # What was cancelled before it was handed on need not be shown.
    assert {id_ for _, id_, _ in shown - sent} <= {id_ for _, id_ in world.database.table("cancelled")}


def _handed_on(world: World) -> None:
    """Invariant 4: what a batch planned was handed on; what a page or a digest did, delivery's own scan finds."""
    handed_on = {UUID(bytes=record.value) for record in world.broker.partitions["delivery.email", 0] if record.value}
    rows = world.database.table("deliveries")
    assert handed_on <= {id_ for _, id_ in rows}
    groups = {id_ for _, id_, _ in world.database.table("expansions")}
    for (_, id_), row in rows.items():
        found_by_scan = row.notification in groups or row.reason == "digest"
        assert id_ in handed_on or row.state != "planned" or found_by_scan, f"{id_} was not handed on"


def _throttles(world: World) -> None:
    """Each throttle let exactly as many through as it may."""
    let_through: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    for row in world.database.table("deliveries").values():
        if row.throttle is not None:
            (refused if row.reason == "throttled" else let_through)[row.user_id] += 1
    for user in {*let_through, *refused}:
        wanted = min(LIMIT, let_through[user] + refused[user])
        assert let_through[user] == wanted, f"{user}: {let_through[user]} of {wanted} were let through"


def _digests(world: World) -> None:
    """Each item stands in one digest, none is too full, and each digest was sent once."""
    rows = world.database.table("deliveries")
    items = Counter(row.digest for row in rows.values() if row.digest is not None)
    digests = world.database.table("digests")
    assert items == Counter({id_: row.digest.items for (_, id_), row in digests.items()})
    for _, id_ in digests:
        assert items[id_] <= MOST_ITEMS
        left = any(row.digest == id_ and row.state == "digested" for row in rows.values())
        assert not left or rows[TENANT, id_].state == "planned", f"digest {id_} was not sent"


def _cancelled(world: World) -> None:
    """What is cancelled is withdrawn once in each of its rooms, and nothing more is sent of it."""
    database = world.database
    controls = Counter((key[1], e.notification, e.type) for key, e in database.table("room_log").items() if e.kind)
    assert set(controls.values()) <= {1}
    for (sender, event), row in database.table("broadcasts").items():
        told = {(tenant, id_in(tenant, sender, event)) for tenant in TENANTS} & database.table("notifications").keys()
        assert row.reached is None or told <= database.table("cancelled").keys(), f"{event} was not taken back"
    requests = database.table("cancellations")
    for key in database.table("notifications").keys() & requests.keys():
        assert key in database.table("cancelled")
        rows = [row for row in database.table("deliveries").values() if row.notification == key[1]]
        assert not {row.state for row in rows} & {"planned", "deferred", "digested"}, f"{key} is sent"
        rooms = database.table("notifications")[key].rooms
        assert all(controls[room, key[1], "cancelled"] for room in rooms), f"{key} is not withdrawn"
