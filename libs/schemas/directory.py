"""The directory: users, orgs, memberships and devices, as the HTTP API and the compacted topic `directory` say them.

The key of a record on the topic is `{kind}:{tenant}:{id}`; a record without a value deletes what its key names.
The id of a membership is `{orgId}/{userId}`, of a device `{userId}/{deviceId}`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints, TypeAdapter

from libs.schemas.base import WireModel
from libs.schemas.events import Id

ShortText = Annotated[str, StringConstraints(min_length=1, max_length=200)]
EmailAddress = Annotated[str, StringConstraints(max_length=320, pattern=r"^[^@\s\x00-\x1f]+@[^@\s\x00-\x1f]+$")]


#: Further away than this nobody asks to hear of things, unless an event itself says how far it reaches.
MAX_OWN_RADIUS_METERS = 100_000.0


class Location(WireModel):
    """Where a person was at `updatedAt`, in degrees. `radiusMeters`: how far away things may be that they hear of."""

    lat: Annotated[float, Field(ge=-90, le=90, allow_inf_nan=False)]
    lon: Annotated[float, Field(ge=-180, le=180, allow_inf_nan=False)]
    updated_at: AwareDatetime
    radius_meters: Annotated[float, Field(gt=0, le=MAX_OWN_RADIUS_METERS)] | None = None


class User(WireModel):
    """A person. `departments` and `roles` are complete: what is not named here is left.

    Without `location` the one that is known stays, as it does when the given one is older; null takes it away.
    """

    kind: Literal["user"] = "user"
    id: Id
    email: EmailAddress | None = None
    display_name: ShortText | None = None
    phone: ShortText | None = None
    locale: ShortText | None = None
    timezone: ShortText | None = None
    location: Location | None = None
    departments: Annotated[tuple[Id, ...], Field(max_length=100)] = ()
    roles: Annotated[tuple[Id, ...], Field(max_length=100)] = ()
    attributes: dict[str, Any] = Field(default_factory=dict)


class Org(WireModel):
    """An organisation within a tenant."""

    kind: Literal["org"] = "org"
    id: Id
    name: ShortText | None = None
    attributes: dict[str, Any] = Field(default_factory=dict)


class Membership(WireModel):
    """A person in an organisation. `role` decides who gets the organisation's alerts (admins and owners)."""

    kind: Literal["membership"] = "membership"
    org_id: Id
    user_id: Id
    role: Id = "member"


class Device(WireModel):
    """Where a person can be pushed to: a web-push subscription, an FCM or APNs token."""

    kind: Literal["device"] = "device"
    user_id: Id
    id: Id
    platform: Literal["web", "fcm", "apns"]
    token: Annotated[str, StringConstraints(min_length=1, max_length=4096)]
    keys: dict[str, str] = Field(default_factory=dict)


DirectoryEntry = Annotated[User | Org | Membership | Device, Field(discriminator="kind")]
DIRECTORY_ENTRY: TypeAdapter[DirectoryEntry] = TypeAdapter(DirectoryEntry)
