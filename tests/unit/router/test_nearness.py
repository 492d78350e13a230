"""Strips and stretches hold everybody within the distance, on every part of the earth."""

import math
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from libs.catalogue.types import Near
from services.router.domain.nearness import EARTH_RADIUS_METERS, Search, search, strip
from tests.unit.router.events import NOW, accepted

pytestmark = pytest.mark.covers("F4-2")

latitudes = st.floats(-90, 90) | st.sampled_from([-90.0, 90.0, 0.0, 89.9999])
longitudes = st.floats(-180, 180) | st.sampled_from([-180.0, 180.0, 179.9999, -179.9999])
radii = st.floats(1, 1_000_000)


def searching(latitude: float, longitude: float, radius: float) -> Search:
    return Search("t", "role:r", latitude, longitude, radius, 1.0, NOW)


def destination(latitude: float, longitude: float, bearing: float, meters: float) -> tuple[float, float]:
    """Where one gets by going so far in a direction."""
    lat, lon, way = math.radians(latitude), math.radians(longitude), meters / EARTH_RADIUS_METERS
    north = math.asin(
        max(-1, min(1, math.sin(lat) * math.cos(way) + math.cos(lat) * math.sin(way) * math.cos(bearing)))
    )
    east = math.atan2(
        math.sin(bearing) * math.sin(way) * math.cos(lat), math.cos(way) - math.sin(lat) * math.sin(north)
    )
    return math.degrees(north), (math.degrees(lon + east) + 540) % 360 - 180


@given(latitudes, longitudes, radii, st.floats(0, 2 * math.pi), st.floats(0, 0.999))
def test_whoever_is_within_the_distance_is_within_the_box(
    latitude: float, longitude: float, radius: float, bearing: float, share: float
) -> None:
    near = searching(latitude, longitude, radius)
    there = destination(latitude, longitude, bearing, radius * share)
    low, high = near.strips
    assert low <= strip(there[0]) <= high
    assert any(west - 1e-6 <= there[1] <= east + 1e-6 for west, east in near.stretches)


@given(latitudes, longitudes, radii)
def test_a_box_is_bounded_and_on_the_map(latitude: float, longitude: float, radius: float) -> None:
    near = searching(latitude, longitude, radius)
    low, high = near.strips
    assert -900 <= low <= high <= 900
    assert high - low <= 2 * math.degrees(radius / EARTH_RADIUS_METERS) * 10 + 1
    assert all(-180 <= west <= east <= 180 for west, east in near.stretches)
    assert len(near.stretches) <= 2


def test_the_antimeridian_and_the_poles() -> None:
    assert len(searching(0, 179.99, 10_000).stretches) == 2
    assert len(searching(0, 170, 10_000).stretches) == 1
    assert searching(89.99, 40, 10_000).stretches == ((-180.0, 180.0),)


@pytest.mark.parametrize(
    ("data", "radius"),
    [
        ({"location": {"lat": 1, "lon": 2}}, None),
        ({"location": {"latitude": 1, "lng": 2}, "radiusMeters": 50}, 50),
        ({"location": {"lat": 1, "lon": 2}, "radiusMeters": -1}, None),
        ({"location": {"lat": 1, "lon": 2}, "radiusMeters": "far"}, None),
        ({"location": {"lat": 1, "lon": 2}, "radiusMeters": 2e6}, None),
    ],
)
def test_the_radius_is_the_events_where_it_has_one(data: dict[str, object], radius: float | None) -> None:
    found = search(accepted(name="nearby-job", data=data), Near(role="r", radius_meters=7, max_age_seconds=60))
    assert found is not None
    assert (found.latitude, found.longitude, found.radius, found.default_radius) == (1, 2, radius, 7)
    assert found.since == NOW - timedelta(seconds=60)


WRONG: list[object] = [None, [], {}, {"lat": 1}, {"lat": "1", "lon": 2}, {"lat": 91, "lon": 0}, {"lat": 0, "lon": 181},
         {"lat": float("nan"), "lon": 0}, {"lat": True, "lon": 0}]  # fmt: skip


@pytest.mark.parametrize("point", WRONG)
def test_without_a_point_nobody_is_looked_for(point: object) -> None:
    assert search(accepted(name="nearby-job", data={"location": point}), Near(role="r")) is None
