"""Encryption of Web Push messages: aes128gcm, one record (RFC 8291, RFC 8188)."""

from __future__ import annotations

import base64
import binascii

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDH,
    SECP256R1,
    EllipticCurvePrivateKey,
    EllipticCurvePublicKey,
)
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from services.delivery.errors import Invalid

_RECORD_SIZE = 4_096
_LAST = b"\x02"


def encrypt(content: bytes, p256dh: str, auth: str, sender: EllipticCurvePrivateKey, salt: bytes) -> bytes:
    """The body of a push for the subscription with these keys (base64url).

    `sender` is a key and `salt` are 16 random bytes for this message alone. Raises Invalid for keys that are none.
    """
    receiver_point, secret = _decoded(p256dh), _decoded(auth)
    try:
        receiver = EllipticCurvePublicKey.from_encoded_point(SECP256R1(), receiver_point)
    except ValueError:
        raise Invalid("bad-address", detail="the subscription's key is no point of the curve") from None
    sender_point = point(sender)
    shared = sender.exchange(ECDH(), receiver)
    key_material = _derived(shared, secret, b"WebPush: info\0" + receiver_point + sender_point, 32)
    key = _derived(key_material, salt, b"Content-Encoding: aes128gcm\0", 16)
    nonce = _derived(key_material, salt, b"Content-Encoding: nonce\0", 12)
    head = salt + _RECORD_SIZE.to_bytes(4, "big") + len(sender_point).to_bytes(1, "big") + sender_point
    return head + AESGCM(key).encrypt(nonce, content + _LAST, None)


def point(key: EllipticCurvePrivateKey) -> bytes:
    """The public key as an uncompressed point, 65 bytes."""
    return key.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def unpadded(data: bytes) -> str:
    """base64url without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _derived(material: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt, info).derive(material)


def _decoded(text: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(text.rstrip("=") + "=" * (-len(text.rstrip("=")) % 4))
    except (binascii.Error, ValueError):
        raise Invalid("bad-address", detail="the subscription's keys are not base64") from None
