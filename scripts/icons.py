"""Draws the pictures of notification types into services/gateway/icons: `python scripts/icons.py`.

Each is a few strokes on a grid of 24 by 24, white on a rounded square, so that nobody else's drawing is in them.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

FOLDER = Path(__file__).resolve().parent.parent / "services" / "gateway" / "icons"
SIZE = 96  # pixels
_GRID = 24.0
_WIDTH = 1.6  # of a stroke, on the grid
_INK, _GROUND = (255, 255, 255), (31, 95, 191)

Point = tuple[float, float]
#: The distance of a point from a stroke.
Stroke = Callable[[float, float], float]


def line(*points: float) -> Stroke:
    """Through these points (x, y, x, y, …)."""
    corners = list(zip(points[::2], points[1::2], strict=True))
    return lambda x, y: min(_to_segment(x, y, a, b) for a, b in pairwise(corners))


def shape(*points: float) -> Stroke:
    """As `line`, and back to where it began."""
    return line(*points, *points[:2])


def ring(x0: float, y0: float, radius: float) -> Stroke:
    """A circle's edge."""
    return lambda x, y: abs(math.hypot(x - x0, y - y0) - radius)


def arc(x0: float, y0: float, radius: float, begin: float, end: float) -> Stroke:
    """A part of a circle's edge, from one angle to another (degrees, clockwise from the right)."""
    steps = [math.radians(begin + (end - begin) * n / 16) for n in range(17)]
    return line(*(c for a in steps for c in (x0 + radius * math.cos(a), y0 + radius * math.sin(a))))


def dot(x0: float, y0: float) -> Stroke:
    """A point."""
    return lambda x, y: math.hypot(x - x0, y - y0) - 0.3


def _to_segment(x: float, y: float, a: Point, b: Point) -> float:
    dx, dy = b[0] - a[0], b[1] - a[1]
    along = ((x - a[0]) * dx + (y - a[1]) * dy) / (dx * dx + dy * dy or 1)
    along = min(1.0, max(0.0, along))
    return math.hypot(x - a[0] - along * dx, y - a[1] - along * dy)


