"""A delivery as an email: its words, the link to unsubscribe by, and how it is signed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from libs.auth.links import UNSUBSCRIBE, Unsubscribe, address_hash, sign
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.mail import Mail, compose, mailbox
from services.delivery.domain.rendering import EmailRenderer


@dataclass(frozen=True, slots=True)
class Links:
    """Where unsubscribe links lead (the public origin), and what signs them."""

    origin: str
    secret: str

    def unsubscribe(self, delivery: Delivery) -> str:
        """The link of one delivery."""
        tenant, channel, to = delivery.tenant, delivery.channel, delivery.recipient
        address = address_hash(tenant, channel, to.email) if to.email else None
        asked = Unsubscribe(tenant, to.user_id, channel, delivery.content.type, delivery.id, address)
        return f"{self.origin}{UNSUBSCRIBE}{sign(asked, self.secret)}"


class Composer:
    """`sender` is (display name, address); `domain` the right side of Message-IDs; without `links` there are none."""

    def __init__(
        self,
        renderer: EmailRenderer,
        sender: tuple[str, str],
        domain: str,
        links: Links | None,
        clock: Callable[[], datetime],
    ) -> None:
        self._renderer, self._domain, self._links, self._clock = renderer, domain, links, clock
        display_name, self._sender = sender
        self._header = mailbox(display_name, self._sender)

    def compose(self, delivery: Delivery) -> Mail:
        """The same message in every attempt, but for its date. Raises Invalid."""
        unsubscribe = self._links.unsubscribe(delivery) if self._links else None
        return compose(
            delivery,
            self._renderer.render(delivery.content, delivery.recipient, unsubscribe),
            sender=self._sender,
            sender_header=self._header,
            domain=self._domain,
            now=self._clock(),
            unsubscribe=unsubscribe,
        )
