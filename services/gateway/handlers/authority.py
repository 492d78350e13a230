"""Whether a session may hear a resource: by its policy, which may be to ask the application (S15)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from libs.auth.tokens import Identity
from libs.runtime.clock import Clock
from services.gateway import metrics
from services.gateway.domain.joining import ANY_TYPE, Allowed, Ask, Denied, Policy, Resource, decide
from services.gateway.domain.joining import NOT_ALLOWED as _NOT_ALLOWED
from services.gateway.domain.session import Session
from services.gateway.handlers.remembering import Remembered
from services.gateway.live_ports import Application, Policies

_MAX_TENANTS = 1_000
_MAX_ANSWERS = 20_000
_SILENCE_SECONDS = 1.0  # an application that does not answer is asked again only then

#: The application did not answer: nobody comes in, and nobody who is in has to go at once.
SILENT = Denied("POLICY_UNAVAILABLE", "whether you may could not be found out, please try again")


class _Question(NamedTuple):
    policy: Policy
    identity: Identity
    wanted: Resource


class Authority:
    """`refresh` is for how many seconds the policies of a tenant are remembered."""

    def __init__(
        self,
        policies: Policies,
        application: Application,
        refresh: float,
        clock: Clock,
        monotonic: Callable[[], float],
    ) -> None:
        self._store, self._application, self._refresh, self._clock = policies, application, refresh, clock
        self._policies: Remembered[str, Mapping[str, Policy]] = Remembered(self._read, _MAX_TENANTS, monotonic)
        self._answers: Remembered[_Question, Allowed | Denied] = Remembered(self._ask, _MAX_ANSWERS, monotonic)

    async def policy(self, tenant: str, resource_type: str) -> Policy | None:
        """The policy of the type, or that of any type. Raises Retryable."""
        policies = await self._policies.get(tenant)
        return policies.get(resource_type) or policies.get(ANY_TYPE)

    async def judge(self, session: Session, wanted: Resource, grant: str | None = None) -> Allowed | Denied:
        """Whether the session may hear the resource, and until when that holds. Raises Retryable."""
        policy = await self.policy(session.tenant, wanted.type)
        found = decide(policy, wanted, session.identity, session.readable, grant, self._clock())
        if isinstance(found, Ask):
            # The same person with another token is the same person: the end of the token does not matter here.
            found = await self._answers.get(_Question(found.policy, replace(session.identity, expires_at=0.0), wanted))
        metrics.JOIN_DECISIONS.labels("allowed" if isinstance(found, Allowed) else found.code).inc()
        return found

    async def _read(self, tenant: str) -> tuple[Mapping[str, Policy], float]:
        return await self._store.of(tenant), self._refresh

    async def _ask(self, question: _Question) -> tuple[Allowed | Denied, float]:
        answer = await self._application.may_join(*question)
        if answer is None:
            return SILENT, _SILENCE_SECONDS
        if not answer.allowed:
            return _NOT_ALLOWED, answer.seconds
        return Allowed(self._clock().timestamp() + answer.seconds), answer.seconds
