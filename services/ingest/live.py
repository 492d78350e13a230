"""Composition of what is for those who listen now: ephemeral events, and who may join what."""

from __future__ import annotations

import asyncpg
from fastapi import APIRouter

from libs.http.quotas import Quotas
from libs.outbound.settings import EgressSettings
from libs.runtime.settings import load
from services.ingest.adapters.listeners import PostgresListeners
from services.ingest.adapters.policies import PostgresResourcePolicies
from services.ingest.entrypoints.http import ephemerals, policies
from services.ingest.handlers.access import Access
from services.ingest.handlers.ephemerals import Ephemerals
from services.ingest.ports.publishing import Catalogues, Publisher, Tenants


def routers(
    access: Access,
    pool: asyncpg.Pool,
    publisher: Publisher,
    tenants: Tenants,
    catalogues: Catalogues,
    quotas: Quotas,
    *,
    seconds: float,
) -> list[APIRouter]:
    """`seconds` may an answer take."""
    sending = Ephemerals(publisher, tenants, catalogues, PostgresListeners(pool), seconds=seconds)
    plain = bool(load(EgressSettings).egress_networks)
    return [
        ephemerals.router(access, sending, quotas),
        policies.router(access, PostgresResourcePolicies(pool), plain=plain),
    ]
