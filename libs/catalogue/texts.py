"""The texts of a notification: the first locale that has any, and in it the channel's own before the default (S7).

Languages are never mixed within one text: a locale's texts are used together or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from libs.catalogue.rendering import NotRendered, render
from libs.catalogue.types import DEFAULT, NotificationType, Template

_PLAIN = Template(title="Resource Updated", message="{{ event_name }} occurred")


class Texts(NamedTuple):
    """What a type says of an event. `action` is what a button to the notification's address says, if it is named."""

    title: str
    message: str
    action: str | None = None


def context(data: Mapping[str, Any] | None, *, event_name: str, **more: Any) -> dict[str, Any]:
    """What templates see: the members of `data`, `event_name`, and what else is given, such as `metadata`."""
    return {**(data or {}), "data": data or {}, **more, "event_name": event_name}


def fallbacks(locale: str | None) -> Iterator[str]:
    """The locales to look for, the best first: `de-AT`, `de`, `default`."""
    parts = locale.replace("_", "-").split("-") if locale else []
    yield from ("-".join(parts[:length]) for length in range(len(parts), 0, -1))
    yield DEFAULT


def template(kind: NotificationType, channel: str, locale: str | None = None) -> Template:
    """The texts for a channel in the first locale that the type has, completed from that locale's default ones."""
    for wanted in fallbacks(locale):
        of_locale: Mapping[Any, Template] = kind.templates.get(wanted, {})
        own, shared = of_locale.get(channel), of_locale.get(DEFAULT)
        if own is None or shared is None:
            if (found := own or shared) is not None:
                return found
            continue
        return shared.model_copy(update=own.model_dump(exclude_none=True))
    return Template()


def texts(kind: NotificationType, channel: str, values: Mapping[str, Any], locale: str | None = None) -> Texts:
    """The filled texts. One that misses a path falls back to the default locale's, then to the plain one.

    `values` are those of `context`.
    """
    ladder = (template(kind, channel, locale), template(kind, DEFAULT), _PLAIN)
    title, message = (_first(ladder, part, values) for part in ("title", "message"))
    return Texts(title or "", message or "", _first(ladder, "action", values))


def digest_texts(
    kind: NotificationType, channel: str, items: Sequence[Mapping[str, Any]], locale: str | None = None
) -> tuple[str | None, str | None]:
    """Title and message of a digest of these items, by the same ladder; None where the type has none that fits."""
    ladder, values = (template(kind, channel, locale), template(kind, DEFAULT)), {"items": items, "count": len(items)}
    return _first(ladder, "digest_title", values), _first(ladder, "digest_message", values)


def _first(ladder: Sequence[Template], part: str, values: Mapping[str, Any]) -> str | None:
    for step in ladder:
        source = getattr(step, part)
        try:
            filled = render(source, values) if source else ""
        except NotRendered:
            continue
        if filled:
            return filled
    return None
