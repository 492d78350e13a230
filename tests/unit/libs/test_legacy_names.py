"""The old names of settings stand behind the `CARILLON_` ones (F4-4)."""

from __future__ import annotations

from pathlib import Path

import pytest

from cli.settings import TokenSettings
from devstack.layout import DEVELOPMENT_SEALING_KEY
from libs.runtime.legacy import ALIASES
from libs.runtime.settings import load
from services.delivery.settings import Settings as DeliverySettings
from services.gateway.settings import Settings as GatewaySettings

pytestmark = pytest.mark.covers("F4-4")

SECRET = "a secret of at least thirty-two bytes"


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, _, _ in ALIASES:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("CARILLON_KAFKA_BOOTSTRAP", "k:9092")
    monkeypatch.setenv("CARILLON_POSTGRES_DSN", "postgresql://p/d")
    monkeypatch.setenv("CARILLON_SEALING_KEYS", DEVELOPMENT_SEALING_KEY)
    monkeypatch.setenv("CARILLON_ENVIRONMENT", "development")
    monkeypatch.setenv("JWT_SECRET", SECRET)


def test_they_are_read_with_the_units_that_they_had(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "CORS_ORIGIN": "http://localhost:5173",
        "LOG_LEVEL": "debug",
        "RATE_LIMIT_WINDOW_MS": "5000",
        "RATE_LIMIT_MAX_REQUESTS": "10",
        "FRONTEND_URL": "http://elsewhere.example",
        "JWT_EXPIRES_IN": "7d",
    }.items():
        monkeypatch.setenv(name, value)
    gateway = load(GatewaySettings)
    assert gateway.jwt_secret is not None
    assert gateway.jwt_secret.get_secret_value() == SECRET
    assert (gateway.cors_origins, gateway.log_level) == (("http://localhost:5173",), "DEBUG")
    assert (gateway.events_window, gateway.events_limit) == (5.0, 10)
    assert str(load(DeliverySettings).public_url) == "http://elsewhere.example/"
    assert load(TokenSettings).jwt_expires_in.days == 7


def test_our_own_names_come_first_and_then_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("LOG_LEVEL=error\nCARILLON_CORS_ORIGINS=http://file.example\n", encoding="utf-8")
    monkeypatch.setenv("CORS_ORIGIN", "http://old.example")
    assert load(GatewaySettings).cors_origins == ("http://file.example",)
    assert load(GatewaySettings).log_level == "ERROR"
    monkeypatch.setenv("CARILLON_CORS_ORIGINS", "http://new.example")
    monkeypatch.setenv("LOG_LEVEL", "verbose")
    assert load(GatewaySettings).cors_origins == ("http://new.example",)
    assert load(GatewaySettings).log_level == "DEBUG"


def test_a_wrong_value_is_told_by_the_name_that_gave_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("RATE_LIMIT_WINDOW_MS", "soon")
    monkeypatch.setenv("JWT_SECRET", "short")
    with pytest.raises(SystemExit):
        load(GatewaySettings)
    told = capsys.readouterr().err
    assert "RATE_LIMIT_WINDOW_MS is wrong" in told
    assert "JWT_SECRET is wrong" in told
    assert "short" not in told
