"""Signatures of Standard Webhooks, and secrets that cannot sign."""

from __future__ import annotations

import pytest

from libs.outbound.signing import BadSecret, signature, signed

pytestmark = pytest.mark.covers("F2-5", "S15")

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def test_the_signature_of_the_specification() -> None:
    made = signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}')
    assert made == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_every_secret_signs() -> None:
    headers = signed("id", 7, b"{}", [SECRET, "whsec_" + "QUJD" * 8])
    assert len(headers["webhook-signature"].split()) == 2
    assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("id", "7")


@pytest.mark.parametrize("secrets", [[], ["whsec_"], ["whsec_not base64"]])
def test_what_cannot_sign(secrets: list[str]) -> None:
    with pytest.raises(BadSecret):
        signed("id", 7, b"{}", secrets)
