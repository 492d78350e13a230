"""The ledger of one channel's deliveries in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import orjson

from libs.catalogue.paths import MASK
from libs.postgres.queries import load
from libs.schemas.records import DeliveryReference
from libs.sealing.vault import Closed, Vault
from services.delivery.domain import digest
from services.delivery.domain.delivery import Content, Delivery, Device, Endpoint, Item, Recipient
from services.delivery.domain.outcome import Failed, Outcome, Retry, Returned, Sent, Unknown
from services.delivery.ports import Failure, Reaped, Result

_SQL = load(Path(__file__).with_suffix(".sql"))
_CLAIM, _CLAIM_DUE = (_SQL[name].replace("{claimed}", _SQL["claimed"]) for name in ("claim", "claim_due"))
_LOST = "unknown"  # whom a process that is gone has asked: nobody that is written down

_Row = tuple[str, float | None, bool]  # state, delay in seconds, whether it counts as an attempt


class PostgresLedger:
    """`lease` in seconds; `repeatable` as in domain.outcome. Implements ports.Ledger."""

    def __init__(self, pool: asyncpg.Pool, vault: Vault, channel: str, lease: float, *, repeatable: bool) -> None:
        self._pool, self._vault, self._channel, self._repeatable = pool, vault, channel, repeatable
        self._lease = timedelta(seconds=lease)

    async def claim(self, references: Sequence[DeliveryReference]) -> list[Delivery]:
        """One statement, and one for keys that are not known. The token is new with every claim."""
        wanted = [r.tenant for r in references], [r.id for r in references]
        return await self._claim(_CLAIM, *wanted)

    async def claim_due(self, limit: int) -> list[Delivery]:
        """One statement."""
        return await self._claim(_CLAIM_DUE, limit)

    async def _claim(self, statement: str, *wanted: Any) -> list[Delivery]:
        token = uuid4()
        rows = await self._pool.fetch(statement, self._channel, token, self._lease, *wanted)
        sealed = [row for row in rows if row["sealed"] is not None]
        closed = [Closed(row["tenant"], row["notification"], row["closed"], row["sealed"]) for row in sealed]
        opened = await self._vault.open(self._pool.fetch, closed)
        return [_delivery(row, opened.get((row["tenant"], row["notification"])), self._channel, token) for row in rows]

    async def exchange(
        self, ended: Sequence[Result], waiting: Sequence[Delivery]
    ) -> tuple[list[Result], list[Delivery]]:
        """One statement."""
        ordered = sorted(ended, key=lambda r: (r.delivery.tenant, r.delivery.id))
        outcomes = *_keys([r.delivery for r in ordered]), *_outcomes(ordered), *_attempts(ordered)
        first = [d.providers[0] if d.providers else None for d in waiting]
        rows = await self._pool.fetch(_SQL["exchange"], *outcomes, self._lease, *_keys(waiting), first)
        held = {(row["tenant"], row["id"], row["begun"]) for row in rows}
        recorded = [r for r in ordered if (r.delivery.tenant, r.delivery.id, False) in held]
        return recorded, [d for d in waiting if (d.tenant, d.id, True) in held]

    async def turn(self, delivery: Delivery, provider: str) -> bool:
        """One statement."""
        whose = delivery.tenant, delivery.id, delivery.token
        return await self._pool.fetchval(_SQL["turn"], self._lease, *whose, provider) is not None

    async def give_back(self, deliveries: Sequence[Delivery], reason: str, delays: Sequence[float]) -> None:
        """One statement."""
        await self._pool.execute(_SQL["give_back"], reason, list(delays), *_keys(deliveries))

    async def reap(self, limit: int) -> Reaped:
        """One statement."""
        row = await self._pool.fetchrow(_SQL["reap"], self._channel, self._repeatable, limit, _LOST)
        assert row is not None  # it counts, so it always returns a row
        return Reaped(row["planned"], row["unknown"])

    async def unburied(self, limit: int) -> list[Failure]:
        """One statement."""
        rows = await self._pool.fetch(_SQL["unburied"], self._channel, self._lease, limit)
        return [Failure(**row) for row in rows]

    async def buried(self, failures: Sequence[Failure]) -> None:
        """One statement."""
        await self._pool.execute(_SQL["buried"], [f.tenant for f in failures], [f.id for f in failures])

    async def due(self, limit: int) -> int:
        """One statement."""
        return int(await self._pool.fetchval(_SQL["due"], self._channel, limit))


def _keys(deliveries: Sequence[Delivery]) -> tuple[list[str], list[UUID], list[UUID]]:
    return [d.tenant for d in deliveries], [d.id for d in deliveries], [d.token for d in deliveries]


def _delivery(row: asyncpg.Record, opened: dict[str, Any] | None, channel: str, token: UUID) -> Delivery:
    return Delivery(
        tenant=row["tenant"],
        id=row["id"],
        channel=channel,
        token=token,
        attempts=row["attempts"],
        created_at=row["created_at"],
        recipient=Recipient(
            row["user_id"],
            row["email"],
            row["display_name"],
            _endpoint(row["endpoint"]),
            _devices(row["devices"]),
            row["phone"],
            row["locale"],
        ),
        content=_content(row, opened),
        traceparent=row["traceparent"],
        expires_at=row["expires_at"],
        reached=tuple(row["reached"]),
        providers=_names(row["providers"]),
        uncertain_with=row["uncertain_with"],
        urgency=row["urgency"],
        opens=row["opens"],
    )


def _content(row: asyncpg.Record, opened: dict[str, Any] | None) -> Content:
    if row["items"] is not None:
        given = orjson.loads(row["items"])
        items = [Item(one["title"], one["message"], one["actionUrl"], one["type"]) for one in given]
        url = items[0].action_url if len(items) == 1 else None
        said = digest.words(items)
        return Content(row["notification"], digest.TYPE, row["severity"], *said, url, items=tuple(items))
    document, url = orjson.loads(row["document"]) if row["document"] else {}, row["action_url"]
    if opened is not None:
        document |= {"data": opened} if document else {}
        url = _link(opened) if url == MASK else url
    return Content(
        row["notification"],
        row["type"],
        row["severity"],
        row["title"],
        row["message"],
        url,
        document,
        collapse_key=row["collapse_key"],
    )


def _link(data: dict[str, Any]) -> str | None:
    found = data.get("ctaUrl")
    return found if isinstance(found, str) else None


def _endpoint(text: str | None) -> Endpoint | None:
    if text is None:
        return None
    found = orjson.loads(text)
    return Endpoint(found["id"], found["url"], tuple(found["secrets"]))


def _devices(text: str | None) -> tuple[Device, ...]:
    return tuple(Device(**found) for found in orjson.loads(text)) if text else ()


def _names(text: str | None) -> tuple[str, ...]:
    """The tenant's order of providers: whatever else stands there in its settings is none."""
    found = orjson.loads(text) if text else ()
    return tuple(name for name in found if isinstance(name, str)) if isinstance(found, list) else ()


