"""The vault of the tests that compose adapters themselves: the keys of the development stack, counted by itself."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter

from devstack.layout import DEVELOPMENT_SEALING_KEY
from libs.sealing.masters import Masters
from libs.sealing.vault import Vault


def vault(keys: str = DEVELOPMENT_SEALING_KEY) -> Vault:
    """A process's own, with its own memory."""
    return Vault(Masters(keys), Counter("unsealable", "By reason", ["reason"], registry=CollectorRegistry()))


def unsealable(vault: Vault, reason: str) -> float:
    """How many values could not be opened for this reason."""
    return float(vault._unsealable.labels(reason)._value.get())
