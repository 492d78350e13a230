"""The Kubernetes base is valid, complete and told only variables that exist."""

from __future__ import annotations

from typing import Any

import kubernetes_validate
import pytest
import yaml

from tests.unit.deploy.manifests import BASE, SERVICES, objects
from tests.unit.docs import settings

_PODS = [o for o in objects() if o["kind"] in ("Deployment", "Job")]


def _name(found: dict[str, Any]) -> str:
    return f"{found['kind']}/{found['metadata']['name']}"


@pytest.mark.parametrize("found", objects(), ids=_name)
def test_every_object_is_valid(found: dict[str, Any]) -> None:
    kubernetes_validate.validate(found, "1.30", strict=True)


def test_every_file_is_a_resource() -> None:
    listed = set(yaml.safe_load((BASE / "kustomization.yaml").read_text())["resources"])
    assert listed | {"kustomization.yaml"} == {path.name for path in BASE.iterdir()}


@pytest.mark.parametrize("found", _PODS, ids=_name)
def test_no_container_may_more_than_it_needs(found: dict[str, Any]) -> None:
    pod = found["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"]
    for container in pod["containers"]:
        allowed = container["securityContext"]
        assert allowed["readOnlyRootFilesystem"]
        assert not allowed["allowPrivilegeEscalation"]
        assert allowed["capabilities"]["drop"] == ["ALL"]
        assert "memory" in container["resources"]["limits"]


def test_every_service_is_deployed_with_probes_and_a_budget() -> None:
    deployed = {o["metadata"]["name"]: o for o in objects() if o["kind"] == "Deployment"}
    budgets = {o["metadata"]["name"] for o in objects() if o["kind"] == "PodDisruptionBudget"}
    assert set(deployed) == budgets
    containers = [o["spec"]["template"]["spec"]["containers"][0] for o in deployed.values()]
    assert {container["name"] for container in containers} == set(SERVICES)
    for container in containers:
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_a_pod_is_given_longer_than_its_graceful_stop() -> None:
    longest = max(cls.model_fields["shutdown_timeout"].default for cls in settings.services())
    for found in objects():
        if found["kind"] == "Deployment":
            assert found["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] > longest


def test_only_variables_that_exist_are_set() -> None:
    (told,) = [o["data"] for o in objects() if o["kind"] == "ConfigMap"]
    assert set(told) <= set(settings.example())
