"""The catalogues of all tenants as PostgreSQL has them: looked at every few seconds, never on the way of an event."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from libs.catalogue.catalogue import Catalogue, shipped
from libs.catalogue.tenants import Documents, as_far_as_good, parts_of
from libs.catalogue.types import NotificationType
from libs.runtime.logging import get_logger

_CHANGES = "select tenant, version, changed_at, key, document from catalogue_changes($1)"
_RELEASE = "select types::text as types from catalogue_releases where version = $1"
_THEN = """
select key, document::text as document from notification_types
where tenant = $1 and version <= $2 and (until is null or until > $2)"""
#: Longer than any transaction may take: one that began before the last look may commit after it.
_OVERLAP = timedelta(minutes=2)
_LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)
_EVERY = 2.0

_log = get_logger(__name__)

#: Runs a statement with its arguments: a pool's `fetch`.
Fetch = Callable[..., Awaitable[Sequence[Any]]]
#: Catalogues of older versions that are kept at hand: work that is still to be done is planned by few of them.
_KEPT = 64


class Catalogues:
    """Every tenant's catalogue, as of the last look. `base` is the shipped one."""

    def __init__(self, fetch: Fetch, base: Catalogue | None = None) -> None:
        self._fetch, self.base = fetch, base or shipped()
        self._said: dict[str, tuple[int, Documents]] = {}
        self._built: dict[str, Catalogue] = {}
        self._older: dict[tuple[str, str], Catalogue] = {}
        self._seen: datetime | None = None

    def of(self, tenant: str) -> Catalogue:
        """The tenant's catalogue: the same object until it changes."""
        return self._built.get(tenant) or self._build(tenant)

    async def then(self, tenant: str, version: str) -> Catalogue:
        """The tenant's catalogue of the version that stands on a notification. Raises what `fetch` raises."""
        now = self.of(tenant)
        if now.version == version:
            return now
        if (found := self._older.get((tenant, version))) is None:
            if len(self._older) >= _KEPT:
                self._older.clear()
            found = self._older[tenant, version] = await as_of(self._fetch, tenant, version)
        return found

    async def ready(self) -> None:
        """Returns at once when PostgreSQL was seen before. Raises what `fetch` raises."""
        if self._seen is None:
            await self.refresh()

    async def refresh(self) -> None:
        """Learns what changed. Raises what `fetch` raises; then what was known stays."""
        since = self._seen - _OVERLAP if self._seen is not None else _LONG_AGO
        rows = await self._fetch(_CHANGES, since)
        for tenant, of_tenant in itertools.groupby(rows, key=lambda row: row["tenant"]):
            self._learn(tenant, list(of_tenant))
        self._seen = max((row["changed_at"] for row in rows), default=self._seen or _LONG_AGO)

    async def keep_fresh(self) -> None:
        """Runs for ever; looks every two seconds."""
        while True:
            try:
                await self.refresh()
            except Exception as fault:  # noqa: BLE001 - whatever it is, what was known is the best there is
                _log.warning("catalogues_not_read", errors=f"{type(fault).__name__}: {fault}")
            await asyncio.sleep(_EVERY)

    def _learn(self, tenant: str, rows: Sequence[Any]) -> None:
        version = rows[0]["version"]
        if self._said.get(tenant, (0, {}))[0] < version:
            self._said[tenant] = version, {row["key"]: orjson.loads(row["document"]) for row in rows if row["key"]}
            self._built.pop(tenant, None)

    def _build(self, tenant: str) -> Catalogue:
        if tenant not in self._said:
            return self.base
        version, documents = self._said[tenant]
        catalogue, refused = as_far_as_good(self.base, documents, version)
        for bad in refused:
            _log.error("type_of_tenant_left_out", tenant_id=tenant, errors=str(bad))
        self._built[tenant] = catalogue
        return catalogue


async def as_of(fetch: Fetch, tenant: str, version: str) -> Catalogue:
    """The tenant's catalogue of a version that stands on a notification; a shipped part that nobody kept is today's."""
    of_release, number = parts_of(version)
    base = shipped()
    if base.version != of_release and (kept := await fetch(_RELEASE, of_release)):
        types = (NotificationType.model_validate(entry) for entry in orjson.loads(kept[0]["types"]))
        base = Catalogue(of_release, tuple(types))
    said = {row["key"]: orjson.loads(row["document"]) for row in await fetch(_THEN, tenant, number)}
    return as_far_as_good(base, said, number)[0]
