"""What the routes of the catalogue take and answer."""

from __future__ import annotations

from typing import Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from libs.catalogue.types import NotificationType


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class ShownType(_Body):
    """A type as it is in force. `said` is what the tenant says of it; null: it is as shipped.

    `catalogueVersion` is what a notification of now bears.
    """

    type: NotificationType
    said: dict[str, Any] | None
    catalogue_version: str


class ShownTypes(_Body):
    """All types of the tenant, by key."""

    types: list[ShownType]


class TypeVersion(_Body):
    """What the tenant said of a type from catalogue version `version` until before `until` (null: to now)."""

    version: int
    until: int | None
    document: dict[str, Any]
    actor: str
    valid_from: AwareDatetime
    valid_to: AwareDatetime | None


class TypeVersions(_Body):
    """The newest first, at most a hundred."""

    versions: list[TypeVersion]


class CatalogueFault(_Body):
    """What is wrong. `line` counts from 1; `field` is the path within the type of this key."""

    reason: str
    key: str | None = None
    line: int | None = None
    field: str | None = None


class Validation(_Body):
    """Whether a document `{types: […]}` could be in force, and everything that is wrong with it."""

    valid: bool
    faults: list[CatalogueFault] = Field([], description="in the order of their lines")
