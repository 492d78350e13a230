"""Call-backs of providers: whose they are, and what they say."""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.serialization import Encoding

from libs.runtime.clock import utc_now
from services.ingest.domain.callbacks import amazon, twilio
from services.ingest.domain.reports import Report
from services.ingest.handlers.callbacks import Callbacks, NotTheirs

pytestmark = pytest.mark.covers("B6", "F2-5")

DELIVERY = "6f3c0b1e-0000-4000-8000-000000000001"
URL = f"https://api.example.test/api/v1/callbacks/twilio/status?tenant=acme&delivery={DELIVERY}"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:bounces"
KEY = rsa.generate_private_key(65537, 2048)


def signed_by(token: str, url: str, form: list[tuple[str, str]]) -> str:
    text = url + "".join(name + value for name, value in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def test_twilios_own_example_is_taken() -> None:
    """https://www.twilio.com/docs/usage/security: the parameters, the address and the token of its example."""
    form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+12349013030"),
        ("Digits", "1234"),
        ("From", "+12349013030"),
        ("To", "+18005551212"),
    ]
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert twilio.is_signed("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", url, form, "12345")
    assert not twilio.is_signed("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", url, form, "12346")
    assert not twilio.is_signed("0/KCTR6DLpKmkAf8muzZqo1nDgQ=", url + "3", form, "12345")
    assert not twilio.is_signed("", url, [*form, ("To", "+1")], "12345")


@pytest.mark.parametrize(
    ("said", "event"),
    [
        ({"MessageStatus": "delivered"}, "delivered"),
        ({"MessageStatus": "sent"}, "sent"),
        ({"MessageStatus": "undelivered", "ErrorCode": "30008"}, "failed"),
        ({"MessageStatus": "undelivered", "ErrorCode": "30006"}, "bounced"),
        ({"MessageStatus": "failed", "ErrorCode": "21610"}, "opted-out"),
        ({"MessageStatus": "queued"}, None),
        ({}, None),
    ],
)
def test_what_a_status_says(said: dict[str, str], event: str | None) -> None:
    found = twilio.report([("MessageSid", "SM1"), ("To", "+15005550001"), *said.items()], "acme", DELIVERY)
    assert (found and found.event) == event
    if found:
        assert (found.delivery, found.message_id, found.address) == (("acme", UUID(DELIVERY)), "SM1", "+15005550001")


@pytest.mark.parametrize(
    ("said", "out"),
    [
        ({"Body": " stop "}, True),
        ({"Body": "Unsubscribe"}, True),
        ({"Body": "no", "OptOutType": "STOP"}, True),
        ({"Body": "START"}, False),
        ({"Body": "please stop this"}, None),
        ({}, None),
    ],
)
def test_what_people_answer(said: dict[str, str], out: bool | None) -> None:
    found = twilio.answer([("From", "+15005550001"), *said.items()])
    assert (found.out if found else None) == out


def certificate() -> bytes:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = utc_now()
    builder = x509.CertificateBuilder(name, name, KEY.public_key(), 1, now, now + timedelta(days=1))
    return builder.sign(KEY, hashes.SHA256()).public_bytes(Encoding.PEM)


CERTIFICATE = certificate()


def sns(event: dict[str, Any], version: str = "2", **changed: Any) -> dict[str, Any]:
    message: dict[str, Any] = {
        "Type": "Notification",
        "MessageId": "m1",
        "TopicArn": TOPIC,
        "Message": orjson.dumps(event).decode(),
        "Timestamp": "2026-01-01T00:00:00.000Z",
        "SignatureVersion": version,
        "SigningCertURL": "https://sns.eu-central-1.amazonaws.com/SimpleNotificationService-1.pem",
    } | changed
    names = amazon._SIGNED[message["Type"]]
    text = "".join(f"{name}\n{message[name]}\n" for name in names if name in message)
    algorithm = hashes.SHA1() if version == "1" else hashes.SHA256()
    return message | {"Signature": base64.b64encode(KEY.sign(text.encode(), PKCS1v15(), algorithm)).decode()}


MAIL = {"messageId": "ses-1", "tags": {"carillon-tenant": ["acme"], "carillon-delivery": [DELIVERY]}}


def bounce(kind: str = "Permanent") -> dict[str, Any]:
    part = {"bounceType": kind, "bounceSubType": "NoEmail", "bouncedRecipients": [{"emailAddress": "ada@example.test"}]}
    return {"eventType": "Bounce", "mail": MAIL, "bounce": part}