def _outcomes(results: Sequence[Result]) -> tuple[list[Any], ...]:
    rows = [_row(r.outcome) for r in results]
    return (
        [state for state, _, _ in rows],
        [r.outcome.reason for r in results],
        [delay for _, delay, _ in rows],
        [counted for _, _, counted in rows],
        [r.provider for r in results],
        [getattr(r.outcome, "provider_message_id", None) for r in results],
    )


def _attempts(results: Sequence[Result]) -> tuple[list[Any], ...]:
    """What was asked, by the number of its result; of what is given back nothing is kept, or every pause would be."""
    kept = [(n, a) for n, r in enumerate(results, 1) if _row(r.outcome)[2] for a in r.attempts]
    return (
        [n for n, _ in kept],
        [a.outcome for _, a in kept],
        [a.reason for _, a in kept],
        [a.code for _, a in kept],
        [a.detail for _, a in kept],
        [a.provider for _, a in kept],
        [a.started_at for _, a in kept],
        [round(a.seconds * 1000) for _, a in kept],
    )


def _row(outcome: Outcome) -> _Row:
    match outcome:
        case Sent():
            return "sent", None, True
        case Retry(delay=delay):
            return "planned", delay, True
        case Unknown(delay=delay):
            return "unknown", delay, True
        case Failed(counted=counted):
            return "failed", 0.0, counted  # due at once: its dead letter is to be written
        case Returned(delay=delay):
            return "planned", delay, False
