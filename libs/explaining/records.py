"""Reads everything that is recorded about one notification. The caller's transaction gives the one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from dataclasses import asdict
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson

from libs.catalogue.feed import as_of
from libs.explaining.answers import SHOWN, Answer
from libs.explaining.explanation import explain
from libs.explaining.facts import Entry, Expanding, Facts, Interval
from libs.explaining.story import Story, Waiting, state_of
from libs.postgres.pool import Connection
from libs.postgres.queries import load
from libs.rules.person import person_of

_SQL = load(Path(__file__).with_suffix(".sql"))
Row = Mapping[str, Any]


async def tenants_with(connection: Connection, notification: UUID) -> list[str]:
    """The tenants that have a notification or a waiting event of this id."""
    return [row["tenant"] for row in await connection.fetch(_SQL["where_known"], notification)]


async def read(
    connection: Connection,
    tenant: str,
    notification: UUID,
    reader: str | None,
    limit: int,
    deliverable: Set[str],
) -> Story | Waiting | None:
    """The story; for an event that is not planned what it waits for; None when the tenant has nothing of this id.

    `reader` is a user id or `agent:{id}`; `limit` is how many deliveries are told at most; `deliverable` are the
    external channels in use. Raises what PostgreSQL raises.
    """
    scheduled = await connection.fetchrow(_SQL["scheduled"], tenant, notification)
    waiting = None if scheduled is None else Waiting.model_validate(dict(scheduled))
    found = await connection.fetchrow(_SQL["notification"], tenant, notification)
    if found is None:
        return waiting
    return await _Reading(connection, _planned(dict(found)), limit).story(waiting, reader, deliverable)


def _planned(row: Row) -> dict[str, Any]:
    """The columns with the audience in parts: rule, notes, and the rooms also where nothing is shown in-app."""
    audience = orjson.loads(row["audience"])
    lists = {name: tuple(orjson.loads(row[name] or "null") or ()) for name in ("channels", "excluded")}
    return {
        **row,
        **lists,
        "source": orjson.loads(row["source"]),
        "rule": audience["rule"],
        "notes": tuple(audience.get("notes", ())),
        "addressed": tuple(row["rooms"]) or tuple(audience.get("rooms", ())),
    }


class _Reading:
    def __init__(self, connection: Connection, found: Row, limit: int) -> None:
        self._connection, self._found, self._limit = connection, found, limit

    async def story(self, waiting: Waiting | None, reader: str | None, deliverable: Set[str]) -> Story:
        found = self._found
        deliveries = await self._rows("deliveries", reader, self._limit)
        told: dict[str, Any] = {
            "notification": found,
            "scheduled": waiting,
            "rooms": await self._rows("entries", found["rooms"]),
            "expansions": await self._rows("expansions"),
            "totals": await self._rows("totals"),
            "deliveries": await self._with_attempts(deliveries),
            "versions": {"as_of": found["planned_at"], "catalogue": found["catalogue_version"]},
        }
        if reader is not None:
            told |= await self._about(told, reader, deliveries, deliverable)
        return Story.model_validate(told)

    async def _with_attempts(self, deliveries: Sequence[Row]) -> list[dict[str, Any]]:
        attempts: dict[UUID, list[Row]] = defaultdict(list)
        asked = [row["id"] for row in deliveries]
        for attempt in await self._connection.fetch(_SQL["attempts"], self._found["tenant"], asked):
            attempts[attempt["delivery"]].append(dict(attempt))
        return [dict(row) | {"digest": _digest(row), "tried": attempts[row["id"]]} for row in deliveries]

    async def _about(self, told: Row, reader: str, deliveries: Sequence[Row], deliverable: Set[str]) -> dict[str, Any]:
        found = self._found
        [person] = await self._rows("person", reader, found["planned_at"])
        answers = explain(await self._facts(told, reader, person, deliverable), deliveries)
        numbers = {"preferences": person["version"], "tenant_preferences": person["of_tenant_version"]}
        return {
            "reader": reader,
            "versions": told["versions"] | numbers,
            "answers": [asdict(answer) for answer in answers],
            "state": await self._state(told["rooms"], reader, answers),
        }

    async def _facts(self, told: Row, reader: str, person: Row, deliverable: Set[str]) -> Facts:
        found, tenant = self._found, self._found["tenant"]
        entries = [room for room in told["rooms"] if room["kind"] == "entry"]
        withdrawn_in = {room["room"]: room["because"] for room in told["rooms"] if room["kind"] == "control"}
        came = entries[0]["at"] if entries else found["planned_at"]
        muted = await self._connection.fetchrow(_SQL["muted"], tenant, reader, found["type"], came)
        catalogue = await as_of(self._connection.fetch, tenant, found["catalogue_version"])
        intervals = await self._connection.fetch(_SQL["intervals"], tenant, reader, list(found["addressed"]))
        return Facts(
            reader=reader,
            planned_at=found["planned_at"],
            entries=tuple(Entry(room["room"], room["seq"]) for room in entries),
            addressed=found["addressed"],
            named=found["channels"],
            kind=catalogue.get(found["type"]),
            intervals=tuple(Interval(**row) for row in intervals),
            expansions=tuple(_expanding(group) for group in told["expansions"]),
            person=person_of(person) if person["known"] else None,
            deliverable=deliverable,
            severity=found["severity"],
            expires_at=found["expires_at"],
            rule=found["rule"],
            excluded=found["excluded"],
            withdrawn="cancelled" if found["cancelled_at"] else None,
            withdrawn_in=withdrawn_in,
            muted_since=None if muted is None else muted["since"],
            by_default=muted is not None and not muted["own"],
            over=bool(found["over"]),
        )

    async def _state(self, rooms: Sequence[Row], reader: str, answers: Sequence[Answer]) -> str | None:
        shown = {answer.where for answer in answers if answer.state == SHOWN}
        home = next((room for room in rooms if room["kind"] == "entry" and room["room"] in shown), None)
        if home is None:
            return None
        [row] = await self._rows("state", reader, home["room"])
        return state_of(row, home["seq"])

    async def _rows(self, name: str, *arguments: object) -> list[dict[str, Any]]:
        rows = await self._connection.fetch(_SQL[name], self._found["tenant"], self._found["id"], *arguments)
        return [dict(row) for row in rows]


def _digest(row: Row) -> dict[str, Any] | None:
    if row["digest_id"] is None:
        return None
    named = {name: row[f"digest_{name}"] for name in ("id", "key", "reason")}
    return named | {name: row[name] for name in ("closes_at", "closed_at", "outcome")}


def _expanding(group: Row) -> Expanding:
    return Expanding(
        group["room"], tuple(group["channels"]), group["as_of"], group["cursor"], group["done_at"] is not None
    )
