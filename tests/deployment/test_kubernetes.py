"""The manifests of `deploy/kubernetes/` and the Compose file of `deploy/bulk/`."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest
import yaml
from conftest import ROOT

from digitre import config, registry
from digitre.web import app as application

FOLDER = ROOT / "deploy" / "kubernetes"
# The oldest version that has all of these kinds as they are, and the newest one that is known.
VERSIONS = ("1.27", kubernetes_validate.latest_version())
NGINX = "nginx.ingress.kubernetes.io/"


def manifests() -> dict[tuple[str, str], dict[str, Any]]:
    """Each manifest by its kind and its name."""
    found = [
        each
        for file in sorted(FOLDER.glob("*.yaml"))
        for each in yaml.safe_load_all(file.read_text())
    ]
    return {(each["kind"], each["metadata"]["name"]): each for each in found}


ALL = manifests()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", list(ALL), ids="-".join)
def test_a_manifest_is_valid(name: tuple[str, str], version: str) -> None:
    """Kubernetes accepts each manifest, and none has a field that it does not know."""
    kubernetes_validate.validate(ALL[name], version, strict=True)


def test_a_wrong_manifest_is_found() -> None:
    """The check sees a field that does not exist."""
    wrong = yaml.safe_load((FOLDER / "service.yaml").read_text())
    wrong["spec"]["port"] = 80
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)


def test_the_settings_exist_and_are_valid() -> None:
    """The ConfigMap and the Secret only have settings of docs/configuration.md, with values that are accepted."""
    values = ALL["ConfigMap", "digitre"]["data"] | ALL["Secret", "digitre"]["stringData"]
    page = (ROOT / "docs" / "configuration.md").read_text()
    by_variable = {setting.variable: setting for setting in config.SETTINGS}
    for variable, value in values.items():
        assert f"`{variable}`" in page, variable
        assert isinstance(value, str), variable
        if variable in by_variable:
            by_variable[variable].parse(value)
    secrets = {"DIGITRE_SECRET", "DIGITRE_DATABASE_URL"}
    assert secrets == set(ALL["Secret", "digitre"]["stringData"])


def test_the_example_of_a_network_has_the_form_that_is_fetched() -> None:
    """The commented DIGITRE_MODEL_URL becomes valid with a hash of 64 digits."""
    (address,) = re.findall(
        r"# DIGITRE_MODEL_URL: (\S+)<64 digits>", (FOLDER / "configmap.yaml").read_text()
    )
    assert registry._ADDRESS.fullmatch(address + 64 * "0")


def test_the_pods_are_locked_and_probed() -> None:
    """A pod has no privilege and a read-only root; its probes ask routes that exist, by a host that is trusted."""
    pod = ALL["Deployment", "digitre"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "privileged": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {"requests", "limits"} == container["resources"].keys()
    routes = {rule.rule for rule in application.create_app().url_map.iter_rules()}
    trusted = ALL["ConfigMap", "digitre"]["data"]["DIGITRE_TRUSTED_HOSTS"].split(",")
    paths = {}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = container[probe]["httpGet"]
        paths[probe] = asked["path"]
        assert asked["httpHeaders"] == [{"name": "Host", "value": "localhost"}]
    assert set(paths.values()) <= routes
    assert paths["readinessProbe"] == "/readyz"
    assert paths["livenessProbe"] == "/healthz"
    assert "localhost" in trusted
    assert ALL["Ingress", "digitre"]["spec"]["rules"][0]["host"] in trusted


def test_the_parts_fit_together() -> None:
    """The Service, the autoscaler and the budget name the Deployment's pods and port."""
    deployment = ALL["Deployment", "digitre"]["spec"]
    labels = deployment["template"]["metadata"]["labels"]
    assert deployment["selector"]["matchLabels"] == labels
    assert ALL["Service", "digitre"]["spec"]["selector"] == labels
    assert ALL["PodDisruptionBudget", "digitre"]["spec"]["selector"]["matchLabels"] == labels
    target = ALL["HorizontalPodAutoscaler", "digitre"]["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", "digitre")
    assert "replicas" not in deployment  # each `kubectl apply` would undo what the autoscaler did
    (container,) = deployment["template"]["spec"]["containers"]
    assert container["ports"] == [{"name": "http", "containerPort": 8000}]
    environment = [each.popitem()[1]["name"] for each in map(dict, container["envFrom"])]
    assert environment == ["digitre", "digitre"]


def test_the_ingress_has_the_limits_of_nginx() -> None:
    """The annotations have the rates, bursts and sizes of deploy/nginx.conf."""
    site, server = (
        (ROOT / "deploy" / name).read_text() for name in ("nginx.conf", "nginx-server.conf")
    )

    def limits(zone: str) -> tuple[int, int]:
        (rate,) = re.findall(rf"zone={zone}:10m rate=(\d+)r/s", site)
        (burst,) = set(re.findall(rf"zone={zone} burst=(\d+)", server))
        return int(rate), int(burst)

    for name, zone in (("digitre", "digitre_reading"), ("digitre-saving", "digitre_saving")):
        notes = ALL["Ingress", name]["metadata"]["annotations"]
        rate = int(notes[f"{NGINX}limit-rps"])
        assert (rate, rate * int(notes[f"{NGINX}limit-burst-multiplier"])) == limits(zone)
    notes = ALL["Ingress", "digitre"]["metadata"]["annotations"]
    assert f"client_max_body_size {notes[f'{NGINX}proxy-body-size']};" in site
    assert f"limit_conn digitre_connections {notes[f'{NGINX}limit-connections']};" in server
    hidden = ALL["Ingress", "digitre-inside"]["spec"]["rules"][0]["http"]["paths"]
    for path in (each["path"] for each in hidden):
        assert f"location = {path} {{ return 404; }}" in server


def test_the_bulk_cluster_runs_dasks_commands() -> None:
    """The Compose file of the cluster publishes no port, and its containers have no privilege."""
    services = yaml.safe_load((ROOT / "deploy" / "bulk" / "compose.yaml").read_text())["services"]
    assert services.keys() == {"scheduler", "worker", "bulk"}
    for service in services.values():
        assert "ports" not in service
        assert service["read_only"]
        assert service["cap_drop"] == ["ALL"]
    assert services["worker"]["command"][:3] == ["dask", "worker", "tcp://scheduler:8786"]
    assert services["bulk"]["entrypoint"][:2] == ["digitre", "bulk"]


def test_the_extra_of_the_package_is_that_of_the_image() -> None:
    """deploy/bulk/Dockerfile installs what the extra `bulk` has, and the package for S3."""
    text = (ROOT / "deploy" / "bulk" / "Dockerfile").read_text()
    (line,) = re.findall(r"^RUN pip install (.*)$", text, re.MULTILINE)
    installed = set(re.findall(r"'([^']+)'", line))
    (extra,) = re.findall(r"^BULK = \[(.*)\]", Path(ROOT / "setup.py").read_text(), re.MULTILINE)
    assert set(re.findall(r'"([^"]+)"', extra)) == installed - {"s3fs>=2024.10"}
