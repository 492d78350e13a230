"""Contract tests run against the gateways of the integration tests, on each transport."""

from __future__ import annotations

from tests.integration.gateway.conftest import gateways, name, scribe
from tests.integration.gateway.transports import environment

__all__ = ["environment", "gateways", "name", "scribe"]
