"""Composition of what comes after publishing: results, call-backs of providers, suppressions, endpoints."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass

import asyncpg
from fastapi import APIRouter

from libs.outbound.settings import EgressSettings
from libs.runtime.settings import ChannelSettings, load
from services.ingest.adapters.certificates import AmazonCertificates
from services.ingest.adapters.endpoints import PostgresEndpoints
from services.ingest.adapters.explanations import PostgresExplanations
from services.ingest.adapters.opens import PostgresOpens
from services.ingest.adapters.reports import PostgresReports
from services.ingest.adapters.results import PostgresResults
from services.ingest.adapters.suppressions import PostgresSuppressions
from services.ingest.adapters.timeline import PostgresTimelines
from services.ingest.adapters.unsubscribes import PostgresUnsubscribes
from services.ingest.entrypoints.http import (
    callbacks,
    endpoint_secrets,
    endpoints,
    explanation,
    opens,
    suppressions,
    timeline,
    topics,
    unsubscribe,
)
from services.ingest.handlers.access import Access
from services.ingest.handlers.callbacks import Callbacks
from services.ingest.handlers.waiting import Waiting
from services.ingest.settings import CallbackSettings, IngestSettings


@dataclass(frozen=True, slots=True)
class After:
    """`waiting` is to be run; `routers` makes the routes, given who is let in."""

    waiting: Waiting
    routers: Callable[[Access], list[APIRouter]]


def compose(settings: IngestSettings, pool: asyncpg.Pool, stack: AsyncExitStack) -> After:
    """What it opens is closed with the stack."""
    theirs = load(CallbackSettings)
    certificates = AmazonCertificates()
    stack.push_async_callback(certificates.close)
    suppressed = PostgresSuppressions(pool)
    calls = Callbacks(
        PostgresReports(pool), suppressed, certificates, twilio_token=lambda: theirs.token, topics=theirs.ses_topics
    )

    def routers(access: Access) -> list[APIRouter]:
        return [
            topics.router(),
            timeline.router(access, PostgresTimelines(pool)),
            explanation.router(access, PostgresExplanations(pool, load(ChannelSettings).channels)),
            suppressions.router(access, suppressed),
            endpoints.router(access, PostgresEndpoints(pool), plain=bool(load(EgressSettings).egress_networks)),
            endpoint_secrets.router(access, PostgresEndpoints(pool)),
            callbacks.router(access, calls, settings.origin),
            unsubscribe.router(PostgresUnsubscribes(pool), settings.secret),
            opens.router(PostgresOpens(pool), settings.secret),
        ]

    return After(Waiting(PostgresResults(pool), most=settings.wait_limit), routers)
