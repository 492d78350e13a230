"""People answer agents: once, noted, and sent to the agent even if Kafka is away for a while (S17)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

from libs.auth.tokens import Identity
from libs.catalogue.catalogue import Catalogue
from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from libs.schemas.records import AcceptedEvent
from services.gateway.domain.answers import Answer, Question, event, question
from services.gateway.domain.inbox import Row
from services.gateway.domain.marks import Action
from services.gateway.errors import Retryable
from services.gateway.handlers.inbox import InboxDesk
from services.gateway.store_ports import AnswerStore, Events

log = get_logger(__name__)

_GRACE = timedelta(seconds=10)  # whoever took the answer sends it first
_AT_ONCE = 100


class AnswerDesk:
    """Questions and their answers. Everything raises Retryable when the database is away."""

    def __init__(
        self,
        inbox: InboxDesk,
        store: AnswerStore,
        events: Events,
        catalogue_of: Callable[[str], Catalogue],
        clock: Clock,
    ) -> None:
        self._inbox, self._store, self._events, self._clock = inbox, store, events, clock
        self._catalogue_of = catalogue_of

    async def find(self, identity: Identity, notification: UUID) -> tuple[Row | None, Question | None]:
        """The notification in the caller's inbox, and what it asks."""
        row = await self._inbox.one(identity, notification)
        return row, None if row is None else question(identity.tenant, row)

    async def answered(self, identity: Identity, notification: UUID) -> Answer | None:
        """The answer that was given, by whomever."""
        return await self._store.of(await self._inbox.reader(identity), notification)

    async def answer(self, identity: Identity, asked: Question, value: str) -> Answer:
        """Answers, unless somebody has; the answer that counts."""
        who, now = await self._inbox.reader(identity), self._clock()
        kind = self._catalogue_of(identity.tenant).find("agent.event", "message")
        told = event(asked, value, identity.reader, kind.key, now)
        answer = await self._store.put(who, asked.notification, value, told)
        if answer.is_new:
            try:
                await self._tell(asked.notification, told, asked.agent)
            except Retryable as error:
                log.warning("answer_held", tenant_id=asked.tenant, errors=[str(error)])
            await self._inbox.act(identity, [asked.notification], Action("read"))
        return answer

    async def tell_waiting(self) -> None:
        """One round: sends agents what could not be sent at once. Raises Retryable."""
        for notification, told in await self._store.waiting(self._clock() - _GRACE, _AT_ONCE):
            await self._tell(notification, told, str(told.metadata["agentId"]))

    async def _tell(self, notification: UUID, told: AcceptedEvent, agent: str) -> None:
        await self._events.publish(told, agent)
        await self._store.told(told.tenant, notification)
