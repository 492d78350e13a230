"""Data keys in PostgreSQL, wrapped: found or made for whose values are sealed, and fetched for what is to be opened."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol
from uuid import UUID, uuid4

import asyncpg
import prometheus_client

from libs.postgres.queries import load
from libs.runtime.logging import get_logger
from libs.sealing.masters import Masters, Unknown, new_secret
from libs.sealing.values import About, DataKey, Tampered, unseal

_SQL = load(Path(__file__).with_suffix(".sql"))
_KEPT, _KEPT_SECONDS = 10_000, 300.0  # opened keys in memory, and for how long

Subject = tuple[str, str]  # tenant, user id: '' where the values are the tenant's
_Name = tuple[str, UUID]  # tenant, data key

_log = get_logger(__name__)


class Fetch(Protocol):
    """Runs a statement: that of a pool, a connection or a transaction."""

    async def __call__(self, statement: str, /, *arguments: Any) -> Sequence[asyncpg.Record]: ...


class Closed(NamedTuple):
    """A row whose data has sealed values; both are JSON texts, as the database gives them."""

    tenant: str
    notification: UUID
    data: str | None
    sealed: str


def closed(rows: Iterable[asyncpg.Record]) -> list[Closed]:
    """Those of rows of `notifications` that have sealed values."""
    return [Closed(row["tenant"], row["id"], row["data"], row["sealed"]) for row in rows if row["sealed"] is not None]


class Vault:
    """The way to the data keys. `unsealable` counts, by reason, values that could not be opened."""

    def __init__(
        self,
        masters: Masters,
        unsealable: prometheus_client.Counter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._masters, self._unsealable, self._clock = masters, unsealable, clock
        self._known: dict[_Name, tuple[float, DataKey]] = {}

    async def keys(self, fetch: Fetch, subjects: Collection[Subject]) -> dict[Subject, DataKey]:
        """One statement: the key of each, made where there is none. Raises Tampered: nothing is then to be written."""
        offered = [(*subject, DataKey(uuid4(), new_secret())) for subject in sorted(subjects)]
        rows = [
            (tenant, user, key.id, self._masters.current, self._masters.wrap(key, tenant, user))
            for tenant, user, key in offered
        ]
        found = await fetch(_SQL["keys"], *zip(*rows, strict=True), list(self._masters.ids))
        return {(row["tenant"], row["user_id"]): self._unwrapped(row) for row in found}

    async def open(self, fetch: Fetch, rows: Iterable[Closed]) -> dict[About, dict[str, Any]]:
        """The data of each row, None where a value cannot be opened. No statement where all keys are known."""
        parsed = [(row, _sealed(row.sealed)) for row in rows]
        names = {(row.tenant, sealed[0]) for row, sealed in parsed if sealed is not None}
        keys, faults = await self._fetched(fetch, names)
        failed: Counter[str] = Counter()
        opened: dict[About, dict[str, Any]] = {}
        for row, sealed in parsed:
            about, data = (row.tenant, row.notification), json.loads(row.data or "null")
            if sealed is None:
                failed["tampered"] += 1
                opened[about] = data
                continue
            name = row.tenant, sealed[0]
            opened[about], closed = unseal(data, sealed[1], keys.get(name), about)
            failed[faults.get(name, "tampered")] += closed
        self._tell(failed)
        return opened

    async def foreign(self, fetch: Fetch) -> list[str]:
        """Master keys that data keys are wrapped by, and that this process was not told."""
        return [row["master"] for row in await fetch(_SQL["foreign"], list(self._masters.ids))]

    async def _fetched(self, fetch: Fetch, names: Collection[_Name]) -> tuple[dict[_Name, DataKey], dict[_Name, str]]:
        """The keys by name, and why there are no others."""
        now = self._clock()
        keys = {name: kept[1] for name in names if (kept := self._known.get(name)) and kept[0] > now}
        missing = sorted(set(names) - set(keys))
        if not missing:
            return keys, {}
        faults = dict.fromkeys(missing, "key-gone")
        for row in await fetch(_SQL["named"], [tenant for tenant, _ in missing], [id_ for _, id_ in missing]):
            name = row["tenant"], row["id"]
            del faults[name]
            try:
                keys[name] = self._unwrapped(row)
            except Unknown:
                faults[name] = "master-unknown"
            except Tampered:
                faults[name] = "tampered"
        self._keep({name: keys[name] for name in missing if name in keys}, now)
        return keys, faults

    def _unwrapped(self, row: asyncpg.Record) -> DataKey:
        return self._masters.unwrap(row["master"], row["wrapped"], row["id"], row["tenant"], row["user_id"])

    def _keep(self, keys: dict[_Name, DataKey], now: float) -> None:
        self._known = {name: kept for name, kept in self._known.items() if kept[0] > now}
        if len(self._known) + len(keys) > _KEPT:
            self._known.clear()
        self._known |= {name: (now + _KEPT_SECONDS, key) for name, key in keys.items()}

    def _tell(self, failed: Counter[str]) -> None:
        for reason, count in failed.items():
            if count:
                self._unsealable.labels(reason).inc(count)
                _log.error("values_not_opened", errors=[reason], status={"values": count})


def _sealed(text: str) -> tuple[UUID, dict[str, str]] | None:
    """Which key, and the values by path; None where it is not what `seal` gave."""
    try:
        found = json.loads(text)
        return UUID(found["key"]), dict(found["values"])
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
