"""A stack of its own for every module of crash tests: they kill what others would share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from devstack.layout import Layout, counts
from devstack.smtp_peer import SmtpPeer, smtp_environment
from devstack.stack import Stack
from tests.chaos.world import World

# Short leases, so that a test that outlasts every lease does not take minutes.
LEASE = 10.0


def environment(mail: SmtpPeer) -> dict[str, str]:
    """What every service of these stacks is told."""
    return smtp_environment(mail.port) | {
        "CARILLON_SLOT_LEASE": str(LEASE),
        "CARILLON_DELIVERY_LEASE": str(LEASE),
        "CARILLON_DELIVERY_GRACE": "5",
    }


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[World]:
    """Everything started; `pytestmark`'s neighbour `PROCESSES` in the module says how many of each service."""
    processes = getattr(request.module, "PROCESSES", counts())
    directory = tmp_path_factory.mktemp("world")
    with SmtpPeer() as mail, Stack(directory, Layout(processes, environment=environment(mail))) as stack:
        yield World(stack, mail)
