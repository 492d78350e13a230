"""DKIM: mail that says whose it is (RFC 6376). The unsubscribe headers are signed too, as RFC 8058 asks."""

from __future__ import annotations

from dataclasses import replace

import dkim

from services.delivery.domain.mail import Mail

_HEADERS = [b"from", b"to", b"subject", b"date", b"message-id", b"mime-version", b"content-type", b"list-unsubscribe",
            b"list-unsubscribe-post"]  # fmt: skip


class Signer:
    """`key` is an RSA private key as PEM; its public half stands in DNS at `{selector}._domainkey.{domain}`."""

    def __init__(self, domain: str, selector: str, key: bytes) -> None:
        self._domain, self._selector, self._key = domain.encode(), selector.encode(), key
        self.signed(Mail("a@x.test", "b@x.test", b"From: a@x.test\r\n\r\n\r\n"))  # a key that cannot sign is told now

    def signed(self, mail: Mail) -> Mail:
        """The mail with its signature before all other headers. Raises dkim.DKIMException for a key that is none."""
        there = mail.message.partition(b"\r\n\r\n")[0].lower()
        included = [name for name in _HEADERS if b"\n" + name + b":" in b"\n" + there]
        signature = dkim.sign(
            mail.message,
            self._selector,
            self._domain,
            self._key,
            canonicalize=(b"relaxed", b"relaxed"),
            include_headers=included,
        )
        return replace(mail, message=signature + mail.message)
