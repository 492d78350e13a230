"""Push: the encryption of the specification's own example, what is carried, and what several devices make of it."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import http_ece
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, derive_private_key, generate_private_key
from hypothesis import given
from hypothesis import strategies as st

from services.delivery.adapters.push.client import PushClient
from services.delivery.domain.delivery import Content, Delivery, Device, Recipient
from services.delivery.domain.encryption import encrypt, point, unpadded
from services.delivery.domain.outcome import Sent
from services.delivery.domain.push import PushMessage, data, message
from services.delivery.errors import Fault, Invalid, Overloaded, Permanent, Retryable, Unavailable, Uncertain

pytestmark = pytest.mark.covers("F2-5", "F3-4")

NOW = datetime(2026, 11, 21, 10, tzinfo=UTC)


def _b64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def _delivery(severity: str = "normal", title: str | None = "T", body: str | None = "M", **more: object) -> Delivery:
    content = Content(UUID(int=3), "service.alert", severity, title, body, "/r")
    made = Delivery("acme", UUID(int=1), "push", UUID(int=2), 0, NOW, Recipient("ada"), content)
    return replace(made, **more)  # type: ignore[arg-type]  # fields by name


def test_the_example_of_rfc_8291() -> None:
    sender = derive_private_key(int.from_bytes(_b64("yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"), "big"), SECP256R1())
    body = encrypt(
        b"When I grow up, I want to be a watermelon",
        "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4",
        "BTBZMqHH6r4Tts7J_aSIgg",
        sender,
        _b64("DGv6ra1nlYgDCS1FRnbzlw"),
    )
    assert unpadded(body) == (
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3"
        "jl7A_yl95bQpu6cVPTpK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )


@given(st.binary(max_size=3_000), st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16))
def test_a_subscription_decrypts_what_was_encrypted_for_it(content: bytes, auth: bytes, salt: bytes) -> None:
    receiver = generate_private_key(SECP256R1())
    keys = unpadded(point(receiver)), unpadded(auth)
    body = encrypt(content, *keys, generate_private_key(SECP256R1()), salt)
    assert http_ece.decrypt(body, private_key=receiver, auth_secret=auth, version="aes128gcm") == content


@pytest.mark.parametrize("keys", [("", ""), ("AAAA", "AAAA"), ("not base64!", "AAAA"), ("ä", "ö")])
def test_keys_that_are_none(keys: tuple[str, str]) -> None:
    with pytest.raises(Invalid, match="bad-address"):
        encrypt(b"", *keys, generate_private_key(SECP256R1()), b"s" * 16)


@pytest.mark.parametrize(("urgency", "wanted"), [(3, "low"), (2, "normal"), (1, "high"), (0, "high")])
def test_urgency_is_that_of_the_delivery(urgency: int, wanted: str) -> None:
    assert message(_delivery(urgency=urgency), None, NOW).urgency == wanted


@pytest.mark.covers("B1")
def test_the_newer_of_a_collapse_key_replaces_the_older() -> None:
    def topic(number: int, key: str | None, tenant: str = "acme") -> str:
        content = Content(UUID(int=3), "service.alert", title="T", collapse_key=key)
        return message(_delivery(id=UUID(int=number), content=content, tenant=tenant), None, NOW).topic

    assert topic(1, "order 7") == topic(2, "order 7")
    assert (
        len({topic(1, "order 7"), topic(1, "order 8"), topic(1, "order 7", "other"), topic(1, None), topic(2, None)})
        == 5
    )
    assert len(topic(1, "x" * 200)) <= 32  # RFC 8030


def test_it_lives_until_it_expires_and_its_topic_stays() -> None:
    first = message(_delivery(), "https://a.test", NOW)
    assert (first.ttl, data(first)) == (86_400, {"notificationId": str(UUID(int=3)), "url": "https://a.test/r"})
    later = message(_delivery(expires_at=NOW + timedelta(hours=1), attempts=3), None, NOW)
    assert later.ttl == 3_600
    assert message(_delivery(expires_at=NOW - timedelta(1)), None, NOW).ttl == 0
    assert first.topic == later.topic
    assert len(first.topic) <= 32  # RFC 8030


@given(st.none() | st.text(max_size=5_000), st.none() | st.text(max_size=5_000))
def test_it_is_short(title: str | None, body: str | None) -> None:
    made = message(_delivery(title=title, body=body), None, NOW)
    assert made.title
    assert len(made.title.encode("utf-8", "ignore")) <= 200
    assert len(made.body.encode("utf-8", "ignore")) <= 1_800


class Scripted:
    """Answers each device with its own fault, or takes it. Implements ports.DeviceSender."""

    def __init__(self, **faults: Fault) -> None:
        self.faults, self.asked = faults, list[str]()

    async def send(self, device: Device, message: PushMessage) -> None:
        self.asked.append(device.id)
        if device.id in self.faults:
            raise self.faults[device.id]


class Noted:
    """Implements ports.Addresses."""

    def __init__(self) -> None:
        self.gone, self.taken = list[str](), list[str]()

    async def endpoint_gone(self, delivery: Delivery) -> None:
        raise AssertionError(delivery)

    async def device_gone(self, delivery: Delivery, device: Device) -> None:
        self.gone.append(device.id)

    async def reached(self, delivery: Delivery, devices: Sequence[str]) -> None:
        self.taken += devices


def _to(*devices: str, platform: str = "web", reached: tuple[str, ...] = ()) -> Delivery:
    carried = tuple(Device(name, platform, f"https://push.test/{name}") for name in devices)
    return _delivery(recipient=Recipient("ada", devices=carried), reached=reached)


async def test_a_device_that_is_gone_is_removed_and_the_others_are_reached() -> None:
    sender, noted = Scripted(old=Permanent("address-gone", code="410")), Noted()
    assert isinstance(await PushClient({"web": sender}, noted, None, lambda: NOW).send(_to("old", "new")), Sent)
    assert (noted.gone, noted.taken) == (["old"], [])


@pytest.mark.parametrize("fault", [Retryable("a"), Overloaded("b"), Unavailable("c"), Uncertain("d")])
async def test_only_who_was_not_reached_is_asked_again(fault: Fault) -> None:
    sender, noted = Scripted(b=fault), Noted()
    client = PushClient({"web": sender}, noted, None, lambda: NOW)
    with pytest.raises(type(fault)):
        await client.send(_to("a", "b"))
    assert noted.taken == ["a"]
    sender.faults.clear()
    assert isinstance(await client.send(_to("a", "b", reached=("a",))), Sent)
    assert sender.asked == ["a", "b", "b"]


async def test_when_nobody_can_be_reached() -> None:
    noted = Noted()
    client = PushClient({"web": Scripted(a=Permanent("address-gone"))}, noted, None, lambda: NOW)
    for sent, reason in ((_to("a"), "address-gone"), (_to(), "no-address"), (_to("x", platform="apns"), "no-provider")):
        with pytest.raises((Permanent, Invalid), match=reason):
            await client.send(sent)
    assert isinstance(await client.send(_to("a", reached=("a",))), Sent)
