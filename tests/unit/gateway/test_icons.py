"""There is a picture at `/icons/{icon}.png` for every type of the catalogue, and each is one that was drawn (F1-2)."""

from __future__ import annotations

import struct
import zlib

import httpx
import pytest

from libs.catalogue.catalogue import shipped
from libs.runtime.health import Health
from scripts.icons import FOLDER, ICONS, SIZE, draw
from services.gateway.entrypoints import application

pytestmark = pytest.mark.covers("F1-2")

NAMED = sorted({kind.icon for kind in shipped().types} | {"bell"})


def pixels(png: bytes) -> bytes:
    at, packed = 8, b""
    while at < len(png):
        (size,) = struct.unpack(">I", png[at : at + 4])
        if png[at + 4 : at + 8] == b"IDAT":
            packed += png[at + 8 : at + 8 + size]
        at += 12 + size
    return zlib.decompress(packed)


def test_every_picture_is_drawn_by_the_script() -> None:
    assert FOLDER == application.ICONS
    assert sorted(path.stem for path in FOLDER.iterdir()) == sorted(ICONS)
    for name in ("bell", "star"):  # one takes a tenth of a second
        assert pixels((FOLDER / f"{name}.png").read_bytes()) == pixels(draw(ICONS[name]))


async def test_every_type_s_picture_is_served() -> None:
    transport = httpx.ASGITransport(application.application(Health(), [], [], ()))
    async with httpx.AsyncClient(transport=transport, base_url="http://gateway") as http:
        for name in NAMED:
            answer = await http.get(f"/icons/{name}.png")
            assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png"), name
            assert struct.unpack(">2I", answer.content[16:24]) == (SIZE, SIZE)
        assert (await http.get("/icons/nothing.png")).status_code == 404
        assert (await http.get("/icons/..%2fapp.py")).status_code == 404
