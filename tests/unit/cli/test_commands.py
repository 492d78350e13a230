"""What the commands say about themselves, about wrong options and about settings."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import jwt
import pytest
from typer.testing import CliRunner

from cli.domain import durations
from cli.main import app
from libs.auth.verifier import Rules, Verifier
from libs.sealing.masters import Masters

pytestmark = pytest.mark.covers("S3", "S22")

SECRET = "a-secret-of-at-least-thirty-two-bytes"
COMMANDS = [(), ("token",), ("publish",), ("audit",), ("explain",), ("dead",), ("dead", "list"), ("dead", "replay"),
            ("keys",), ("keys", "create"), ("keys", "list"), ("keys", "revoke"),
            ("endpoints",), ("endpoints", "add"), ("endpoints", "ping"), ("suppressions",),
            ("sealing",), ("sealing", "new"), ("sealing", "rewrap")]  # fmt: skip


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("POSTGRES_DSN", "KAFKA_BOOTSTRAP", "JWT_SECRET", "SEALING_KEYS", "API_KEY", "API_URL"):
        monkeypatch.delenv(f"CARILLON_{name}", raising=False)
    monkeypatch.chdir(tmp_path)  # a developer's .env is not read


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(command: tuple[str, ...]) -> None:
    result = CliRunner().invoke(app, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage" in result.output


@pytest.mark.parametrize(
    ("command", "missing"),
    [
        (["token", "--user", "ana"], "CARILLON_JWT_SECRET is not set"),
        (["audit"], "CARILLON_POSTGRES_DSN is not set"),
        (["explain", "00000000-0000-5000-8000-000000000001"], "CARILLON_POSTGRES_DSN is not set"),
        (["dead", "list"], "CARILLON_KAFKA_BOOTSTRAP is not set"),
        (["keys", "list"], "CARILLON_POSTGRES_DSN is not set"),
        (["sealing", "rewrap"], "CARILLON_SEALING_KEYS is not set"),
        (["endpoints", "list", "--key", "k"], "CARILLON_API_URL is not set"),
        (["suppressions", "list", "--url", "http://x"], "CARILLON_API_KEY is not set"),
        (["publish", "service.alert", "title=t", "message=m"], "CARILLON_KAFKA_BOOTSTRAP is not set"),
        (["publish", "service.alert", "title=t", "message=m", "--http", "http://x"], "CARILLON_API_KEY is not set"),
    ],
)
def test_a_missing_setting_is_named(command: list[str], missing: str) -> None:
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 2
    assert missing in result.stderr


@pytest.mark.covers("F2-8")
def test_a_new_master_key_is_one_that_the_setting_takes() -> None:
    first, second = (CliRunner().invoke(app, ["sealing", "new"]).stdout for _ in range(2))
    assert first != second
    assert len(Masters(f"{first},{second}").ids) == 2


def test_a_wrong_setting_is_named() -> None:
    result = CliRunner().invoke(app, ["keys", "list"], env={"CARILLON_POSTGRES_DSN": "mysql://x"})
    assert result.exit_code == 2
    assert "CARILLON_POSTGRES_DSN is wrong" in result.stderr


async def test_a_token_says_who_and_until_when() -> None:
    arguments = "token -u ana --tenant acme --org o1 --org o2 --role admin --dept d --agent 7 --expires 15m"
    token = CliRunner().invoke(app, arguments.split(), env={"CARILLON_JWT_SECRET": SECRET}).stdout.strip()
    identity = await Verifier(Rules(SECRET)).verify(token)
    assert (identity.user_id, identity.agent_id, identity.tenant) == ("ana", "7", "acme")
    assert (identity.org_ids, identity.roles, identity.departments) == (("o1", "o2"), ("admin",), ("d",))
    claims = jwt.decode(token, options={"verify_signature": False})
    assert claims["exp"] - claims["iat"] == 900


def test_a_token_for_nobody_is_refused() -> None:
    assert CliRunner().invoke(app, ["token"], env={"CARILLON_JWT_SECRET": SECRET}).exit_code == 2


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["publish"], "event name"),
        (["publish", "service.alert", "--file", "x"], "event name"),
        (["publish", "service.alert", "--kafka", "--http", "http://x"], "two doors"),
        (["publish", "--file", "nowhere.json"], "nowhere.json"),
        (["publish", "no.such", "title=t"], "event"),
        (["dead", "replay"], "name offsets"),
        (["dead", "replay", "noti:x:1"], "topic:partition:offset"),
        (["dead", "list", "--topic", "noti"], "no dead letters"),
        (["explain", "not-an-id"], "UUID"),
    ],
)
def test_wrong_usage_is_told(command: list[str], said: str) -> None:
    environment = {"CARILLON_KAFKA_BOOTSTRAP": "127.0.0.1:1", "CARILLON_POSTGRES_DSN": "postgresql://x/y"}
    result = CliRunner().invoke(app, command, env=environment)
    assert result.exit_code == 2
    assert said in result.output


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("15m", 900), ("8h", 28_800), ("30d", 2_592_000), (" 1h ", 3_600)]
)
def test_lengths_of_time(text: str, seconds: int) -> None:
    assert durations.parse(text) == timedelta(seconds=seconds)
    assert datetime(2026, 1, 1, tzinfo=UTC) + durations.parse(text) > datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("text", ["", "5", "0h", "-1h", "1w", "1.5h"])
def test_what_is_no_length_of_time(text: str) -> None:
    with pytest.raises(ValueError, match="length of time"):
        durations.parse(text)
