"""docker-compose.yml and the Dockerfile fit each other, the services and their settings."""

from __future__ import annotations

import re

import pytest

from tests.unit.deploy.manifests import ROOT, SERVICES, compose, targets
from tests.unit.docs import settings


def test_every_service_is_a_target_and_a_container() -> None:
    containers = compose()["services"]
    for service in SERVICES:
        assert containers[service]["build"]["target"] == service
        assert containers[service]["depends_on"] == {"migrate": {"condition": "service_completed_successfully"}}
    assert {*SERVICES, "tools"} <= targets()


def test_gateways_stand_behind_a_proxy_that_keeps_clients_with_one_of_them() -> None:
    containers = compose()["services"]
    assert "ports" not in containers["gateway"]
    assert containers["gateway"]["environment"]["CARILLON_TRUSTED_PROXIES"]
    (mounted,) = containers["proxy"]["volumes"]
    rules = (ROOT / mounted.split(":")[0]).read_text()
    assert "dynamic a gateway 3002" in rules
    assert "lb_policy cookie" in rules


def test_what_is_mounted_is_there() -> None:
    mounted = [volume for container in compose()["services"].values() for volume in container.get("volumes", [])]
    assert all((ROOT / volume.split(":")[0]).exists() for volume in mounted if volume.startswith("./"))


def test_the_stores_are_the_official_images_and_are_waited_for() -> None:
    containers = compose()["services"]
    assert containers["kafka"]["image"] == "apache/kafka:4.1.1"
    assert containers["postgres"]["image"] == "postgres:18"
    waited = containers["migrate"]["depends_on"]
    for store in ("kafka", "postgres"):
        assert containers[store]["healthcheck"]["test"]
        assert waited[store] == {"condition": "service_healthy"}


@pytest.mark.parametrize("service", [*SERVICES, "migrate", "tools"])
def test_only_variables_that_exist_are_set(service: str) -> None:
    told = {name for name in compose()["services"][service]["environment"] if name.startswith("CARILLON_")}
    assert told <= set(settings.example())
    assert {"CARILLON_KAFKA_BOOTSTRAP", "CARILLON_POSTGRES_DSN"} <= told


def test_every_service_image_has_a_health_check_and_no_root() -> None:
    stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    for service in SERVICES:
        (stage,) = [stage for stage in stages if stage.splitlines()[0].endswith(f" AS {service}")]
        (cls,) = [cls for cls in settings.services() if f"services.{service}." in cls.__module__]
        port = cls.model_fields["http_port"].default
        assert f"127.0.0.1:{port}/readyz" in stage
        assert f"EXPOSE {port}" in stage
        assert "USER 10001" in stage
        assert f'CMD ["python", "-m", "services.{service}"]' in stage


def test_published_ports_are_open_to_this_machine_alone() -> None:
    for name, container in compose()["services"].items():
        for port in container.get("ports", []):
            assert port.startswith("127.0.0.1:"), name


def test_the_image_holds_only_what_runs() -> None:
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    copied = re.findall(r"^COPY (\S+)", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    for source in copied:
        if not source.startswith("--from"):
            assert any(source.startswith(allowed.removeprefix("!")) for allowed in ignored if allowed.startswith("!"))
            assert (ROOT / source).exists(), source
