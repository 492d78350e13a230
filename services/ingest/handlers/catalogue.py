"""Changes of a tenant's catalogue: tried on the whole of it before they are written."""

from __future__ import annotations

from typing import Any, NamedTuple

from libs.catalogue.catalogue import Catalogue, shipped
from libs.catalogue.reading import BadCatalogue, Fault
from libs.catalogue.tenants import as_far_as_good, laid_over, read_over
from libs.catalogue.types import NotificationType
from services.ingest.errors import Retryable
from services.ingest.ports.administering import Said, TypeStore
from services.ingest.ports.publishing import Catalogues

#: Every process keeps the types of every tenant in memory.
MAX_TYPES = 200
_ATTEMPTS = 5


class Shown(NamedTuple):
    """A type as it is in force. `said` is what the tenant says of it, None for one that is only shipped."""

    type: NotificationType
    version: str
    said: dict[str, Any] | None


class CatalogueChanges:
    """Shows and changes what tenants say of types. Raises Retryable."""

    def __init__(self, store: TypeStore, catalogues: Catalogues) -> None:
        self._store, self._catalogues = store, catalogues

    async def put(self, tenant: str, key: str, document: dict[str, Any], actor: str) -> Shown:
        """Says it of the type. Raises BadCatalogue."""
        catalogue = await self._change(tenant, key, document, actor)
        kind = catalogue.get(key)
        assert kind is not None, "what was laid over is there"
        return Shown(kind, catalogue.version, document)

    async def delete(self, tenant: str, key: str, actor: str) -> bool:
        """Takes back what the tenant says of the type; whether it said anything. Raises BadCatalogue."""
        if key not in (await self._store.said(tenant)).documents:
            return False
        await self._change(tenant, key, None, actor)
        return True

    async def _change(self, tenant: str, key: str, document: dict[str, Any] | None, actor: str) -> Catalogue:
        for _ in range(_ATTEMPTS):
            said = await self._store.said(tenant)
            documents = {name: told for name, told in said.documents.items() if name != key}
            if document is not None:
                documents[key] = document
            if len(documents) > MAX_TYPES:
                raise BadCatalogue([Fault(f"a tenant may say something of {MAX_TYPES} types", key)])
            laid_over(shipped(), documents, said.number + 1)
            number = await self._store.say(tenant, key, document, said.number, actor)
            if number is not None:
                await self._catalogues.refresh()  # here at once; the other processes see it within seconds
                return laid_over(shipped(), documents, number)
        raise Retryable("the catalogue is being changed by others", 1.0)

    async def shown(self, tenant: str, number: int | None = None) -> list[Shown]:
        """All types in the order of their keys, in force now or in an earlier state of what the tenant said."""
        said = await self._store.said(tenant, number)
        catalogue = _built(said)
        return [
            Shown(entry, catalogue.version, said.documents.get(entry.key))
            for entry in sorted(catalogue.types, key=lambda entry: entry.key)
        ]

    def faults(self, text: str) -> tuple[Fault, ...]:
        """What is wrong with a document `{types: […]}` of a tenant; nothing is changed."""
        try:
            read_over(shipped(), text)
        except BadCatalogue as bad:
            return bad.faults
        return ()

    async def versions(self, tenant: str, key: str) -> list[dict[str, Any]]:
        """Everything that the tenant said of a type, the newest first."""
        return await self._store.versions(tenant, key)


def _built(said: Said) -> Catalogue:
    return as_far_as_good(shipped(), said.documents, said.number)[0]
