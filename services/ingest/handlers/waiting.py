"""Callers who wait to be told what became of their notifications: one question to the database for all of them."""

from __future__ import annotations

import asyncio
from collections.abc import Collection

from libs.runtime.logging import get_logger
from services.ingest.domain.results import Progress, result
from services.ingest.errors import Retryable
from services.ingest.metrics import WAITING
from services.ingest.ports.reporting import Key, Results

_EVERY = 0.05  # seconds: a mail is sent within tens of milliseconds
_log = get_logger(__name__)


class TooManyWaiting(Exception):
    """Nobody else may wait now."""


class Waiting:
    """`most` callers' notifications are watched at once."""

    def __init__(self, results: Results, *, most: int) -> None:
        self._results, self._most = results, most
        self._watched: dict[Key, int] = {}
        self._found: dict[Key, Progress] = {}
        self._some, self._looked = asyncio.Event(), asyncio.Condition()

    def check(self, count: int) -> None:
        """Raises TooManyWaiting; before anything is published."""
        if len(self._watched) + count > self._most:
            raise TooManyWaiting

    async def wait(self, keys: Collection[Key], seconds: float) -> dict[Key, Progress]:
        """What is known of them once all are settled, or when the time is up."""
        for key in keys:
            self._watched[key] = self._watched.get(key, 0) + 1
        WAITING.set(len(self._watched))
        self._some.set()
        try:
            async with asyncio.timeout(seconds), self._looked:
                await self._looked.wait_for(lambda: all(result(self._found.get(key)).settled for key in keys))
        except TimeoutError:
            pass  # the caller is told how far they have come
        finally:
            found = {key: self._found[key] for key in keys if key in self._found}
            self._forget(keys)
        return found

    async def run(self) -> None:
        """Looks while somebody waits. While PostgreSQL is away nobody is told anything: their time runs out."""
        while True:
            await self._some.wait()
            try:
                found = await self._results.progress(list(self._watched))
            except Retryable as error:
                _log.warning("results_unknown", errors=str(error))
            else:
                async with self._looked:
                    self._found |= {key: progress for key, progress in found.items() if key in self._watched}
                    self._looked.notify_all()
            await asyncio.sleep(_EVERY)

    def _forget(self, keys: Collection[Key]) -> None:
        for key in keys:
            self._watched[key] -= 1
            if not self._watched[key]:
                del self._watched[key]
                self._found.pop(key, None)
        if not self._watched:
            self._some.clear()
        WAITING.set(len(self._watched))
