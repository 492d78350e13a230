"""Counts on both sides of a topic: what ingest handed on and what the router wrote down."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from cli.domain.accounting import Difference, Lag, ProgressRow
from libs.schemas import topics

INGEST, ROUTER = "ingest", "router"


@dataclass(frozen=True, slots=True)
class Written:
    """Notifications of one event in the database; `from_noti` of them came through the topic, the rest by HTTP."""

    event: str
    notifications: int
    from_noti: int


def uncounted(rows: Iterable[ProgressRow], written: Iterable[Written], prefix: str) -> list[Difference]:
    """Events whose notifications are not as many as the router counted on their topic."""
    counted: dict[str, int] = {}
    for row in rows:
        if row.consumer == ROUTER:
            event = row.topic.removeprefix(prefix).removesuffix(topics.BULK_SUFFIX)
            counted[event] = counted.get(event, 0) + row.accepted
    there = {entry.event: entry.notifications for entry in written}
    return [
        Difference(
            event,
            f"the router counted {counted.get(event, 0)} notifications, the database has {there.get(event, 0)}",
            counted.get(event, 0) - there.get(event, 0),
        )
        for event in sorted(counted.keys() | there.keys())
        if counted.get(event, 0) != there.get(event, 0)
    ]


def comparable(rows: Iterable[ProgressRow], cluster: str) -> bool:
    """Whether both consumers have counted on this cluster alone, so that their totals speak of the same records."""
    return all(row.generation == 1 and row.cluster == cluster for row in rows)


def lost_between(
    rows: Iterable[ProgressRow], written: Iterable[Written], lags: Iterable[Lag], noti: str
) -> list[Difference]:
    """Events that ingest took from `noti` and that are neither written, dropped for a reason, nor still in flight.

    A record that ingest produced twice after a crash is a duplicate of the router's; one that it produced but has not
    counted yet is in flight on `noti`. Between these bounds the two counts must meet. Valid when `comparable`.
    """
    rows, lags = list(rows), list(lags)
    accepted = sum(row.accepted for row in rows if row.consumer == INGEST and row.topic == noti)
    spared = sum(row.duplicates + row.dead + row.gaps for row in rows if row.consumer == ROUTER)
    routing = sum(lag.records for lag in lags if lag.consumer == ROUTER)
    arriving = sum(lag.records for lag in lags if lag.consumer == INGEST and lag.topic == noti)
    from_noti = sum(entry.from_noti for entry in written)
    missing = accepted - from_noti - spared - routing
    surplus = from_noti - accepted - arriving
    if missing > 0:
        detail = f"ingest accepted {accepted}, of which {missing} are neither written, set aside nor in flight"
        return [Difference("ingest to router", detail, missing)]
    if surplus > 0:
        detail = f"{from_noti} notifications came from noti, but ingest accepted only {accepted}"
        return [Difference("ingest to router", detail, surplus)]
    return []
