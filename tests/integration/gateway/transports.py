"""Runs a module's tests on both transports: our own, and stock python-socketio as the reference."""

from __future__ import annotations

import pytest

from tests.integration.gateway.conftest import ENVIRONMENT

TRANSPORTS = ("fanout", "stock")


@pytest.fixture(scope="module", params=TRANSPORTS)
def environment(request: pytest.FixtureRequest) -> dict[str, str]:
    """What the module's gateways are told."""
    return ENVIRONMENT | {"CARILLON_TRANSPORT": request.param}
