"""A notification as a text message: how it is worded, and how many segments it takes (3GPP TS 23.038)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from services.delivery.domain.delivery import Content
from services.delivery.domain.rendering import UNTITLED, link, one_line
from services.delivery.errors import Invalid

Encoding = Literal["gsm-7", "ucs-2"]

_BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿"
    "abcdefghijklmnopqrstuvwxyzäöñüà"
)
_EXTENDED = frozenset("\f^{}\\[~]|€")  # take two places
_LIMITS: dict[Encoding, tuple[int, int]] = {"gsm-7": (160, 153), "ucs-2": (70, 67)}  # alone, and in a row
_CUT = "..."  # the ellipsis as one character would make UCS-2 of GSM-7
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
_FILLING = re.compile(r"[\s().\-/]")


@dataclass(frozen=True, slots=True)
class Segments:
    """How a text is carried, and in how many messages: each of them is paid for."""

    encoding: Encoding
    count: int


def number(phone: str | None) -> str:
    """The number in E.164. Raises Invalid."""
    if not phone or not phone.strip():
        raise Invalid("no-address")
    plain = _FILLING.sub("", phone)
    if not _E164.fullmatch(plain):
        raise Invalid("bad-address", detail="not a number with its country code")
    return plain


def sender_of(to: str, senders: Mapping[str, str], otherwise: str) -> str:
    """Who a number is written to by: `senders` by the start of numbers, the longest that fits."""
    fitting = [start for start in senders if to.startswith(start)]
    return senders[max(fitting, key=len)] if fitting else otherwise


def text(content: Content, link_base: str | None, max_segments: int) -> str:
    """Title, words and link; the words are cut where it would take more than `max_segments`."""
    title = one_line(content.title or "") or UNTITLED
    words = one_line(content.message or "")
    url = link(content.action_url, link_base)
    start = f"{title}: {words}" if words else title
    end = f" {url}" if url else ""
    if segments(start + end).count <= max_segments:
        return start + end
    kept = _longest(start, _CUT + end, max_segments)
    return f"{start[:kept].rstrip()}{_CUT}{end}" if kept else start[: _longest(start, "", max_segments)]


def segments(message: str) -> Segments:
    """Of a text as it is sent."""
    gsm = all(character in _BASIC or character in _EXTENDED for character in message)
    encoding: Encoding = "gsm-7" if gsm else "ucs-2"
    places = [_places(character, encoding) for character in message]
    alone, in_a_row = _LIMITS[encoding]
    if sum(places) <= alone:
        return Segments(encoding, 1)
    count, used = 1, 0
    for taken in places:  # what takes two places is not cut in two
        if used + taken > in_a_row:
            count, used = count + 1, 0
        used += taken
    return Segments(encoding, count)


def _places(character: str, encoding: Encoding) -> int:
    if encoding == "gsm-7":
        return 2 if character in _EXTENDED else 1
    return 2 if ord(character) > 0xFFFF else 1


def _longest(start: str, end: str, max_segments: int) -> int:
    """How much of `start` fits before `end`: more never takes fewer segments."""
    low, high = 0, len(start)
    while low < high:
        middle = (low + high + 1) // 2
        if segments(start[:middle].rstrip() + end).count <= max_segments:
            low = middle
        else:
            high = middle - 1
    return low
