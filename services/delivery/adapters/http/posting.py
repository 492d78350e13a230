"""Posting to an address that somebody else runs and has given us: a tenant's endpoint, or a browser's push service.

Each such address is a server of its own. That one of them is away or overloaded is no reason to leave the others alone,
so nothing here is Unavailable or Overloaded: it is an attempt that failed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from libs.outbound.addresses import BadAddress, Network, web_address
from libs.outbound.guard import Forbidden, GuardedBackend
from services.delivery.adapters.http.client import Answer, HttpClient, Stage, Unanswered
from services.delivery.errors import Invalid, Retryable, Uncertain

_REDIRECTS = 3


class Poster:
    """`networks` are private ones that may be reached nevertheless; `timeout` is for one whole call, in seconds."""

    def __init__(self, networks: Sequence[Network], timeout: float) -> None:
        self._plain = bool(networks)
        self._http = HttpClient(timeout, backend=GuardedBackend(networks), redirects=_REDIRECTS)

    async def post(self, url: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """Raises Invalid for an address that may not be asked, Retryable or Uncertain when there is no answer."""
        try:
            return await self._http.post(web_address(url, plain=self._plain), headers, content)
        except BadAddress as error:
            raise Invalid("bad-address", detail=str(error)) from None
        except Forbidden:
            raise Invalid("forbidden-address", detail="the address leads into a private network") from None
        except Unanswered as silence:
            if silence.stage is Stage.SENT:
                raise Uncertain("outcome-unknown", detail=silence.detail) from silence
            raise Retryable("provider-silent", detail=silence.detail) from silence

    async def close(self) -> None:
        """Ends all connections."""
        await self._http.close()
