"""Who a token speaks for, and whether their tenant may be served: the same for sockets and HTTP. Refusals are logged
and counted (F2-4), without the token."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence

from libs.auth.jwks import KeysUnavailable
from libs.auth.tokens import Identity, InvalidToken
from libs.auth.verifier import Verifier
from libs.runtime.logging import get_logger
from services.gateway import metrics
from services.gateway.errors import Retryable, Unauthorized
from services.gateway.handlers.batching import Batcher
from services.gateway.ports import Directory

log = get_logger(__name__)

_FRESH_SECONDS = 5.0
_REMEMBERED = 10_000


class Tenants:
    """Which tenants may be served: asked for many at once, and remembered for some seconds. `clock` counts seconds."""

    def __init__(self, directory: Directory, batch: float, clock: Callable[[], float]) -> None:
        self._directory, self._clock = directory, clock
        self._known: OrderedDict[str, tuple[float, bool | None]] = OrderedDict()
        self._asked: Batcher[str, bool | None] = Batcher(self._load, batch)

    async def enabled(self, tenant: str) -> bool | None:
        """None when there is no such tenant. Raises Retryable."""
        read_at, enabled = self._known.get(tenant, (float("-inf"), None))
        return enabled if self._clock() - read_at < _FRESH_SECONDS else (await self._asked.get([tenant]))[tenant]

    async def refused(self, tenants: Collection[str]) -> set[str]:
        """Those that are gone or disabled. Raises Retryable."""
        found = await self._load(list(tenants))
        return {tenant for tenant, enabled in found.items() if not enabled}

    async def _load(self, tenants: Sequence[str]) -> Mapping[str, bool | None]:
        found = await self._directory.tenants(tenants)
        now = self._clock()
        for tenant in tenants:
            self._known[tenant] = (now, found.get(tenant))
            self._known.move_to_end(tenant)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return {tenant: found.get(tenant) for tenant in tenants}


class Credentials:
    """Reads tokens. `door` names in logs and metrics where they came in: socket or http."""

    def __init__(self, verifier: Verifier, tenants: Tenants) -> None:
        self._verifier, self._tenants = verifier, tenants

    async def identify(self, token: str | None, door: str) -> Identity:
        """Raises Unauthorized, or Retryable when a neighbour must be asked and is away."""
        try:
            identity = await self._verifier.verify(token or "")
        except InvalidToken as error:
            code = "no-credential" if not token else "expired-token" if error.expired else "invalid-token"
            raise self.refusal(door, code, str(error) if token else "a token is needed") from None
        except KeysUnavailable as error:
            raise Retryable(str(error)) from error
        enabled = await self._tenants.enabled(identity.tenant)
        if enabled is None:
            raise self.refusal(door, "unknown-tenant", "there is no such tenant", identity)
        if not enabled:
            raise self.refusal(door, "disabled-tenant", "the tenant is disabled", identity)
        return identity

    async def refused(self, tenants: Collection[str]) -> set[str]:
        """Those of these tenants that may not be served any more. Raises Retryable."""
        return await self._tenants.refused(tenants) if tenants else set()

    def refusal(self, door: str, code: str, detail: str, identity: Identity | None = None) -> Unauthorized:
        """Somebody asks for what they may not have: noted, and to be raised or told."""
        metrics.UNAUTHORIZED.labels(door, code).inc()
        who = {} if identity is None else {"tenant_id": identity.tenant, "user_id": identity.reader}
        log.warning("unauthorized", door=door, reason=code, **who)
        return Unauthorized(code, detail)
