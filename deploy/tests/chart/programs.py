"""What the tests of the chart run: helm, etcd and kube-apiserver from Go modules, Prometheus.

    python -m deploy.tests.chart.programs

builds and installs what is missing: a quarter of an hour on two quiet cores, once.
"""

from pathlib import Path

from deploy.tests.debian import install
from deploy.tests.go_builds import built

FOLDER = Path(__file__).parent
KUBE = ("go.etcd.io/etcd/server/v3", "k8s.io/kubernetes/cmd/kube-apiserver")
KUBERNETES = "1.34"
# The version that the API server tells, which charts may ask for; as in kube/go.mod.
VERSION = {
    "k8s.io/component-base/version.gitVersion": f"v{KUBERNETES}.4",
    "k8s.io/component-base/version.gitMajor": "1",
    "k8s.io/component-base/version.gitMinor": "34",
}


def helm() -> str:
    """Return the command of helm."""
    return str(built(FOLDER / "tools", ["helm.sh/helm/v3/cmd/helm"]) / "helm")


def etcd() -> str:
    """Return the command of etcd."""
    return str(_kube() / "server")


def kube_apiserver() -> str:
    """Return the command of the API server of Kubernetes."""
    return str(_kube() / "kube-apiserver")


def _kube() -> Path:
    return built(FOLDER / "kube", KUBE, variables=VERSION)


def install_prometheus() -> None:
    """Make sure that prometheus and promtool are there."""
    install({"prometheus": "prometheus", "promtool": "prometheus"})


if __name__ == "__main__":
    install_prometheus()
    for program in (helm(), etcd(), kube_apiserver()):
        print(program)
