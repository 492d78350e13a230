"""Sensitive data on its way into the database and out of it again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg
import orjson

from libs.postgres.pool import Connection
from libs.sealing.values import DataKey, seal
from libs.sealing.vault import Closed, Fetch, Subject, Vault, closed
from services.router.domain.broadcasting import Broadcast
from services.router.domain.offsets import Fate
from services.router.domain.planning import Plan
from services.router.domain.scheduling import Schedule
from services.router.ports import Outcome

Keys = Mapping[Subject, DataKey]

#: A member of records that are kept until they are told, and of nothing that goes on a topic.
_SEALED = "sealed"


async def keys(vault: Vault, connection: Connection, steps: Iterable[Outcome]) -> Keys:
    """One statement for a batch, and none for one without sensitive data."""
    about = {(step.key[0], step.subject) for step in steps if not isinstance(step, Fate) and step.sensitive}
    return await vault.keys(connection.fetch, about) if about else {}


def notification(plan: Plan, keys: Keys) -> tuple[str | None, str | None]:
    """`data` and `sealed` as they are stored, both JSON texts."""
    n = plan.notification
    if not plan.sensitive or n.data is None:
        return n.data, None
    data, sealed = seal(orjson.loads(n.data), plan.sensitive, keys[n.tenant, plan.subject], n.key)
    return _text(data), None if sealed is None else _text(sealed)


def record(step: Schedule | Broadcast, id_: UUID, value: bytes, keys: Keys) -> tuple[bytes, bool]:
    """A record that is kept, and whether any of it is sealed."""
    if not step.sensitive:
        return value, False
    tenant, event = step.key[0], json.loads(value)  # which reads numbers of any length
    data, sealed = seal(event.get("data") or {}, step.sensitive, keys[tenant, step.subject], (tenant, id_))
    if sealed is None:
        return value, False
    return json.dumps(event | {"data": data, _SEALED: sealed}).encode(), True


async def opened_notifications(vault: Vault, fetch: Fetch, rows: Sequence[asyncpg.Record]) -> list[dict[str, Any]]:
    """Rows of `notifications`, with their data and without `sealed`."""
    opened = await vault.open(fetch, closed(rows))
    found = [dict(row) for row in rows]
    for row in found:
        if row.pop("sealed") is not None:
            row["data"] = _text(opened[row["tenant"], row["id"]])
    return found


async def opened_records(vault: Vault, fetch: Fetch, rows: Sequence[asyncpg.Record]) -> list[bytes]:
    """The records of rows of `scheduled` or `broadcasts`, as they were received."""
    events = {(row["tenant"], row["id"]): json.loads(row["record"]) for row in rows if row["sealed"]}
    sealed = [Closed(*key, _text(event["data"]), _text(event.pop(_SEALED))) for key, event in events.items()]
    opened = await vault.open(fetch, sealed)
    return [
        json.dumps(events[key] | {"data": opened[key]}).encode()
        if (key := (row["tenant"], row["id"])) in opened
        else row["record"]
        for row in rows
    ]


def _text(value: object) -> str:
    return json.dumps(value)
