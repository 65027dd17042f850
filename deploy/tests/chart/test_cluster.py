"""The chart on a real API server: installed, upgraded, stopped by its gate, rolled back."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from deploy.tests.chart.cluster import Cluster, JobHand, running_cluster
from deploy.tests.chart.rendering import CHART, VALUES, HelmError, pods, rendered, run_helm

NAMESPACE = "pao"
NEWER = "sha256:" + "f" * 64
DEPLOYMENTS = f"/apis/apps/v1/namespaces/{NAMESPACE}/deployments"
JOBS = f"/apis/batch/v1/namespaces/{NAMESPACE}/jobs"


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with running_cluster(tmp_path_factory.mktemp("cluster")) as started:
        labels = {"pod-security.kubernetes.io/enforce": "restricted"}
        metadata = {"name": NAMESPACE, "labels": labels}
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
        started.create("/api/v1/namespaces", namespace)
        for kind in ("ServiceMonitor", "PrometheusRule"):
            started.create(
                "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", definition(kind)
            )
        yield started


def definition(kind: str) -> dict[str, Any]:
    """A kind of the Prometheus operator, with any content."""
    plural = f"{kind.lower()}s"
    schema = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": schema}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.monitoring.coreos.com"},
        "spec": {
            "group": "monitoring.coreos.com",
            "scope": "Namespaced",
            "names": {"kind": kind, "plural": plural, "singular": kind.lower()},
            "versions": [version],
        },
    }


@pytest.fixture(scope="module")
def hand(cluster: Cluster) -> JobHand:
    return JobHand(cluster, NAMESPACE)


def helm(cluster: Cluster, *arguments: str) -> str:
    common = ("--namespace", NAMESPACE, "--kubeconfig", str(cluster.kubeconfig))
    return run_helm(*arguments, *common)


def release(cluster: Cluster, hand: JobHand, *arguments: str) -> list[str]:
    """Install or upgrade; returns the jobs that ran, in order."""
    before = len(hand.ended)
    values = ("--values", str(VALUES / "eks.yaml"))
    with hand.at_work():
        helm(cluster, *arguments, "pao", str(CHART), *values, "--timeout", "120s")
    return [name for name, _ in hand.ended[before:]]


@pytest.fixture(scope="module")
def installed(cluster: Cluster, hand: JobHand) -> list[str]:
    """The first release, and the jobs that it ran."""
    return release(cluster, hand, "install")


def images(cluster: Cluster) -> set[str]:
    found = cluster.get(DEPLOYMENTS)["items"]
    return {one["spec"]["template"]["spec"]["containers"][0]["image"] for one in found}


@pytest.mark.parametrize("values", ["eks", "small"])
def test_its_pods_are_allowed_where_the_strictest_profile_is_enforced(
    cluster: Cluster, values: str
) -> None:
    for name, spec in pods(rendered(values)).items():
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}
        # Of a Job or a Deployment, each with its own rule; pods alone may do either.
        cluster.create(f"/api/v1/namespaces/{NAMESPACE}/pods", pod, dryRun="All")


def test_an_installation_migrates_and_does_not_ask_the_gate(
    cluster: Cluster, installed: list[str]
) -> None:
    assert installed == ["pao-migrate"]
    assert cluster.names(DEPLOYMENTS) == {"pao-api", "pao-worker"}
    assert cluster.get(f"{DEPLOYMENTS}/pao-worker")["spec"]["replicas"] == 2


@pytest.mark.usefixtures("installed")
def test_an_upgrade_asks_the_gate_first_and_leaves_the_autoscaler_s_number(
    cluster: Cluster, hand: JobHand
) -> None:
    cluster.patch(f"{DEPLOYMENTS}/pao-api/scale", {"spec": {"replicas": 5}})

    ran = release(cluster, hand, "upgrade", "--set", f"image.digest={NEWER}")

    assert ran == ["pao-replay-gate", "pao-migrate"]
    assert all(image.endswith(NEWER) for _, image in hand.ended[-2:])
    assert cluster.get(f"{DEPLOYMENTS}/pao-api")["spec"]["replicas"] == 5
    assert all(image.endswith(NEWER) for image in images(cluster))


@pytest.mark.usefixtures("installed")
def test_a_gate_that_fails_stops_the_release_before_anything_changes(
    cluster: Cluster, hand: JobHand
) -> None:
    before, jobs = images(cluster), len(hand.ended)
    hand.failing = {"pao-replay-gate"}
    try:
        with pytest.raises(HelmError, match="pre-upgrade hooks failed"):
            release(cluster, hand, "upgrade", "--set", f"image.digest=sha256:{'e' * 64}")
    finally:
        hand.failing = set()

    assert [name for name, _ in hand.ended[jobs:]] == ["pao-replay-gate"]
    assert images(cluster) == before


@pytest.mark.usefixtures("installed")
def test_a_rollback_asks_the_gate_with_the_older_image(cluster: Cluster, hand: JobHand) -> None:
    jobs = len(hand.ended)
    with hand.at_work():
        helm(cluster, "rollback", "pao", "1", "--timeout", "120s")

    [(name, image)] = hand.ended[jobs:]
    assert name == "pao-replay-gate"
    assert image.endswith("0123456789abcdef" * 4)
    assert images(cluster) == {image}
    assert cluster.get(f"{DEPLOYMENTS}/pao-api")["spec"]["replicas"] == 5


@pytest.mark.usefixtures("installed")
def test_helm_test_runs_a_signed_call(cluster: Cluster, hand: JobHand) -> None:
    with hand.at_work():
        said = helm(cluster, "test", "pao", "--timeout", "60s")

    assert "Succeeded" in said
    assert hand.ended[-1][0] == "pao-signed-call"


@pytest.mark.usefixtures("installed")
def test_nothing_stays_but_what_ended(cluster: Cluster) -> None:
    helm(cluster, "uninstall", "pao")

    # Jobs go by themselves after a day; until then their logs can be read.
    assert cluster.names(JOBS) <= {"pao-migrate", "pao-replay-gate"}
    for path in (
        DEPLOYMENTS,
        f"/api/v1/namespaces/{NAMESPACE}/services",
        f"/api/v1/namespaces/{NAMESPACE}/serviceaccounts",
        f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/ingresses",
        f"/apis/networking.k8s.io/v1/namespaces/{NAMESPACE}/networkpolicies",
        f"/apis/policy/v1/namespaces/{NAMESPACE}/poddisruptionbudgets",
        f"/apis/autoscaling/v2/namespaces/{NAMESPACE}/horizontalpodautoscalers",
        f"/apis/monitoring.coreos.com/v1/namespaces/{NAMESPACE}/servicemonitors",
        f"/apis/monitoring.coreos.com/v1/namespaces/{NAMESPACE}/prometheusrules",
    ):
        assert cluster.names(path) == set(), path


@pytest.fixture(autouse=True)
def _no_configuration_of_a_person(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Keep helm away from the repositories and plugins of whoever runs the tests."""
    for name in ("HELM_CONFIG_HOME", "HELM_CACHE_HOME", "HELM_DATA_HOME"):
        monkeypatch.setenv(name, str(tmp_path))
