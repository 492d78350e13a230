"""Amazon SNS messages and the events of SES in them."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from services.ingest.domain.reports import Event, Report

PROVIDER = "ses"
_AMAZONS = re.compile(r"https://sns\.[a-z0-9-]{1,40}\.amazonaws\.com(\.cn)?/[A-Za-z0-9_./?=&%:-]+")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type"),
}
_HASHES: dict[object, hashes.HashAlgorithm] = {"1": hashes.SHA1(), "2": hashes.SHA256()}  # noqa: S303 - as Amazon signs


def is_amazons(url: object) -> bool:
    """Whether an address that a message names may be asked at all."""
    return isinstance(url, str) and _AMAZONS.fullmatch(url) is not None


def is_signed(message: Mapping[str, Any], certificate: bytes) -> bool:
    """Whether the holder of the certificate (PEM) signed the message."""
    algorithm, names = _HASHES.get(message.get("SignatureVersion")), _SIGNED.get(str(message.get("Type")))
    if algorithm is None or names is None:
        return False
    text = "".join(f"{name}\n{message[name]}\n" for name in names if message.get(name) is not None)
    try:
        key = x509.load_pem_x509_certificate(certificate).public_key()
        signature = base64.b64decode(str(message.get("Signature")), validate=True)
        if not isinstance(key, RSAPublicKey):
            return False
        key.verify(signature, text.encode(), PKCS1v15(), algorithm)
    except (InvalidSignature, ValueError, binascii.Error):
        return False
    return True


def reports(message: Mapping[str, Any]) -> list[Report]:
    """What SES says in a notification, one for each recipient; none where it is of no interest."""
    try:
        said = orjson.loads(str(message.get("Message")))
        kind = said.get("eventType") or said.get("notificationType")
        mail, part = said["mail"], said[str(kind).lower()]
        event = _event(str(kind), part)
        if event is None:
            return []
        delivery, message_id = _delivery(mail.get("tags") or {}), str(mail["messageId"])
        return [
            Report(event, PROVIDER, delivery, message_id, str(who["emailAddress"]) if who else None, _code(part))
            for who in part.get("bouncedRecipients") or part.get("complainedRecipients") or [None]
        ]
    except (orjson.JSONDecodeError, KeyError, TypeError, AttributeError, ValueError):
        return []


def _event(kind: str, part: Mapping[str, Any]) -> Event | None:
    match kind:
        case "Delivery":
            return "delivered"
        case "Complaint":
            return "complained"
        case "Reject":
            return "failed"
        case "Bounce":
            return "bounced" if part.get("bounceType") == "Permanent" else None  # others may be gone tomorrow
        case _:
            return None


def _code(part: Mapping[str, Any]) -> str | None:
    found = part.get("bounceSubType") or part.get("complaintFeedbackType")
    return found if isinstance(found, str) and found.replace("-", "").isalnum() else None


def _delivery(tags: Mapping[str, Any]) -> tuple[str, UUID] | None:
    tenant, delivery = tags.get("carillon-tenant"), tags.get("carillon-delivery")
    return (str(tenant[0]), UUID(str(delivery[0]))) if tenant and delivery else None
