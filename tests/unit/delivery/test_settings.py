"""Settings: what is refused, and that the error names the variable."""

from __future__ import annotations

import pytest

from devstack.layout import DEVELOPMENT_SEALING_KEY
from libs.runtime.settings import load
from services.delivery.adapters.smtp.settings import SmtpSettings
from services.delivery.settings import Settings

pytestmark = pytest.mark.covers("F2-5")


@pytest.fixture(autouse=True)
def _told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_KAFKA_BOOTSTRAP", "127.0.0.1:1")
    monkeypatch.setenv("CARILLON_POSTGRES_DSN", "postgresql://x")
    monkeypatch.setenv("CARILLON_SEALING_KEYS", DEVELOPMENT_SEALING_KEY)
    monkeypatch.setenv("CARILLON_ENVIRONMENT", "development")


def test_a_call_always_ends_before_its_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_DELIVERY_LEASE", "10")
    assert load(Settings).call_timeout == 5.0
    monkeypatch.setenv("CARILLON_DELIVERY_TIMEOUT", "9.5")
    with pytest.raises(SystemExit, match="2"):
        load(Settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARILLON_SMTP_PORT", "0"),
        ("CARILLON_SMTP_TLS", "maybe"),
        ("CARILLON_SMTP_FROM", "nobody"),
        ("CARILLON_SMTP_FROM", "a@x.test\r\nBcc: b@x.test"),
        ("CARILLON_SMTP_DOMAIN", "x.test>"),
        ("CARILLON_SMTP_USERNAME", "without-a-password"),
    ],
)
def test_refused(name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit, match="2"):
        load(SmtpSettings)
    assert name in capsys.readouterr().err


def test_the_password_is_read_from_its_file(monkeypatch: pytest.MonkeyPatch, tmp_path: object) -> None:
    path = f"{tmp_path}/password"
    with open(path, "w") as file:  # noqa: PTH123
        file.write("secret\n")
    monkeypatch.setenv("CARILLON_SMTP_USERNAME", "carillon")
    monkeypatch.setenv("CARILLON_SMTP_PASSWORD_FILE", path)
    settings = load(SmtpSettings)
    assert settings.password == "secret"
    assert settings.domain == "localhost"
    assert "secret" not in repr(settings)
