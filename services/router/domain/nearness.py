"""Who is near a point: what to look for, in strips of latitude and stretches of longitude that an index has (F4-2).

The earth is a sphere here: the error is below half a per cent, less than what a telephone knows of its place.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeGuard

from libs.catalogue.paths import at_path
from libs.catalogue.types import Near
from libs.schemas import rooms
from libs.schemas.directory import MAX_OWN_RADIUS_METERS
from libs.schemas.records import AcceptedEvent

EARTH_RADIUS_METERS = 6_371_008.8
MAX_RADIUS_METERS = 1_000_000.0
#: Latitudes are indexed by strips of a tenth of a degree, eleven kilometres each.
STRIPS_PER_DEGREE = 10


@dataclass(frozen=True, slots=True)
class Search:
    """People with a role whose place, not older than `since`, is near enough.

    `radius` (meters) is the event's own; None leaves it to each person's, else `default_radius`.
    """

    tenant: str
    room: str
    latitude: float
    longitude: float
    radius: float | None
    default_radius: float
    since: datetime

    @property
    def reach(self) -> float:
        """How far away somebody can be and still be meant, in meters."""
        return self.radius if self.radius is not None else max(self.default_radius, MAX_OWN_RADIUS_METERS)

    @property
    def strips(self) -> tuple[int, int]:
        """The first and the last strip of latitude that it reaches."""
        south, north = (self.latitude + sign * math.degrees(self.reach / EARTH_RADIUS_METERS) for sign in (-1, 1))
        return strip(max(south, -90.0)), strip(min(north, 90.0))

    @property
    def stretches(self) -> tuple[tuple[float, float], ...]:
        """The longitudes that it reaches, from west to east: two where it crosses the antimeridian."""
        angle = self.reach / EARTH_RADIUS_METERS
        away_from_pole = math.radians(90 - abs(self.latitude))
        if angle >= away_from_pole:  # a pole is within reach, and with it every longitude
            return ((-180.0, 180.0),)
        width = math.degrees(math.asin(min(1.0, math.sin(angle) / math.sin(away_from_pole)))) + 1e-9
        west, east = self.longitude - width, self.longitude + width
        if west < -180:
            return (-180.0, east), (west + 360, 180.0)
        if east > 180:
            return (west, 180.0), (-180.0, east - 360)
        return ((west, east),)


def strip(latitude: float) -> int:
    """The strip of a latitude, as the column `latitude_strip` has it."""
    return math.floor(latitude * STRIPS_PER_DEGREE)


def search(event: AcceptedEvent, near: Near) -> Search | None:
    """What an event asks for; None when it names no point."""
    point = at_path(event.data, near.point)
    latitude = _number(point, ("lat", "latitude"), 90)
    longitude = _number(point, ("lon", "lng", "longitude"), 180)
    if latitude is None or longitude is None:
        return None
    asked = at_path(event.data, near.radius)
    return Search(
        tenant=event.tenant,
        room=rooms.role(near.role),
        latitude=latitude,
        longitude=longitude,
        radius=asked if _is_number(asked) and 0 < asked <= MAX_RADIUS_METERS else None,
        default_radius=near.radius_meters,
        since=event.accepted_at - timedelta(seconds=near.max_age_seconds),
    )


def _number(point: Any, names: tuple[str, ...], bound: float) -> float | None:
    found = next((point[name] for name in names if name in point), None) if isinstance(point, dict) else None
    return float(found) if _is_number(found) and abs(found) <= bound else None


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
