"""Why an event is refused: codes, the field at fault, and how pydantic's findings become one of them."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import ValidationError

NOT_UTF8 = "not-utf8"
NOT_JSON = "not-json"
NOT_AN_OBJECT = "not-an-object"
NO_VALUE = "no-value"
NUL_CHARACTER = "nul-character"
LONE_SURROGATE = "lone-surrogate"
TOO_DEEP = "too-deep"
NUMBER_OUT_OF_RANGE = "number-out-of-range"
TOO_LARGE = "too-large"
WRONG_EVENT = "wrong-event"
MISSING_FIELD = "missing-field"
TIMESTAMP_WITHOUT_ZONE = "timestamp-without-zone"
WRONG_SEVERITY = "wrong-severity"
TOO_MANY_RECIPIENTS = "too-many-recipients"
INVALID_FIELD = "invalid-field"
UNREGISTERED_NAME = "unregistered-name"
UNKNOWN_TYPE = "unknown-type"
UNKNOWN_TENANT = "unknown-tenant"
TENANT_NOT_ALLOWED = "tenant-not-allowed"
PLATFORM_NOT_ALLOWED = "platform-not-allowed"
INVALID_HEADER = "invalid-header"
NOT_STORABLE = "not-storable"
INVALID_KEY = "invalid-key"
NOT_A_LIST = "not-a-list"
TOO_MANY = "too-many"
RESERVED_EVENT = "reserved-event"

#: Fields that any of the lists in `recipients` may be at fault in.
_RECIPIENTS = "recipients"
_WITHOUT_TAG = frozenset({"union_tag_invalid", "union_tag_not_found", "model_type", "model_attributes_type"})


class Refused(NamedTuple):
    """An event that is not accepted. `field` is a path like `data.metadata.timestamp`, None when it is about all.

    `tenant` is told where the tenant is the reason.
    """

    code: str
    reason: str
    field: str | None = None
    tenant: str | None = None


def from_validation(error: ValidationError) -> Refused:
    """The first finding as a refusal. The reason never repeats a value, only what was expected."""
    finding = error.errors(include_url=False, include_input=False, include_context=False)[0]
    kind, place = finding["type"], tuple(str(part) for part in finding["loc"])
    if not place or kind in _WITHOUT_TAG:
        return _about_the_event(kind, place)
    path = place[1:]  # the first part is the event's name, by which the model was chosen
    return Refused(_code(kind, path), finding["msg"], ".".join(path))


def from_entry(error: ValidationError) -> Refused:
    """The first finding in an entry of the directory."""
    finding = error.errors(include_url=False, include_input=False, include_context=False)[0]
    kind, place = finding["type"], ".".join(str(part) for part in finding["loc"][1:])
    if kind in ("union_tag_invalid", "union_tag_not_found"):
        return Refused(INVALID_FIELD, "the kind is one of user, org, membership or device", "kind")
    if not place:
        return Refused(NOT_AN_OBJECT, "a JSON object was expected")
    return Refused(MISSING_FIELD if kind == "missing" else INVALID_FIELD, finding["msg"], place)


def _about_the_event(kind: str, place: tuple[str, ...]) -> Refused:
    if kind == "union_tag_invalid":
        names = "system.notification, service.event, service.alert or agent.event"
        return Refused(WRONG_EVENT, f"the event is not one of {names}", "event")
    if kind == "union_tag_not_found":
        return Refused(MISSING_FIELD, "Field required", "event")
    return Refused(NOT_AN_OBJECT, "a JSON object was expected", ".".join(place[1:]) or None)


def _code(kind: str, path: tuple[str, ...]) -> str:
    if kind == "missing":
        return MISSING_FIELD
    if kind == "timezone_aware":
        return TIMESTAMP_WITHOUT_ZONE
    if kind == "too_long" and _RECIPIENTS in path:
        return TOO_MANY_RECIPIENTS
    if path == ("data", "severity"):
        return WRONG_SEVERITY
    return INVALID_FIELD
