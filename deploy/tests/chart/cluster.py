"""A real API server with etcd and no nodes: what it stores is what a cluster would start from.

Nothing runs a pod here, so whoever waits for one plays its part: ``JobHand`` ends jobs and pods.
"""

import os
import secrets
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import yaml
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from deploy.tests.chart.programs import etcd, kube_apiserver

START_SECONDS = 180.0


@dataclass(frozen=True, slots=True)
class Cluster:
    """A running API server, and how to reach it."""

    client: httpx.Client
    kubeconfig: Path

    def get(self, path: str) -> dict[str, Any]:
        """Return what is at a path."""
        return dict(self.client.get(path).raise_for_status().json())

    def create(self, path: str, document: dict[str, Any], **query: str) -> dict[str, Any]:
        """Create an object; raises AssertionError with the server's reason."""
        answer = self.client.post(path, json=document, params=query)
        assert answer.is_success, answer.text
        return dict(answer.json())

    def patch(self, path: str, document: dict[str, Any]) -> None:
        """Merge a document into what is at a path."""
        headers = {"Content-Type": "application/merge-patch+json"}
        answer = self.client.patch(path, json=document, headers=headers)
        assert answer.is_success, answer.text

    def names(self, path: str) -> set[str]:
        """Return the names of all objects of a list."""
        return {one["metadata"]["name"] for one in self.get(path)["items"]}


@contextmanager
def running_cluster(folder: Path) -> Iterator[Cluster]:
    """Start etcd and the API server; end both afterwards."""
    ports = _free_ports(3)
    token = secrets.token_hex(16)
    (folder / "tokens.csv").write_text(f"{token},admin,admin,system:masters\n")
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    (folder / "accounts.key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    store = f"http://127.0.0.1:{ports[0]}"
    with ExitStack() as ends:
        ends.enter_context(
            _program(
                folder / "etcd.log",
                etcd(),
                f"--data-dir={folder / 'etcd'}",
                f"--listen-client-urls={store}",
                f"--advertise-client-urls={store}",
                f"--listen-peer-urls=http://127.0.0.1:{ports[1]}",
                "--unsafe-no-fsync",
            )
        )
        server = ends.enter_context(
            _program(
                folder / "apiserver.log",
                kube_apiserver(),
                f"--etcd-servers={store}",
                "--bind-address=127.0.0.1",
                f"--secure-port={ports[2]}",
                f"--cert-dir={folder / 'certificates'}",
                f"--token-auth-file={folder / 'tokens.csv'}",
                "--authorization-mode=RBAC",
                "--service-cluster-ip-range=10.96.0.0/24",
                "--service-account-issuer=https://kubernetes.default.svc",
                f"--service-account-key-file={folder / 'accounts.key'}",
                f"--service-account-signing-key-file={folder / 'accounts.key'}",
                # Nobody makes the account `default` that it would demand.
                "--disable-admission-plugins=ServiceAccount",
            )
        )
        url = f"https://127.0.0.1:{ports[2]}"
        # Its certificate is made at its start, for this run.
        client = ends.enter_context(
            httpx.Client(
                base_url=url,
                headers={"Authorization": f"Bearer {token}"},
                verify=False,  # noqa: S501 -- as above
                trust_env=False,
                timeout=30,
            )
        )
        _wait(lambda: _is_ready(client), server, folder / "apiserver.log")
        yield Cluster(client, _kubeconfig(folder / "kubeconfig", url, token))


def _kubeconfig(file: Path, url: str, token: str) -> Path:
    cluster = {"server": url, "insecure-skip-tls-verify": True}
    file.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "test",
                "clusters": [{"name": "test", "cluster": cluster}],
                "users": [{"name": "admin", "user": {"token": token}}],
                "contexts": [{"name": "test", "context": {"cluster": "test", "user": "admin"}}],
            }
        )
    )
    return file


def _free_ports(count: int) -> list[int]:
    with ExitStack() as opened:
        taken = [opened.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [one.getsockname()[1] for one in taken]


@contextmanager
def _program(log: Path, *command: str) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=os.environ)  # noqa: S603 -- our own programs
    try:
        yield process
    finally:
        process.terminate()
        process.wait(60)


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").is_success
    except httpx.TransportError:
        return False


def _wait(condition: Callable[[], bool], process: "subprocess.Popen[bytes]", log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while not condition():
        alive = process.poll() is None and time.monotonic() < until
        assert alive, log.read_text(errors="replace")[-3000:]
        time.sleep(0.3)


@dataclass(slots=True)
class JobHand:
    """Ends the jobs and pods of a namespace as nodes would, and remembers in which order.

    ``failing`` names those that fail.
    """

    cluster: Cluster
    namespace: str
    failing: set[str] = field(default_factory=set)
    ended: list[tuple[str, str]] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def at_work(self) -> Iterator["JobHand"]:
        """End what appears until the block ends."""
        self._stop.clear()
        thread = threading.Thread(target=self._work, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            thread.join()

    def _work(self) -> None:
        while not self._stop.wait(0.2):
            base = f"/apis/batch/v1/namespaces/{self.namespace}/jobs"
            for job in self.cluster.get(base)["items"]:
                self._end(job, f"{base}/{job['metadata']['name']}/status", self._job_status)
            base = f"/api/v1/namespaces/{self.namespace}/pods"
            for pod in self.cluster.get(base)["items"]:
                self._end(pod, f"{base}/{pod['metadata']['name']}/status", self._pod_status)

    def _end(
        self, one: dict[str, Any], path: str, status: Callable[[bool], dict[str, Any]]
    ) -> None:
        name, uid = one["metadata"]["name"], one["metadata"]["uid"]
        if uid in self._seen:
            return
        self._seen.add(uid)
        spec = (
            one["spec"].get("template", one)["spec"] if "template" in one["spec"] else one["spec"]
        )
        self.ended.append((name, spec["containers"][0]["image"]))
        self.cluster.patch(path, {"status": status(name not in self.failing)})

    @staticmethod
    def _job_status(succeeded: bool) -> dict[str, Any]:  # noqa: FBT001 -- the outcome itself
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        kinds = ("SuccessCriteriaMet", "Complete") if succeeded else ("FailureTarget", "Failed")
        conditions = [
            {
                "type": kind,
                "status": "True",
                "lastProbeTime": now,
                "lastTransitionTime": now,
                "reason": "Test",
                "message": "",
            }
            for kind in kinds
        ]
        status: dict[str, Any] = {"startTime": now, "conditions": conditions}
        return status | ({"completionTime": now, "succeeded": 1} if succeeded else {"failed": 1})

    @staticmethod
    def _pod_status(succeeded: bool) -> dict[str, Any]:  # noqa: FBT001 -- as above
        return {"phase": "Succeeded" if succeeded else "Failed"}
