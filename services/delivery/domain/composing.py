"""A delivery as an email: its words, the link to unsubscribe by, and the picture that tells that it was opened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from libs.auth.links import OPENS, UNSUBSCRIBE, Opened, Unsubscribe, address_hash, sign, sign_opened
from services.delivery.domain.delivery import Delivery
from services.delivery.domain.mail import Mail, compose, mailbox
from services.delivery.domain.rendering import EmailRenderer, with_picture


@dataclass(frozen=True, slots=True)
class Links:
    """Where links lead (the public origin), and what signs them."""

    origin: str
    secret: str

    def unsubscribe(self, delivery: Delivery) -> str:
        """The link of one delivery."""
        tenant, channel, to = delivery.tenant, delivery.channel, delivery.recipient
        address = address_hash(tenant, channel, to.email) if to.email else None
        asked = Unsubscribe(tenant, to.user_id, channel, delivery.content.type, delivery.id, address)
        return f"{self.origin}{UNSUBSCRIBE}{sign(asked, self.secret)}"

    def picture(self, delivery: Delivery) -> str:
        """The address of what a mail program fetches as it shows the delivery."""
        return f"{self.origin}{OPENS}{sign_opened(Opened(delivery.tenant, delivery.id), self.secret)}"


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
        text = self._renderer.render(delivery.content, delivery.recipient, unsubscribe)
        if self._links and delivery.opens:
            text = replace(text, html=with_picture(text.html, self._links.picture(delivery)))
        return compose(
            delivery,
            text,
            sender=self._sender,
            sender_header=self._header,
            domain=self._domain,
            now=self._clock(),
            unsubscribe=unsubscribe,
        )
