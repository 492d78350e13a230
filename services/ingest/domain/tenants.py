"""Which tenant an event belongs to, and whether its producer may name it (S3)."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple

from services.ingest.domain import refusals
from services.ingest.domain.refusals import Refused

EVERY = "*"
FIELD = "data.metadata.tenantId"


def unknown(verdicts: Iterable[object]) -> set[str]:
    """The tenants of refusals that a look into the directory may overturn."""
    refused = (verdict for verdict in verdicts if isinstance(verdict, Refused))
    return {r.tenant for r in refused if r.code == refusals.UNKNOWN_TENANT and r.tenant is not None}


class TenantRule(NamedTuple):
    """`default` is whose an event is that names nobody; `allowed` holds `*` for every tenant."""

    default: str
    allowed: frozenset[str]
    known: Container[str]

    @property
    def is_platform(self) -> bool:
        """Whether the producer may act for every tenant."""
        return EVERY in self.allowed

    def refuses(self, tenant: str) -> Refused | None:
        """Why an event of this tenant is not taken, or None."""
        if tenant not in self.allowed and not self.is_platform:
            return Refused(refusals.TENANT_NOT_ALLOWED, "the producer may not name this tenant", FIELD, tenant)
        if tenant not in self.known:
            return Refused(refusals.UNKNOWN_TENANT, "there is no such tenant, or it is disabled", FIELD, tenant)
        return None
