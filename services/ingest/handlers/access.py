"""Finds out who calls."""

from __future__ import annotations

from libs.auth import api_keys, tokens
from libs.auth.jwks import KeysUnavailable
from libs.auth.verifier import Verifier
from services.ingest.domain.access import Denied, Principal, token_principal
from services.ingest.errors import Retryable
from services.ingest.ports.publishing import Keys


class Access:
    """API keys, and tokens of administrators where there is a verifier for them."""

    def __init__(
        self, keys: Keys, verifier: Verifier | None, admin_roles: frozenset[str], platform_roles: frozenset[str]
    ) -> None:
        self._keys, self._verifier = keys, verifier
        self._admin_roles, self._platform_roles = admin_roles, platform_roles

    async def principal(self, authorization: str | None, api_key: str | None) -> Principal | Denied:
        """Who the headers `Authorization` and `X-API-Key` speak for. Raises Retryable when that cannot be looked up."""
        credential = tokens.strip_bearer(api_key or authorization or "")
        if not credential:
            return Denied(401, "no-credential", "send an API key or a token as `Authorization: Bearer …`")
        parts = api_keys.split(credential)
        if parts is None:
            return await self._of_token(credential)
        principal = await self._keys.principal(*parts)
        return principal or Denied(401, "unknown-key", "the API key does not exist, has ended or was revoked")

    async def _of_token(self, token: str) -> Principal | Denied:
        if self._verifier is None:
            return Denied(401, "no-tokens", "only API keys are taken here")
        try:
            identity = await self._verifier.verify(token)
        except tokens.InvalidToken as fault:
            return Denied(401, "expired-token" if fault.expired else "invalid-token", f"the token is refused: {fault}")
        except KeysUnavailable as fault:
            raise Retryable(str(fault)) from fault
        return token_principal(identity, self._admin_roles, self._platform_roles)
