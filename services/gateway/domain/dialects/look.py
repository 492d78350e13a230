"""How a notification's type looks to clients: its name, icon and colour, and what it is called on the wire (S4, S5)."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from libs.catalogue.catalogue import Catalogue

_CONSTANT = re.compile(r"^[A-Z][A-Z0-9_]*$")
_SEPARATORS = re.compile(r"[._-]+")
_NOT_CONSTANT = re.compile(r"[^A-Z0-9]+")


class Look(NamedTuple):
    """`wire` is the event name on `/ws/notifications` where the type has one, `constant` its name in capitals."""

    name: str
    icon: str
    color: str
    wire: str | None
    constant: str


#: The look of a tenant's type by its catalogue key; also of one that the catalogue no longer has.
Looks = Callable[[str, str], Look]


def looks(catalogue_of: Callable[[str], Catalogue]) -> Looks:
    """Looks as each tenant's catalogue says."""

    def look(tenant: str, key: str) -> Look:
        kind, constant = catalogue_of(tenant).get(key), _NOT_CONSTANT.sub("_", key.upper())
        if kind is None:
            return Look(_SEPARATORS.sub(" ", key).capitalize(), "bell", "#1890ff", None, constant)
        constant = next((alias for alias in kind.aliases if _CONSTANT.match(alias)), constant)
        return Look(kind.name, kind.icon, kind.color, kind.wire_names.get("/ws/notifications"), constant)

    return look
