"""Settings: read once, and a wrong one is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from libs.runtime.settings import load
from services.ingest.settings import IngestSettings

GOOD = {"CARILLON_KAFKA_BOOTSTRAP": "k:9092", "CARILLON_POSTGRES_DSN": "postgresql://p/d"}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for name, value in GOOD.items():
        monkeypatch.setenv(name, value)


def test_lists_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CARILLON_NOTI_TENANTS", "acme, beta,")
    settings = load(IngestSettings)
    assert settings.noti_tenants == {"acme", "beta"}
    assert (settings.http_port, settings.jwt_secret) == (3001, None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CARILLON_JWT_SECRET", "short"),
        ("CARILLON_PUBLISH_TIMEOUT", "0"),
        ("CARILLON_RATE_LIMIT", "-1"),
        ("CARILLON_POSTGRES_DSN", "mysql://x"),
        ("CARILLON_HTTP_PORT", "70000"),
    ],
)
def test_a_wrong_one_ends_the_process_with_its_name(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SystemExit) as ended:
        load(IngestSettings)
    assert ended.value.code == 2
    assert name in capsys.readouterr().err
