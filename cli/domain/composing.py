"""An event from what is typed: `title=…` pairs and recipients by room name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from libs.schemas import rooms

_LISTS = {"user": "userIds", "agent": "agentIds", "org": "orgIds", "dept": "departments", "role": "roles"}
_FLAGS = {rooms.TENANT: "tenant", rooms.BROADCAST: "broadcast"}


def event(name: str, pairs: Iterable[str], to: Iterable[str], metadata: dict[str, str]) -> bytes:
    """The event as JSON. `metadata` is put in where no pair says otherwise. Raises ValueError naming the pair.

    A pair is `path=text` or `path:=JSON`, its path leading into the event's `data`: `metadata.orgId=acme`.
    """
    data: dict[str, Any] = {"metadata": dict(metadata)}
    for pair in pairs:
        path, value = _split(pair)
        _put(data, path, value, pair)
    for room in to:
        _address(data.setdefault("recipients", {}), room)
    return orjson.dumps({"event": name, "data": data})


def _split(pair: str) -> tuple[str, Any]:
    path, equals, text = pair.partition("=")
    if not equals or not path.strip(":"):
        raise ValueError(f"{pair!r} is neither FIELD=TEXT nor FIELD:=JSON")
    if not path.endswith(":"):
        return path, text
    try:
        return path[:-1], orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise ValueError(f"{pair!r}: what follows := is not JSON ({error})") from None


def _put(data: dict[str, Any], path: str, value: Any, pair: str) -> None:
    *parents, last = path.split(".")
    for parent in parents:
        data = data.setdefault(parent, {})
        if not isinstance(data, dict):
            raise ValueError(f"{pair!r}: {parent} is not an object")
    data[last] = value


def _address(recipients: dict[str, Any], room: str) -> None:
    kind, _, name = room.partition(":")
    if kind in _FLAGS and not name:
        recipients[_FLAGS[kind]] = True
    elif kind in _LISTS and name:
        recipients.setdefault(_LISTS[kind], []).append(name)
    else:
        raise ValueError(
            f"{room!r} is no recipient: user:ID, agent:ID, org:ID, dept:NAME, role:NAME, tenant, broadcast"
        )
