"""Contract tests run against the gateways of the integration tests."""

from __future__ import annotations

from tests.integration.gateway.conftest import environment, gateways, name, scribe

__all__ = ["environment", "gateways", "name", "scribe"]
