"""Composition of the HTTP side: the desks that people ask, their routes, and the loops beside them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

import httpx
from fastapi import APIRouter

from libs.catalogue.catalogue import Catalogue
from libs.runtime.clock import utc_now
from libs.runtime.health import Health
from libs.sealing.vault import Vault
from services.gateway.adapters.postgres.admin import PostgresAdmin
from services.gateway.adapters.postgres.answers import PostgresAnswers
from services.gateway.adapters.postgres.database import Database
from services.gateway.adapters.postgres.inbox import PostgresInbox
from services.gateway.adapters.postgres.people import PostgresPeople
from services.gateway.adapters.postgres.preferences import PostgresPreferences
from services.gateway.domain import views
from services.gateway.entrypoints import development, notifications, people, preferences
from services.gateway.entrypoints.admin import Administration
from services.gateway.entrypoints.caller import Caller
from services.gateway.entrypoints.rate_limit import limited
from services.gateway.handlers.answers import AnswerDesk
from services.gateway.handlers.condition import condition
from services.gateway.handlers.inbox import InboxDesk
from services.gateway.handlers.memberships import Access
from services.gateway.handlers.people import PeopleDesk
from services.gateway.handlers.preferences import PreferencesDesk, TenantDesk
from services.gateway.handlers.rounds import rounds
from services.gateway.handlers.telling import Telling
from services.gateway.settings import Settings
from services.gateway.store_ports import Events

_STUCK_SECONDS = 60.0


class Rest:
    """Everything that HTTP serves but for sockets and what is handed on to ingest."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        vault: Vault,
        events: Events,
        access: Access,
        telling: Telling,
        catalogue_of: Callable[[str], Catalogue],
    ) -> None:
        self._settings, self._catalogue_of, self._events = settings, catalogue_of, events
        self._administration = PostgresAdmin(database)
        self.inbox = InboxDesk(PostgresInbox(database, vault), access, telling, utc_now)
        stored = PostgresPreferences(database)
        self.preferences = PreferencesDesk(stored, catalogue_of, telling)
        self.of_tenant = TenantDesk(stored, catalogue_of)
        self.people = PeopleDesk(PostgresPeople(database), telling)
        self.answers = AnswerDesk(self.inbox, PostgresAnswers(database), events, catalogue_of, utc_now)

    def routers(self, caller: Caller, ingest: httpx.AsyncClient) -> list[APIRouter]:
        """All routes; those with a fixed path before those that take any name in its place."""
        settings, catalogue_of = self._settings, self._catalogue_of
        caller = limited(caller, settings.rest_rate, settings.rest_burst)
        roles = (settings.admin_roles, settings.log_payload_roles)
        administration = Administration(self._administration, caller, *roles, ingest, condition, catalogue_of, utc_now)
        in_development = [development.router(self._events, caller, catalogue_of, utc_now)]
        late = settings.patience().failed
        canonical, document = partial(views.canonical, failed_after=late), partial(views.document, failed_after=late)
        return [
            *(in_development if settings.environment == "development" else ()),
            *administration.routers(),
            preferences.router(self.preferences, caller, settings.admin_roles, self._key_of),
            preferences.of_tenant(self.of_tenant, caller, settings.admin_roles),
            people.devices(self.people, caller, settings.webpush_public_key),
            people.subscriptions(self.people, caller),
            people.answers(self.answers, caller),
            notifications.router("/api/v1/notifications", canonical, self.inbox, caller, catalogue_of),
            notifications.router("/api/notifications", document, self.inbox, caller, catalogue_of),
        ]

    def loops(self, health: Health) -> list[Awaitable[None]]:
        """Everything that goes round."""
        watch = health.watch
        return [
            rounds(self.inbox.wake, watch("snoozed", _STUCK_SECONDS), self._settings.snooze_interval),
            rounds(self.answers.tell_waiting, watch("answers", _STUCK_SECONDS), self._settings.answers_interval),
        ]

    def _key_of(self, tenant: str, name: str) -> str:
        known = self._catalogue_of(tenant).get(name)
        return name if known is None else known.key
