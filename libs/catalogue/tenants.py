"""A tenant's catalogue: the shipped types, with what the tenant says laid over them (F4-5).

What a tenant says of a shipped type is a merge patch (RFC 7396): only what differs, null takes a field away. A type
under a key of its own is said in full.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from libs.catalogue.catalogue import Catalogue, assembled
from libs.catalogue.reading import BadCatalogue, faults_of, read_types
from libs.catalogue.types import NotificationType

Documents = Mapping[str, Mapping[str, Any]]  # by key


def version_of(base: Catalogue, number: int) -> str:
    """How the `number`th state of a tenant's types is named on notifications."""
    return f"{base.version}+{number}"


def parts_of(version: str) -> tuple[str, int]:
    """The shipped version and the number of the tenant's that a catalogue version names; 0: nothing of a tenant."""
    base, _, number = version.partition("+")
    return base, int(number or 0)


def type_of(base: Catalogue, key: str, document: Mapping[str, Any]) -> NotificationType:
    """The type that a document stands for. Raises BadCatalogue."""
    try:
        return _over(base, {"key": key, **document})
    except ValidationError as error:
        raise BadCatalogue(faults_of(error, key)) from None


def read_over(base: Catalogue, text: str) -> Catalogue:
    """What would be in force if a tenant said a document `{types: […]}` and no more. Raises BadCatalogue with lines."""
    entries = read_types(text, make=lambda entry: _over(base, entry))
    return assembled(entries, lambda: _joined(base, {entry.type.key: entry.type for entry in entries}, 0))


def _over(base: Catalogue, document: Any) -> NotificationType:
    key = document.get("key") if isinstance(document, Mapping) else None
    shipped = next((entry for entry in base.types if entry.key == key), None)
    if shipped is None:
        return NotificationType.model_validate(document)
    under = shipped.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return NotificationType.model_validate(_merged(under, document))


def laid_over(base: Catalogue, documents: Documents, number: int) -> Catalogue:
    """The tenant's catalogue. Raises BadCatalogue."""
    said = {key: type_of(base, key, document) for key, document in documents.items()}
    return _joined(base, said, number)


def as_far_as_good(base: Catalogue, documents: Documents, number: int) -> tuple[Catalogue, list[BadCatalogue]]:
    """The tenant's catalogue without what does not fit the shipped one any more, and what is wrong with that."""
    said: dict[str, NotificationType] = {}
    refused: list[BadCatalogue] = []
    catalogue = _joined(base, {}, number)
    for key, document in documents.items():
        try:
            said[key] = type_of(base, key, document)
            catalogue = _joined(base, said, number)
        except BadCatalogue as bad:
            said.pop(key, None)
            refused.append(bad)
    return catalogue, refused


def _joined(base: Catalogue, said: Mapping[str, NotificationType], number: int) -> Catalogue:
    kept = [entry for entry in base.types if entry.key not in said]
    return Catalogue(version_of(base, number), (*kept, *said.values()))


def _merged(under: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(under)
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        elif isinstance(value, Mapping):
            there = merged.get(name)
            merged[name] = _merged(there if isinstance(there, Mapping) else {}, value)
        else:
            merged[name] = value
    return merged
