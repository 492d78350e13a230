"""`carillon keys`: the way to the first key of a system."""

from __future__ import annotations

import pytest

from libs.auth import api_keys
from tests.integration.cli.running import Command

pytestmark = pytest.mark.covers("F2-4", "S3")


def test_a_key_is_shown_once_and_stored_as_a_hash(carillon: Command) -> None:
    text = carillon("keys", "create", "orders service", "--tenant", "acme", "--expires", "90d").stdout.strip()
    key_id, secret = api_keys.split(text) or ("", "")
    (row,) = carillon.sql("select * from api_keys")
    assert row["key_id"] == key_id
    assert api_keys.matches(secret, row["hash"])
    assert row["scopes"] == ["events:write"]
    assert row["expires_at"] is not None
    assert secret not in carillon("keys", "list").output
    assert carillon.sql("select tenant from tenants where tenant = 'acme'")


def test_a_platform_key_may_name_every_tenant(carillon: Command) -> None:
    carillon("keys", "create", "platform", "--platform", "--scope", "directory:write", "--scope", "events:write")
    (row,) = carillon.sql("select tenants, scopes from api_keys")
    assert row == {"tenants": ["*"], "scopes": ["directory:write", "events:write"]}


def test_an_unknown_scope_is_refused(carillon: Command) -> None:
    result = carillon("keys", "create", "x", "--scope", "everything")
    assert result.exit_code == 2
    assert "unknown scope" in result.output


def test_revoking_is_recorded_and_repeatable(carillon: Command) -> None:
    key_id, _ = api_keys.split(carillon("keys", "create", "x").stdout.strip()) or ("", "")
    assert carillon("keys", "revoke", key_id).exit_code == 0
    (first,) = carillon.sql("select revoked_at from api_keys")
    assert carillon("keys", "revoke", key_id).exit_code == 0
    assert carillon.sql("select revoked_at from api_keys") == [first]
    assert "revoked" in carillon("keys", "list", "--tenant", "default").output
    assert carillon("keys", "revoke", "nosuchkey").exit_code == 1
    actions = [row["action"] for row in carillon.sql("select action from audit_trail order by at")]
    assert actions == ["key.created", "key.revoked", "key.revoked"]
