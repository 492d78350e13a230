"""The manifests as Python values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
DEPLOY = ROOT / "deploy"
K8S = DEPLOY / "k8s"
BASE = K8S / "base"
SERVICES = ("ingest", "router", "gateway", "delivery")


def kustomizations() -> list[Path]:
    """Every directory that kustomize may be called with or led to."""
    return sorted(path.parent for path in K8S.rglob("kustomization.yaml"))


def objects(directory: Path = BASE) -> list[dict[str, Any]]:
    """Every Kubernetes object in the files of one kustomization; what it patches and what it leads to is left out."""
    listed = yaml.safe_load((directory / "kustomization.yaml").read_text()).get("resources", [])
    files = [directory / name for name in listed if (directory / name).is_file()]
    return [found for file in files for found in yaml.safe_load_all(file.read_text())]


def everything() -> list[dict[str, Any]]:
    """The objects of the base and of every component."""
    return [found for directory in kustomizations() for found in objects(directory)]


def compose() -> dict[str, Any]:
    """docker-compose.yml."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return loaded


def targets() -> set[str]:
    """The stages of the Dockerfile."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    return {line.split(" AS ")[1] for line in lines if line.startswith("FROM ")}


def variables_named() -> Iterator[tuple[str, str]]:
    """(file, variable) for every `CARILLON_` name in the files of deployment, comments too."""
    files = [ROOT / "docker-compose.yml", ROOT / "Dockerfile", *sorted(DEPLOY.rglob("*.y*ml"))]
    for file in files:
        for name in sorted(set(re.findall(r"CARILLON_[A-Z_]*[A-Z]", file.read_text()))):
            yield str(file.relative_to(ROOT)), name
