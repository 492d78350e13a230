"""Events from text: one JSON object, a JSON array, or one JSON object a line."""

from __future__ import annotations

import orjson
from pydantic import ValidationError

from libs.http.problems import field_errors
from libs.schemas.events import UPSTREAM_EVENT


class NotEvents(ValueError):
    """The text holds something that is not an event; the message names the place and the field."""


def split(text: bytes) -> list[bytes]:
    """The JSON documents of a text, unchanged but for the white space around them. Raises NotEvents."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _lines(text)
    return [orjson.dumps(item) for item in document] if isinstance(document, list) else [text.strip()]


def _lines(text: bytes) -> list[bytes]:
    lines = [(number, line.strip()) for number, line in enumerate(text.splitlines(), 1) if line.strip()]
    for number, line in lines:
        try:
            orjson.loads(line)
        except orjson.JSONDecodeError as error:
            raise NotEvents(f"line {number} is not JSON: {error}") from None
    return [line for _, line in lines]


def check(events: list[bytes]) -> None:
    """Raises NotEvents for the first event that the contract refuses."""
    for number, event in enumerate(events, 1):
        try:
            UPSTREAM_EVENT.validate_json(event)
        except ValidationError as error:
            fault = field_errors(error.errors())[0]
            raise NotEvents(f"event {number}: {fault['field']}: {fault['message']}") from None
