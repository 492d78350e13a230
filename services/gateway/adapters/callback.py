"""Asks a tenant's application whether somebody may join a resource: signed, guarded, bounded in time and size."""

from __future__ import annotations

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Sequence

import httpcore
import orjson

from libs.auth.tokens import Identity
from libs.outbound.addresses import BadAddress, Network, web_address
from libs.outbound.guard import Forbidden, GuardedBackend
from libs.outbound.signing import BadSecret, signed
from libs.runtime.clock import Clock
from libs.runtime.logging import get_logger
from services.gateway import metrics
from services.gateway.domain.joining import Policy, Resource
from services.gateway.live_ports import Answer

log = get_logger(__name__)

_MAX_ANSWER = 4 * 1024  # bytes
_AT_ONCE = 8  # requests of one tenant, so that a slow application delays nobody else's


class CallBack:
    """See live_ports.Application. `timeout` is for one whole request, waiting included, in seconds."""

    def __init__(self, networks: Sequence[Network], timeout: float, clock: Clock) -> None:
        self._plain, self._timeout, self._clock = bool(networks), timeout, clock
        backend = GuardedBackend(networks)
        self._pool = httpcore.AsyncConnectionPool(network_backend=backend, max_connections=256, keepalive_expiry=10.0)
        self._turns: defaultdict[str, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(_AT_ONCE))

    async def may_join(self, policy: Policy, identity: Identity, wanted: Resource) -> Answer | None:
        """See live_ports.Application."""
        try:
            async with asyncio.timeout(self._timeout), self._turns[identity.tenant]:
                answer = await self._ask(policy, identity, wanted)
        except (httpcore.NetworkError, httpcore.ProtocolError, httpcore.TimeoutException, OSError) as error:
            return self._silent(identity.tenant, wanted, type(error).__name__)
        except (Forbidden, BadAddress, BadSecret) as error:
            return self._silent(identity.tenant, wanted, type(error).__name__)
        return answer if answer is not None else self._silent(identity.tenant, wanted, "unreadable")

    async def close(self) -> None:
        """Ends all connections."""
        await self._pool.aclose()

    async def _ask(self, policy: Policy, identity: Identity, wanted: Resource) -> Answer | None:
        body = _body(identity, wanted)
        headers = signed(str(uuid.uuid4()), int(self._clock().timestamp()), body, policy.secrets)
        url = web_address(policy.url or "", plain=self._plain)
        async with self._pool.stream("POST", url, headers=list(headers.items()), content=body) as response:
            content = bytearray()
            async for part in response.aiter_stream():
                content += part
                if len(content) > _MAX_ANSWER:
                    return None
            return _answer(response.status, bytes(content), policy.cache_seconds)

    @staticmethod
    def _silent(tenant: str, wanted: Resource, reason: str) -> None:
        metrics.CALLBACKS_FAILED.labels(reason).inc()
        log.warning("policy_unanswered", tenant_id=tenant, resource_type=wanted.type, errors=[reason])


def _body(identity: Identity, wanted: Resource) -> bytes:
    return orjson.dumps(
        {
            "type": "room.join",
            "tenantId": identity.tenant,
            "userId": identity.user_id,
            "agentId": identity.agent_id,
            "sessionId": identity.session_id,
            "orgIds": identity.org_ids,
            "departments": identity.departments,
            "roles": identity.roles,
            "room": wanted.name,
            "resourceType": wanted.type,
            "resourceId": wanted.id,
        }
    )


def _answer(status: int, content: bytes, longest: float) -> Answer | None:
    """`{"allow": true, "ttl": 30}`; 403 and 404 are a no as well. None for what is no answer."""
    if status in (403, 404):
        return Answer(False, longest)
    try:
        document = orjson.loads(content) if status == 200 else None
    except orjson.JSONDecodeError:
        return None
    if not isinstance(document, dict) or not isinstance(document.get("allow"), bool):
        return None
    seconds = document.get("ttl", longest)
    if isinstance(seconds, bool) or not isinstance(seconds, int | float):
        return None
    return Answer(document["allow"], min(max(1.0, seconds), longest))