@pytest.mark.parametrize("version", ["1", "2"])
def test_what_amazon_signed_is_taken_and_nothing_else(version: str) -> None:
    message = sns(bounce(), version)
    assert amazon.is_signed(message, CERTIFICATE)
    assert not amazon.is_signed(message | {"Message": "{}"}, CERTIFICATE)
    assert not amazon.is_signed(message | {"Type": "Other"}, CERTIFICATE)
    assert not amazon.is_signed(message | {"Signature": "nonsense"}, CERTIFICATE)
    assert not amazon.is_signed(message, b"no certificate")


@pytest.mark.parametrize(
    "url",
    [
        "https://sns.evil.test/a.pem",
        "http://sns.eu-central-1.amazonaws.com/a.pem",
        "https://sns.eu-central-1.amazonaws.com.evil.test/a.pem",
        "https://sns.eu-central-1.amazonaws.com@evil.test/a.pem",
        "https://evil.test/?https://sns.eu-central-1.amazonaws.com/a.pem",
        None,
    ],
)
def test_only_amazons_addresses_are_asked(url: str | None) -> None:
    assert not amazon.is_amazons(url)


def test_what_ses_says() -> None:
    named = ("acme", UUID(DELIVERY))
    assert amazon.reports(sns(bounce())) == [Report("bounced", "ses", named, "ses-1", "ada@example.test", "NoEmail")]
    assert amazon.reports(sns(bounce("Transient"))) == []
    complaint = {"complainedRecipients": [{"emailAddress": "a@x.test"}], "complaintFeedbackType": "abuse"}
    (found,) = amazon.reports(
        sns({"notificationType": "Complaint", "mail": {"messageId": "s"}, "complaint": complaint})
    )
    assert found == Report("complained", "ses", None, "s", "a@x.test", "abuse")
    (found,) = amazon.reports(sns({"eventType": "Delivery", "mail": MAIL, "delivery": {"recipients": ["a@x.test"]}}))
    assert found == Report("delivered", "ses", named, "ses-1")
    for nonsense in ({}, {"eventType": "Open", "mail": MAIL, "open": {}}, {"eventType": "Bounce"}):
        assert amazon.reports(sns(nonsense)) == []
    assert amazon.reports({"Message": "not json"}) == []


class Kept:
    """Implements the ports of Callbacks."""

    def __init__(self) -> None:
        self.taken: list[Report] = []
        self.confirmed: list[str] = []

    async def apply(self, report: Report) -> bool:
        self.taken.append(report)
        return True

    async def fetch(self, url: str) -> bytes | None:
        return CERTIFICATE if amazon.is_amazons(url) else None

    async def confirm(self, url: str) -> None:
        self.confirmed.append(url)


def callbacks(kept: Any, token: str | None = "secret") -> Callbacks:
    return Callbacks(kept, kept, kept, twilio_token=lambda: token, topics=[TOPIC])


async def test_a_signed_event_is_taken_and_a_subscription_confirmed() -> None:
    kept = Kept()
    await callbacks(kept).amazon(sns(bounce()))
    assert [report.event for report in kept.taken] == ["bounced"]
    url = "https://sns.eu-central-1.amazonaws.com/?Action=ConfirmSubscription&Token=t"
    await callbacks(kept).amazon(sns({}, Type="SubscriptionConfirmation", SubscribeURL=url, Token="t"))
    assert kept.confirmed == [url]


@pytest.mark.parametrize(
    "changed",
    [{"TopicArn": "arn:aws:sns:eu-central-1:999:other"}, {"SigningCertURL": "https://evil.test/x.pem"}],
)
async def test_of_another_topic_or_with_anothers_certificate_nothing_is_taken(changed: dict[str, str]) -> None:
    kept = Kept()
    with pytest.raises(NotTheirs):
        await callbacks(kept).amazon(sns(bounce(), **changed))
    assert kept.taken == []


async def test_a_forged_status_has_no_effect() -> None:
    kept, form = Kept(), [("MessageStatus", "delivered"), ("MessageSid", "SM1")]
    for token, signature in (("secret", "forged"), (None, signed_by("", URL, form))):
        with pytest.raises(NotTheirs):
            await callbacks(kept, token).twilio_status(form, signature, URL, ("acme", DELIVERY))
    await callbacks(kept).twilio_status(form, signed_by("secret", URL, form), URL, ("acme", DELIVERY))
    assert [report.event for report in kept.taken] == ["delivered"]
