"""Secrets that everybody can read are for development."""

import pytest
from pydantic import SecretStr

from libs.runtime import published
from libs.runtime.settings import ServiceSettings, load

NEEDED = {"kafka_bootstrap": "127.0.0.1:9092", "postgres_dsn": "postgresql://127.0.0.1/x", "http_port": 3001}


class Settings(ServiceSettings):
    """Of a service with a secret that may be several."""

    sealing_keys: SecretStr


@pytest.mark.parametrize("secret", [published.SEALING_KEY, f"own, {published.SEALING_KEY}", published.JWT_SECRET])
def test_production_refuses_them_and_names_the_variable(secret: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        load(Settings, **NEEDED, environment="production", sealing_keys=secret)
    told = capsys.readouterr().err
    assert refused.value.code == 2
    assert "CARILLON_SEALING_KEYS is published" in told
    assert secret not in told


def test_development_takes_them_and_production_takes_others() -> None:
    for environment, secret in (("development", published.SEALING_KEY), ("production", "own")):
        settings = load(Settings, **NEEDED, environment=environment, sealing_keys=secret)
        assert settings.sealing_keys.get_secret_value() == secret
