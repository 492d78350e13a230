"""Web Push messages encrypted per CPU-second (RFC 8291), each for a subscription of its own, with a new key and salt.

Beside it the same by pywebpush alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from pywebpush import WebPusher

from bench.result import Result
from services.delivery.domain.encryption import encrypt, point, unpadded

COUNT, SUBSCRIPTIONS, ROUNDS = 2_000, 200, 3
_CONTENT = b'{"title":"Your report is ready","body":"It covers sales, returns and the warehouse.","notificationId":"1"}'


async def measure() -> list[Result]:
    """The best of some rounds of each, by turns: what else the machine does costs both."""
    keys = [
        (unpadded(point(generate_private_key(SECP256R1()))), unpadded(os.urandom(16))) for _ in range(SUBSCRIPTIONS)
    ]
    rounds = [(_seconds(_ours, keys), _seconds(_pywebpush, keys)) for _ in range(ROUNDS)]
    ours, theirs = (min(times) for times in zip(*rounds, strict=True))
    return [
        Result("push encryption", COUNT / ours, "messages/CPU-s", ours, {"pywebpush": COUNT / theirs}, COUNT / theirs)
    ]


def _seconds(encrypted: Callable[[str, str], bytes], keys: list[tuple[str, str]]) -> float:
    started = time.process_time()
    for n in range(COUNT):
        assert len(encrypted(*keys[n % SUBSCRIPTIONS])) > len(_CONTENT)
    return time.process_time() - started


def _ours(p256dh: str, auth: str) -> bytes:
    return encrypt(_CONTENT, p256dh, auth, generate_private_key(SECP256R1()), os.urandom(16))


def _pywebpush(p256dh: str, auth: str) -> bytes:
    subscription = {"endpoint": "https://push.example.test/1", "keys": {"p256dh": p256dh, "auth": auth}}
    body: bytes = WebPusher(subscription).encode(_CONTENT)["body"]
    return body
