"""The Kubernetes base is valid, complete and told only variables that exist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml

from libs.runtime.settings import SECRETS
from libs.schemas import topics
from services.delivery.providers import CHANNELS
from services.gateway.settings import Settings as GatewaySettings
from services.ingest.adapters.ledger import CONSUMER as INGEST
from services.router.app import CONSUMER as ROUTER
from tests.unit.deploy.manifests import K8S, SERVICES, everything, kustomizations, objects, variables_named
from tests.unit.docs import settings

_ALL = everything()
_PODS = [o for o in _ALL if o["kind"] in ("Deployment", "Job")]
_DEPLOYED = {o["metadata"]["name"]: o["spec"]["template"] for o in _PODS if o["kind"] == "Deployment"}
_SCALED = [o for o in _ALL if o["kind"] == "ScaledObject"]


def _name(found: dict[str, Any]) -> str:
    return f"{found['kind']}/{found['metadata']['name']}"


@pytest.mark.parametrize("found", [o for o in _ALL if o not in _SCALED], ids=_name)
def test_every_object_is_valid(found: dict[str, Any]) -> None:
    kubernetes_validate.validate(found, "1.30", strict=True)


@pytest.mark.parametrize("directory", kustomizations(), ids=lambda path: str(path.relative_to(K8S)))
def test_what_is_named_is_there_and_what_is_there_is_named(directory: Path) -> None:
    told = yaml.safe_load((directory / "kustomization.yaml").read_text())
    named = {*told.get("resources", ()), *told.get("components", ())}
    assert all((directory / name).exists() for name in named)
    assert {path.name for path in directory.glob("*.yaml")} - {"kustomization.yaml"} <= named
    assert {patch["target"]["name"] for patch in told.get("patches", ())} <= {o["metadata"]["name"] for o in _ALL}


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
    budgets = {o["metadata"]["name"] for o in _ALL if o["kind"] == "PodDisruptionBudget"}
    assert set(_DEPLOYED) == budgets
    containers = [template["spec"]["containers"][0] for template in _DEPLOYED.values()]
    assert {container["name"] for container in containers} == set(SERVICES)
    for container in containers:
        assert container["livenessProbe"]["httpGet"]["path"] == "/healthz"
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"


def test_every_channel_has_one_worker() -> None:
    told = [template["spec"]["containers"][0].get("args", [])[-2:] for template in _DEPLOYED.values()]
    served = [channel for option in told if option for channel in option[1].split(",") if option[0] == "--channel"]
    assert sorted(served) == sorted(CHANNELS)


def test_a_pod_is_given_longer_than_its_graceful_stop() -> None:
    longest = max(cls.model_fields["shutdown_timeout"].default for cls in settings.services())
    for name, template in _DEPLOYED.items():
        pauses = template["spec"]["containers"][0].get("lifecycle", {}).get("preStop", {}).get("sleep", {})
        drain = GatewaySettings.model_fields["drain_window"].default if name == "carillon-gateway" else 0
        given = template["spec"]["terminationGracePeriodSeconds"]
        assert given > longest + pauses.get("seconds", 0) + drain, name


def test_secrets_are_files_and_stand_in_no_environment() -> None:
    for name, template in _DEPLOYED.items():
        container = template["spec"]["containers"][0]
        assert {"name": "secrets", "mountPath": str(SECRETS), "readOnly": True} in container["volumeMounts"], name
        assert [source for source in container["envFrom"] if "secretRef" in source] == []


def test_only_variables_that_exist_are_named() -> None:
    known = set(settings.example())
    assert [(file, name) for file, name in variables_named() if name not in known] == []


def test_what_scales_is_there_and_reads_topics_and_groups_that_exist() -> None:
    known = {topic.name for topic in topics.ALL}
    for scaled in _SCALED:
        assert scaled["spec"]["scaleTargetRef"]["name"] in _DEPLOYED
        assert scaled["metadata"]["name"] == scaled["spec"]["scaleTargetRef"]["name"]
        for trigger in scaled["spec"]["triggers"]:
            if trigger["type"] == "kafka":
                assert trigger["metadata"]["topic"] in known
                assert trigger["metadata"]["consumerGroup"] in _groups_of(trigger["metadata"]["topic"])


def test_every_topic_with_a_group_of_workers_scales_them() -> None:
    read = {t["metadata"]["topic"] for scaled in _SCALED for t in scaled["spec"]["triggers"] if t["type"] == "kafka"}
    worked_on = [
        topics.NOTI,
        topics.DIRECTORY,
        *topics.TYPED.values(),
        *topics.BULK.values(),
        *topics.DELIVERY.values(),
    ]
    assert read == {topic.name for topic in worked_on}


def _groups_of(topic: str) -> set[str]:
    if topic in topics.TYPED:
        return {ROUTER}
    if topic.endswith(topics.BULK_SUFFIX):
        return {f"{ROUTER}-bulk"}
    if topic.startswith("delivery."):
        return {f"delivery-{topic.removeprefix('delivery.')}"}
    return {topics.NOTI.name: {INGEST}, topics.DIRECTORY.name: {f"{INGEST}-directory"}}[topic]


def test_policies_choose_pods_that_exist() -> None:
    for policy in (o for o in _ALL if o["kind"] == "NetworkPolicy"):
        chosen = policy["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/name")
        assert chosen is None or chosen in _DEPLOYED


def test_polling_clients_come_back_to_their_gateway() -> None:
    (service,) = [o for o in objects() if o["kind"] == "Service" and o["metadata"]["name"] == "carillon-gateway"]
    (ingress,) = [o for o in _ALL if o["kind"] == "Ingress"]
    assert service["spec"]["sessionAffinity"] == "ClientIP"
    assert ingress["metadata"]["annotations"]["nginx.ingress.kubernetes.io/affinity"] == "cookie"
