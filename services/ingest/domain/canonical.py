"""One form on the wire: names that may be read in snake_case as well are written in camelCase."""

from __future__ import annotations

from typing import Any

from libs.schemas.base import WireModel
from libs.schemas.events import Metadata, Recipients, SystemNotificationData
from libs.schemas.records import AcceptedEvent


def _snake_names(model: type[WireModel]) -> dict[str, str]:
    return {
        name: field.alias
        for name, field in model.model_fields.items()
        if field.alias is not None and field.alias != name
    }


_RECORD = _snake_names(AcceptedEvent) | _snake_names(SystemNotificationData)
_METADATA = _snake_names(Metadata)
_RECIPIENTS = _snake_names(Recipients)
_KNOWN_OF_RECORD = frozenset(_RECORD) | {field.alias or name for name, field in AcceptedEvent.model_fields.items()}


def canonical_data(data: dict[str, Any]) -> dict[str, Any]:
    """A copy of an event's `data` with the names of the wire; values and unknown names stay as they are."""
    record = _renamed(data, _RECORD)
    record["metadata"] = _renamed(data["metadata"], _METADATA)
    if record.get("recipients") is not None:
        record["recipients"] = _renamed(data["recipients"], _RECIPIENTS)
    return record


def unknown_of_envelope(document: dict[str, Any]) -> dict[str, Any]:
    """What stands beside `event` and `data` and has no meaning yet."""
    if len(document) == 2:
        return {}
    return {name: value for name, value in document.items() if name != "data" and name not in _KNOWN_OF_RECORD}


def _renamed(given: dict[str, Any], names: dict[str, str]) -> dict[str, Any]:
    if names.keys().isdisjoint(given):
        return dict(given)
    # As the models read it: the name of the wire wins over the other one.
    renamed = {names.get(name, name): value for name, value in given.items()}
    return renamed | {alias: given[alias] for alias in names.values() if alias in given}
