"""The words of a delivery: those that the notification was given, or its type's for channel and locale.

A notification that was published with words of its own keeps them on every channel. One whose words the type filled in
(the stored ones are then those of the inbox) is worded anew for the channel and the locale, where the type has such.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from libs.catalogue.paths import masked
from libs.catalogue.texts import context, digest_texts, template, texts
from libs.catalogue.types import NotificationType
from services.delivery.domain.delivery import Delivery

#: On locked screens, by a telephone company, in rooms of colleagues: texts without the sensitive parts of the data.
_SEEN_BY_OTHERS = frozenset({"push", "sms", "slack", "discord", "teams"})
#: The type of a notification in a tenant's catalogue: tenant, key.
FindType = Callable[[str, str], NotificationType | None]


def worded(delivery: Delivery, kind: NotificationType | None) -> Delivery:
    """The delivery with the words for its channel and person. An email's MJML comes with what fills it."""
    if kind is None or not kind.templates:
        return delivery
    if delivery.content.items:
        return _collected(delivery, kind)
    content, document = delivery.content, delivery.content.document
    more = {name: document.get(name) for name in ("metadata", "actor", "related")}
    name, data = document.get("name") or kind.key, document.get("data") or {}
    values = context(data, event_name=name, **more)
    inbox = texts(kind, "in-app", values)
    if kind.sensitive and delivery.channel in _SEEN_BY_OTHERS:
        values = context(masked(data, kind.sensitive), event_name=name, **more)
    here = texts(kind, delivery.channel, values, delivery.recipient.locale)
    changed = replace(
        content,
        title=here.title if content.title == inbox.title else content.title,
        message=here.message if content.message == inbox.message else content.message,
        action=here.action,
    )
    if delivery.channel == "email" and (markup := template(kind, "email", delivery.recipient.locale).html):
        changed = replace(changed, markup=markup, values=values)
    return replace(delivery, content=changed)


def _collected(delivery: Delivery, kind: NotificationType) -> Delivery:
    """A digest with the words that the type of all its items has for one; of a single item its own stay."""
    content = delivery.content
    items = [{"title": i.title or "", "message": i.message or "", "actionUrl": i.action_url} for i in content.items]
    if len(items) < 2:
        return delivery
    title, message = digest_texts(kind, delivery.channel, items, delivery.recipient.locale)
    return replace(delivery, content=replace(content, title=title or content.title, message=message or content.message))
