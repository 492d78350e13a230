"""Access tokens of a service account: google-auth makes them, over a client of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from google.auth import exceptions, transport
from google.oauth2.service_account import Credentials

from services.delivery.adapters.fcm.errors import of_token_answer
from services.delivery.adapters.http.asking import Asker
from services.delivery.adapters.http.client import Answer
from services.delivery.errors import Unavailable, Uncertain


class Access:
    """The token of now. google-auth blocks while it asks for another, so it does that in a thread."""

    def __init__(self, asker: Asker, credentials: Credentials) -> None:
        self._asker, self._credentials = asker, credentials
        self._renewing = asyncio.Lock()

    async def token(self) -> str:
        """Raises Unavailable when there is none to be had."""
        async with self._renewing:  # one asks, the others wait for its token
            if not self._credentials.valid:
                await self._renew()
            return str(self._credentials.token)

    def refused(self) -> None:
        """FCM takes the token no more."""
        self._credentials.token = None

    async def _renew(self) -> None:
        request = _Request(self._asker, asyncio.get_running_loop())
        try:
            await asyncio.to_thread(self._credentials.refresh, request)
        except (exceptions.GoogleAuthError, ValueError, TypeError) as error:  # an answer that holds no token
            raise Unavailable("provider-refuses-us", code="oauth", detail=type(error).__name__) from None


class _Request(transport.Request):
    """What google-auth asks with, from its thread."""

    def __init__(self, asker: Asker, loop: asyncio.AbstractEventLoop) -> None:
        self._asker, self._loop = asker, loop

    def __call__(self, url: str, *, body: bytes, headers: Mapping[str, str], **_: Any) -> transport.Response:
        """Raises Unavailable for all that is no token: else google-auth would ask again by itself, without our pace."""
        asked = self._asker.post(url, headers, body)
        try:
            answer = asyncio.run_coroutine_threadsafe(asked, self._loop).result()
        except Uncertain as silence:  # about a token, not about a message
            raise Unavailable("provider-unavailable", detail=silence.detail) from silence
        if answer.status != 200:
            raise of_token_answer(answer)
        return _Response(answer)


class _Response(transport.Response):
    """An answer of ours, as google-auth reads it."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    @property
    def status(self) -> int:
        return self._answer.status

    @property
    def headers(self) -> Mapping[str, str]:
        return self._answer.headers

    @property
    def data(self) -> bytes:
        return self._answer.body
