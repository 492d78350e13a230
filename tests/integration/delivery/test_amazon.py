"""Amazon SES and SNS, as moto speaks them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import httpx
import pytest
from moto.server import ThreadedMotoServer

from libs.runtime.clock import utc_now
from services.delivery.adapters.aws.signing import AwsSigner
from services.delivery.adapters.http.asking import Asker
from services.delivery.adapters.ses.client import SesClient
from services.delivery.adapters.ses.settings import SesSettings
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.adapters.sns.client import SnsClient
from services.delivery.adapters.sns.settings import SnsSettings
from services.delivery.domain.delivery import Recipient
from services.delivery.errors import Fault, Unavailable
from tests.integration.delivery.asked import composer, delivery

pytestmark = pytest.mark.covers("F2-5")

REGION = "eu-central-1"
KEY = {"key_id": "AKIDEXAMPLE", "secret": "a-secret"}


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """Where moto listens, with a slash at its end."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}/"
    server.stop()


@pytest.fixture
async def asker() -> AsyncIterator[Asker]:
    asker = Asker(10.0)
    yield asker
    await asker.close()


def told(service: str, url: str) -> dict[str, Any]:
    return {f"{service}_region": REGION, f"{service}_url": url, **{f"{service}_{n}": v for n, v in KEY.items()}}


async def test_a_text_message(moto: str, asker: Asker) -> None:
    client = SnsClient(asker, SnsSettings.model_validate(told("sns", moto)), 4, None, utc_now)
    sent = await client.send(delivery("sms", Recipient("ada", phone="+15005550001")))
    assert sent.provider_message_id
    async with httpx.AsyncClient() as http:
        said = (await http.get(f"{moto}moto-api/data.json")).text
    assert "+15005550001" in said


async def test_mail_of_a_sender_that_is_verified_and_of_one_that_is_not(moto: str, asker: Asker) -> None:
    settings = SesSettings.model_validate(told("ses", moto))
    client = SesClient(asker, settings, composer(SmtpSettings(smtp_from="carillon@example.test")), utc_now)
    mail = delivery("email", Recipient("ada", "ada@example.test"), title=f"A title {uuid4()}")
    with pytest.raises(Fault) as refused:
        await client.send(mail)
    assert "example.test" not in (refused.value.detail or "") + (refused.value.code or "")
    url, content = f"{moto}v2/email/identities", b'{"EmailIdentity": "carillon@example.test"}'
    signed = await AwsSigner("ses", REGION, settings.key).headers(url, {"content-type": "application/json"}, content)
    async with httpx.AsyncClient() as http:
        assert (await http.post(url, content=content, headers=signed)).status_code == 200
    assert (await client.send(mail)).provider_message_id


async def test_without_credentials_nothing_is_asked(
    moto: str, asker: Asker, monkeypatch: pytest.MonkeyPatch, tmp_path: Any
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "BOTO_CONFIG"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    settings = SnsSettings.model_validate({"sns_region": REGION, "sns_url": moto})
    with pytest.raises(Unavailable):
        await SnsClient(asker, settings, 4, None, utc_now).send(delivery("sms", Recipient("a", phone="+15005550001")))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY["key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", KEY["secret"])
    sent = await SnsClient(asker, settings, 4, None, utc_now).send(
        delivery("sms", Recipient("a", phone="+15005550001"))
    )
    assert sent.provider_message_id
