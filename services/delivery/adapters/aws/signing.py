"""Signatures of requests to Amazon's services (Signature Version 4).

botocore signs; the requests are made by our own client, which knows how far each has got: whether Amazon may have acted
on one that was not answered decides if it may be repeated.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.exceptions import BotoCoreError
from botocore.session import Session

from services.delivery.errors import Unavailable


@dataclass(frozen=True, slots=True)
class AccessKey:
    """A key of its own for a service. Without one, requests are signed by what the machine, pod or profile has."""

    key_id: str
    secret: str = field(repr=False)


class AwsSigner:
    """Signs for one service in one region."""

    def __init__(self, service: str, region: str, key: AccessKey | None) -> None:
        self._service, self._region = service, region
        self._own = Credentials(key.key_id, key.secret) if key else None
        self._session = Session()

    async def headers(self, url: str, headers: Mapping[str, str], content: bytes) -> dict[str, str]:
        """All headers of a POST. Raises Unavailable where there are no credentials."""
        # The machine's credentials end and are fetched anew: that waits for the network, in a thread.
        credentials = self._own or await asyncio.to_thread(self._found)
        request = AWSRequest("POST", url, dict(headers), content)
        SigV4Auth(credentials, self._service, self._region).add_auth(request)
        return {name.lower(): value for name, value in request.headers.items()}

    def _found(self) -> Credentials:
        try:
            found = self._session.get_credentials()
            frozen = found.get_frozen_credentials() if found else None
        except BotoCoreError as error:
            raise Unavailable("provider-refuses-us", detail=type(error).__name__) from error
        if frozen is None:
            raise Unavailable("provider-refuses-us", detail="no credentials for Amazon")
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)
