"""The words of a delivery: those that the notification was given, or its type's for channel and locale.

A notification that was published with words of its own keeps them on every channel. One whose words the type filled in
(the stored ones are then those of the inbox) is worded anew for the channel and the locale, where the type has such.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from libs.catalogue.texts import context, template, texts
from libs.catalogue.types import NotificationType
from services.delivery.domain.delivery import Delivery

#: The type of a notification in a tenant's catalogue: tenant, key.
FindType = Callable[[str, str], NotificationType | None]


def worded(delivery: Delivery, kind: NotificationType | None) -> Delivery:
    """The delivery with the words for its channel and person. An email's MJML comes with what fills it."""
    if kind is None or not kind.templates:
        return delivery
    content, document = delivery.content, delivery.content.document
    more = {name: document.get(name) for name in ("metadata", "actor", "related")}
    values = context(document.get("data"), event_name=document.get("name") or kind.key, **more)
    inbox = texts(kind, "in-app", values)
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
