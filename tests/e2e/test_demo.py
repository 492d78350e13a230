"""The demo as a new user runs it: once, again, and again when Kafka has forgotten everything."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from devstack.processes import ROOT

# The demo listens on the development ports, so it must not run beside another whole stack.
pytestmark = [
    pytest.mark.chaos,
    pytest.mark.covers("F2-5", "F0-1", "F0-2", "F0-4", "F0-5", "F0-6", "F0-7", "S2", "S7", "S20"),
]

TIMEOUT = 180


def demo(data: Path) -> str:
    """Runs the demo to its end and returns what it printed."""
    result = subprocess.run(
        [sys.executable, "-m", "devstack.demo", "--once"],
        cwd=ROOT,
        env=os.environ | {"CARILLON_DEV_DATA": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=TIMEOUT,
        check=False,
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def test_everything_arrives_every_time(tmp_path: Path) -> None:
    for wiped in (False, False, True):
        if wiped:
            shutil.rmtree(tmp_path / "kafka")
        said = demo(tmp_path)
        assert "all 9 events arrived everywhere they should" in said
        for namespace, event in (("/notifications", "notification:new"), ("/events", "notification:new")):
            assert f"✓ {namespace} as {event}" in said
        assert "seen outside: apns, discord, fcm, push, slack, sms, teams, webhook" in said
