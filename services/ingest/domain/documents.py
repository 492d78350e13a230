"""Reading JSON from outside: what parses but would break a neighbour later is refused here, with its place.

PostgreSQL refuses NUL characters, orjson rounds integers beyond 64 bits and refuses to write what is nested deeply.
Looking at every value of every event costs more than the rest of ingest, so the bytes are tested first, and only a
document whose bytes are suspicious is walked.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from services.ingest.domain import refusals
from services.ingest.domain.refusals import Refused

MAX_DEPTH = 32
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_LONG_NUMBER = b"0" * 19  # 2**63 has 19 digits
_NOT_BRACKETS = bytes(code for code in range(256) if code not in b"{}[]")
_DIGITS_TO_ZERO = bytes(ord("0") if chr(code).isdigit() and code < 128 else ord(" ") for code in range(256))


class Parsed(NamedTuple):
    """A document, and whether its bytes ask for a walk before it is used."""

    value: Any
    suspicious: bool


def parse(raw: bytes | bytearray) -> Parsed | Refused:
    """The JSON value of the bytes. Integers of a suspicious document are exact, however long."""
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        return _unreadable(raw, error)
    if not _is_suspicious(raw):
        return Parsed(value, suspicious=False)
    try:
        return Parsed(json.loads(raw), suspicious=True)
    except RecursionError:
        return _too_deep(())


def _is_suspicious(raw: bytes | bytearray) -> bool:
    return b"\\u0000" in raw or _LONG_NUMBER in raw.translate(_DIGITS_TO_ZERO) or _looks_deep(raw)


def _looks_deep(raw: bytes | bytearray) -> bool:
    """Takes the innermost brackets away, level by level; what is left in the end is deep, or stands within texts."""
    if raw.count(b"{") + raw.count(b"[") <= MAX_DEPTH:
        return False
    brackets = raw.translate(None, _NOT_BRACKETS)
    for _ in range(MAX_DEPTH):
        brackets = brackets.replace(b"{}", b"").replace(b"[]", b"")
        if not brackets:
            return False
    return True


def fault(document: Any) -> Refused | None:
    """What is wrong inside a suspicious document."""
    levels: list[Iterator[tuple[str, Any]]] = [iter([("", document)])]
    path: list[str] = []
    while levels:
        found = next(levels[-1], None)
        if found is None:
            levels.pop()
            del path[-1:]
            continue
        name, value = found
        if (refused := _fault_of(name, value, path, len(levels) - 1)) is not None:
            return refused
        if isinstance(value, dict | list):
            levels.append(_children(value))
            path.append(name)
    return None


def _children(value: dict[str, Any] | list[Any]) -> Iterator[tuple[str, Any]]:
    return iter(value.items()) if isinstance(value, dict) else ((str(at), item) for at, item in enumerate(value))


def _fault_of(name: str, value: Any, path: list[str], depth: int) -> Refused | None:
    if "\0" in name:
        return Refused(refusals.NUL_CHARACTER, "a name holds a NUL character, which cannot be stored", _text(path))
    if isinstance(value, str):
        if "\0" in value:
            reason = "the text holds a NUL character, which cannot be stored"
            return Refused(refusals.NUL_CHARACTER, reason, _text([*path, name]))
    elif isinstance(value, int):
        if not _SMALLEST <= value <= _LARGEST:
            reason = "an integer does not fit in 64 bits: send it as a string"
            return Refused(refusals.NUMBER_OUT_OF_RANGE, reason, _text([*path, name]))
    elif isinstance(value, dict | list) and depth >= MAX_DEPTH:
        return _too_deep((*path, name))
    return None


def _text(path: list[str] | tuple[str, ...]) -> str | None:
    return ".".join(part for part in path if part and "\0" not in part) or None


def _too_deep(path: tuple[str, ...]) -> Refused:
    return Refused(refusals.TOO_DEEP, f"nested deeper than {MAX_DEPTH} levels", _text(path[:4]))


def _unreadable(raw: bytes | bytearray, error: orjson.JSONDecodeError) -> Refused:
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as fault_of_bytes:
        return Refused(refusals.NOT_UTF8, f"not UTF-8: {fault_of_bytes.reason} at byte {fault_of_bytes.start}")
    said = str(error)
    if "surrogate" in said:
        return Refused(refusals.LONE_SURROGATE, f"half of a surrogate pair, which is no character: {said}")
    if "depth" in said or "recursion" in said:
        return _too_deep(())
    if "infinity" in said:
        return Refused(refusals.NUMBER_OUT_OF_RANGE, f"a number is too large: {said}")
    return Refused(refusals.NOT_JSON, f"not JSON: {said}")
