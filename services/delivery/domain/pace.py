"""How many calls may run at once, and when a struggling provider is left alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from services.delivery.domain.retry import Backoff

_SILENCES = 5


@dataclass(frozen=True, slots=True)
class Pace:
    """One more call at a time while things go well; half as many and a rest when the provider is overloaded; a single
    call after a rest when it could not be reached. Times are monotonic seconds.
    """

    ceiling: int
    backoff: Backoff
    limit: int
    rest_until: float = 0.0
    strikes: int = 0
    silences: int = 0

    def resting(self, now: float) -> float:
        """Seconds that the provider is still left alone."""
        return max(0.0, self.rest_until - now)

    def went_well(self) -> Pace:
        """The provider has answered as it should."""
        if self.strikes == 0 and self.silences == 0 and self.limit == self.ceiling:
            return self
        return replace(self, limit=min(self.ceiling, self.limit + 1), strikes=0, silences=0)

    def silent(self, now: float, draw: float) -> Pace:
        """A call had no answer: several in a row, and the provider counts as out of reach."""
        if self.silences + 1 < _SILENCES:
            return replace(self, silences=self.silences + 1)
        return replace(self.unavailable(now, 0.0, draw), silences=0)

    def overloaded(self, now: float, after: float, draw: float) -> Pace:
        """The provider asks for fewer calls, and perhaps for a rest of `after` seconds."""
        return self._rest(now, after, draw, max(1, self.limit // 2))

    def unavailable(self, now: float, after: float, draw: float) -> Pace:
        """The provider cannot be reached."""
        return self._rest(now, after, draw, 1)

    def _rest(self, now: float, after: float, draw: float, limit: int) -> Pace:
        if self.resting(now):  # calls of one burst fail together: they are one fault
            return replace(self, limit=min(self.limit, limit))
        strikes = self.strikes + 1
        until = now + after + self.backoff.delay(strikes, draw)
        return replace(self, limit=limit, strikes=strikes, rest_until=until)


def steady(ceiling: int, backoff: Backoff) -> Pace:
    """The pace at the start: everything is well."""
    return Pace(ceiling, backoff, ceiling)
