"""The manifests as Python values."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
BASE = ROOT / "deploy" / "k8s" / "base"
SERVICES = ("ingest", "router", "gateway", "delivery")


def objects() -> list[dict[str, Any]]:
    """Every Kubernetes object of the base."""
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text())
    return [found for name in kustomization["resources"] for found in yaml.safe_load_all((BASE / name).read_text())]


def compose() -> dict[str, Any]:
    """docker-compose.yml."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def targets() -> set[str]:
    """The stages of the Dockerfile."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return {line.split(" AS ")[1] for line in lines if line.startswith("FROM ")}
