"""What many are told one after the other, since they were away at the same time: shaped and encoded once for all."""

from __future__ import annotations

from services.gateway.domain.dialects.dialect import Dialect, Emission, Repeated
from services.gateway.domain.logs import Entry

_MOST = 512  # entries, in one dialect each


class Repeats:
    """Remembers the last entries by what they are, not by their place: what was read anew may have changed."""

    def __init__(self) -> None:
        # With its entry, whose id is nobody else's as long as it is here.
        self._shaped: dict[tuple[int, str, str], tuple[Entry, Emission | None]] = {}

    def shape(self, dialect: Dialect, name: str, entry: Entry) -> Emission | None:
        """See Dialect.entry."""
        key = (id(entry), name, dialect.namespace)
        if (found := self._shaped.get(key)) is None:
            if len(self._shaped) >= _MOST:
                del self._shaped[next(iter(self._shaped))]
            found = self._shaped[key] = entry, _repeated(dialect.entry(name, entry))
        return found[1]


def _repeated(emission: Emission | None) -> Emission | None:
    return None if emission is None else emission._replace(payload=Repeated(emission.payload))
