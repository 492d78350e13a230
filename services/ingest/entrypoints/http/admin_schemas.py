"""What the routes of keys, tenants and the bulk of the directory take and answer."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator
from pydantic.alias_generators import to_camel

from libs.schemas.directory import DirectoryEntry
from libs.schemas.events import MAX_BATCH_EVENTS, Id
from libs.schemas.retention import TENANT_SETTING, checked
from services.ingest.domain.access import Scope


class _Body(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True)


class KeyRequest(_Body):
    """A key to be made. `tenants` are further ones that it may name; `*` makes it a platform key."""

    name: Annotated[str, Field(min_length=1, max_length=200)]
    scopes: Annotated[list[Scope], Field(min_length=1)]
    tenants: Annotated[list[Id], Field(max_length=100)] = []
    expires_at: AwareDatetime | None = None


class Key(_Body):
    """A key without its secret."""

    tenant: str
    key_id: str
    name: str
    scopes: list[str]
    tenants: list[str]
    created_at: AwareDatetime
    expires_at: AwareDatetime | None
    revoked_at: AwareDatetime | None


class CreatedKey(Key):
    """A new key. `key` is what its holder sends as a Bearer credential."""

    key: str


class Keys(_Body):
    """The keys of a tenant, the oldest first."""

    keys: list[Key]


class DirectoryEntries(_Body):
    """Entries of all kinds for the bulk route."""

    entries: Annotated[list[DirectoryEntry], Field(max_length=MAX_BATCH_EVENTS)]


class TenantRequest(_Body):
    """What is said of a tenant."""

    name: Annotated[str, Field(min_length=1, max_length=200)] | None = None
    settings: dict[str, Any] = {}

    @field_validator("settings")
    @classmethod
    def _kept_long_enough(cls, settings: dict[str, Any]) -> dict[str, Any]:
        days = settings.get(TENANT_SETTING, 0)
        if not isinstance(days, int) or isinstance(days, bool) or days < 0:
            raise ValueError(f"{TENANT_SETTING}: expected a number of days")
        checked(days)
        return settings


class Tenant(TenantRequest):
    """A tenant."""

    tenant: str
    created_at: AwareDatetime
    disabled_at: AwareDatetime | None
