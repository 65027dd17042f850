"""The proxies of the documents, in front of a running PAO: nginx and Caddy with our files."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from deploy.tests.debian import install
from deploy.tests.running import Running, running_pao
from pao.app.cli.http import BASE_PATH, RequestSigner
from pao.app.cli.profiles import ApiTarget
from pao.app.local.ports import free_ports
from tests.support.certificates import make_certificates
from tests.support.stack import wait_until
from tests.support.submissions import dns_body, new_host

DEPLOY = Path(__file__).parents[2]
NAME = "pao.example.com"
PATIENCE_SECONDS = 120.0
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that runs, and the PAO behind it."""

    port: int
    pao: Running

    def client(self, *, from_address: str = "127.0.0.1") -> httpx.Client:
        """Return a client that comes through the proxy; its name is the one that is signed."""
        admin = self.pao.admin
        key = admin["PAO_ACCESS_KEY_ID"], admin["PAO_SECRET_ACCESS_KEY"]
        target = ApiTarget(f"https://{NAME}", admin["PAO_REGION"], "execute-api", *key)
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.port}{BASE_PATH}",
            headers={"Host": NAME},
            auth=RequestSigner(target),
            timeout=PATIENCE_SECONDS,
            transport=_Named(verify=False, local_address=from_address),
        )


class _Named(httpx.HTTPTransport):
    """Asks for the certificate of the name, wherever the connection leads."""

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.extensions = {**request.extensions, "sni_hostname": NAME}
        return super().handle_request(request)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    settings = {
        "PAO_TRUSTED_PROXIES": "127.0.0.1",
        "PAO_PUBLIC_URL": f"https://{NAME}",
        "PAO_STREAM_HEARTBEAT": "1s",
    }
    with running_pao(tmp_path_factory.mktemp("home"), **settings) as made:
        yield made


@contextmanager
def nginx(running: Running, port: int, folder: Path) -> Iterator[None]:
    [plain] = free_ports(1)
    made = make_certificates(folder / "tls", address="127.0.0.1")
    ours = replaced(
        DEPLOY / "nginx/pao.conf",
        {
            "127.0.0.1:8080": running.api,
            "listen 80;": f"listen {plain};",
            "listen 443 ssl": f"listen {port} ssl",
            "/etc/ssl/pao/fullchain.pem": str(made.certificate),
            "/etc/ssl/pao/key.pem": str(made.key),
        },
    )
    around = f"""
daemon off; user root; pid {folder}/pid; error_log {folder}/errors;
events {{}}
http {{
access_log off;
client_body_temp_path {folder}/bodies; proxy_temp_path {folder}/answers;
{ours}
}}
"""
    (folder / "nginx.conf").write_text(around)
    with process("/usr/sbin/nginx", "-p", str(folder), "-c", str(folder / "nginx.conf")):
        yield


@contextmanager
def caddy(running: Running, port: int, folder: Path) -> Iterator[None]:
    [plain] = free_ports(1)
    ours = replaced(
        DEPLOY / "caddy/Caddyfile",
        {"127.0.0.1:8080": running.api, f"{NAME} {{": f"{NAME} {{\n\ttls internal"},
    )
    around = f"""{{
	admin off
	http_port {plain}
	https_port {port}
	skip_install_trust
	storage file_system {folder}/storage
}}
{ours}"""
    (folder / "Caddyfile").write_text(around)
    with process("/usr/bin/caddy", "run", "--config", str(folder / "Caddyfile")):
        yield


def replaced(file: Path, places: dict[str, str]) -> str:
    """Return a file of the documents with what a person sets in it."""
    text = file.read_text("utf-8")
    for old, new in places.items():
        assert old in text, old
        text = text.replace(old, new)
    return text


@contextmanager
def process(*command: str) -> Iterator[None]:
    with subprocess.Popen(command) as started:  # noqa: S603 -- a program of Debian
        try:
            yield
        finally:
            started.terminate()


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def proxy(
    request: pytest.FixtureRequest, running: Running, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    install({"nginx": "nginx", "caddy": "caddy"})
    [port] = free_ports(1)
    with request.param(running, port, tmp_path_factory.mktemp("proxy")):
        made = Proxy(port, running)
        wait_until(lambda: answers(made))
        yield made


def answers(proxy: Proxy) -> bool:
    try:
        with proxy.client() as client:
            return client.get("/health/live").is_success
    except httpx.TransportError:
        return False


def failed(proxy: Proxy, client: httpx.Client) -> str:
    """Return the path of a request that waits for a decision."""
    host = new_host()
    match = {"summaryContains": host}
    fault = {"kind": "status", "status": 400, "match": match}
    faults = f"{proxy.pao.admin['JIRA_SANDBOX_URL']}/sandbox/faults"
    httpx.post(faults, json=fault, trust_env=False).raise_for_status()
    document = client.post("/requests", json=dns_body(host)).raise_for_status().json()
    path = f"/requests/{document['id']}"
    wait_until(lambda: client.get(path).json()["status"] == "failed")
    return path


def test_a_stream_arrives_line_by_line_and_outlives_its_silence(proxy: Proxy) -> None:
    with proxy.client() as client, proxy.client() as other:
        path = failed(proxy, other)
        with client.stream("GET", f"{path}/events") as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.iter_lines()
            states = (json.loads(line[5:]) for line in lines if line.startswith("data:"))
            assert next(one for one in states if one.get("status") == "failed")
            # Signs of life of a stream in which nothing happens.
            beats = (line for line in lines if line.startswith(":"))
            for _ in range(3):
                next(beats)
            other.post(f"{path}/abort", json={"reason": "seen"}).raise_for_status()
            assert next(one for one in states if one.get("status") == "aborted")


def test_a_body_is_bounded_as_pao_bounds_it_and_a_delivery_may_be_larger(proxy: Proxy) -> None:
    with proxy.client() as client:
        for size in (1, 5):
            large = {"catalogItemId": "x" * (size * MEGABYTE + 1)}
            answer = client.post("/requests", json=large)
            assert answer.status_code == 413
            if size == 1:
                assert answer.json()["error"]["code"] == "PAYLOAD_TOO_LARGE"
        delivery = json.dumps({"ref": "x" * (5 * MEGABYTE)}).encode()
        answer = client.post("/webhooks/github", content=delivery)
        # No webhook is set up: what counts is that PAO says so.
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "NOT_FOUND")


def test_a_head_is_as_long_as_pao_takes_it(proxy: Proxy) -> None:
    with proxy.client() as client:
        # One header that is as long as a token may be, several that are so together, and too many.
        for headers, status in (
            ({"X-Long": "x" * 20_000}, 200),
            ({f"X-Long-{one}": "x" * 7_000 for one in range(4)}, 200),
            ({f"X-Long-{one}": "x" * 7_000 for one in range(5)}, 431),
        ):
            answer = client.get("/version", headers=headers)
            assert answer.status_code == status
            assert answer.headers["content-type"] == "application/json"


def test_metrics_are_not_for_the_world(proxy: Proxy) -> None:
    with proxy.client(from_address="127.0.0.2") as client:
        assert client.get("/metrics").status_code in {403, 404}
        assert client.get("/health/live").status_code == 200