_HEAD = (ring(12, 9, 3.2), arc(12, 19, 6, 180, 360))
ICONS: dict[str, tuple[Stroke, ...]] = {
    "alert-triangle": (shape(12, 5, 20, 19, 4, 19), line(12, 10, 12, 14), dot(12, 16.6)),
    "at-sign": (ring(12, 12, 3), line(15, 9, 15, 13), arc(17, 13, 2, 180, 0), arc(12, 12, 7.2, -5, -305)),
    "bell": (line(5, 17, 19, 17), line(7, 17, 7, 11), line(17, 17, 17, 11), arc(12, 11, 5, 180, 360),
             line(11, 20, 13, 20)),
    "bot": (shape(6, 10, 18, 10, 18, 18, 6, 18), line(12, 10, 12, 6), dot(12, 5.5), dot(9.5, 13.5), dot(14.5, 13.5)),
    "box": (shape(5, 8, 12, 5, 19, 8, 19, 16, 12, 19, 5, 16), line(5, 8, 12, 11, 19, 8), line(12, 11, 12, 19)),
    "building": (shape(7, 5, 17, 5, 17, 19, 7, 19), dot(10, 9), dot(14, 9), dot(10, 12.5), dot(14, 12.5),
                 line(12, 16, 12, 19)),
    "calendar": (shape(5, 7, 19, 7, 19, 19, 5, 19), line(5, 11, 19, 11), line(9, 5, 9, 8), line(15, 5, 15, 8)),
    "check-circle": (ring(12, 12, 7.5), line(8.5, 12.2, 11, 14.7, 15.6, 9.6)),
    "clipboard": (shape(7, 6, 17, 6, 17, 19, 7, 19), line(10, 5, 14, 5), line(10, 11, 14, 11), line(10, 15, 14, 15)),
    "clock": (ring(12, 12, 7.5), line(12, 7.5, 12, 12, 15, 14)),
    "credit-card": (shape(4.5, 7, 19.5, 7, 19.5, 17, 4.5, 17), line(4.5, 10.5, 19.5, 10.5), line(7.5, 14, 11, 14)),
    "folder": (shape(5, 7, 10, 7, 12, 9, 19, 9, 19, 18, 5, 18),),
    "help-circle": (ring(12, 12, 7.5), arc(12, 10.2, 2.2, 180, 400), line(12, 12.4, 12, 13.4), dot(12, 15.8)),
    "mail": (shape(4.5, 7, 19.5, 7, 19.5, 17, 4.5, 17), line(4.5, 7.5, 12, 13, 19.5, 7.5)),
    "map-pin": (arc(12, 10, 5, 165, 375), line(7.2, 11.3, 12, 19, 16.8, 11.3), ring(12, 10, 1.6)),
    "megaphone": (shape(5, 10, 10, 10, 18, 6, 18, 17, 10, 13.5, 5, 13.5), line(8, 14, 9.5, 19)),
    "message-circle": (arc(12, 11.5, 7, 120, 420), line(8.5, 17.6, 7, 20, 12, 18.5)),
    "package": (shape(5, 8, 12, 5, 19, 8, 19, 16, 12, 19, 5, 16), line(5, 8, 12, 11, 19, 8), line(8.5, 6.5, 15.5, 9.5)),
    "plug": (line(9, 5, 9, 9), line(15, 5, 15, 9), line(7, 9, 17, 9), arc(12, 10, 4.5, 0, 180), line(12, 15, 12, 19)),
    "shield": (shape(12, 4.5, 18, 7, 18, 12, 15.5, 16.5, 12, 19.5, 8.5, 16.5, 6, 12, 6, 7),),
    "shopping-cart": (line(4, 6, 6.5, 6, 8.5, 15, 17, 15, 19, 9, 7.2, 9), ring(9.5, 18, 0.9), ring(16, 18, 0.9)),
    "star": (shape(12, 4.5, 14.2, 9.4, 19.5, 10, 15.6, 13.6, 16.7, 18.8, 12, 16.2, 7.3, 18.8, 8.4, 13.6, 4.5, 10,
                   9.8, 9.4),),
    "target": (ring(12, 12, 7.5), ring(12, 12, 4), dot(12, 12)),
    "user": _HEAD,
    "user-plus": (ring(10, 9, 3), arc(10, 18.5, 5, 180, 360), line(18, 9, 18, 14), line(15.5, 11.5, 20.5, 11.5)),
    "wrench": (line(6, 18, 12.5, 11.5), arc(15, 9, 3.6, -30, 300), line(15.2, 8.8, 18, 6)),
    "x-circle": (ring(12, 12, 7.5), line(9.2, 9.2, 14.8, 14.8), line(14.8, 9.2, 9.2, 14.8)),
}  # fmt: skip


def draw(strokes: tuple[Stroke, ...]) -> bytes:
    """A PNG."""
    rows = b"".join(b"\0" + bytes(_row(strokes, y)) for y in range(SIZE))
    head = struct.pack(">2I5B", SIZE, SIZE, 8, 6, 0, 0, 0)  # eight bits each of red, green, blue and opacity
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(rows, 9)) + _chunk(b"IEND", b"")


def _row(strokes: tuple[Stroke, ...], row: int) -> Iterator[int]:
    scale = _GRID / SIZE
    for column in range(SIZE):
        x, y = (column + 0.5) * scale, (row + 0.5) * scale
        ink = _covered((_WIDTH / 2 - min(stroke(x, y) for stroke in strokes)) / scale)
        yield from (round(g + (i - g) * ink) for g, i in zip(_GROUND, _INK, strict=True))
        yield round(255 * _covered(-_outside(x, y) / scale))


def _outside(x: float, y: float) -> float:
    """How far a point is outside the rounded square."""
    corner = 5.0
    dx, dy = (abs(c - _GRID / 2) - (_GRID / 2 - corner) for c in (x, y))
    return math.hypot(max(dx, 0), max(dy, 0)) - corner


def _covered(pixels: float) -> float:
    return min(1.0, max(0.0, pixels + 0.5))


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def main() -> None:
    """Writes all of them."""
    FOLDER.mkdir(exist_ok=True)
    for name, strokes in ICONS.items():
        (FOLDER / f"{name}.png").write_bytes(draw(strokes))


if __name__ == "__main__":
    main()
