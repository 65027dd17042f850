"""Where modules come from: folders, git, a registry; and only what the operator has listed."""

import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from activities.action_errors import ActionFailedError
from activities.options import TerraformOptions
from activities.terraform.execution_spec import ModuleSource
from activities.terraform.source import check_allowed
from tests.support.git import commit_files, git
from tests.support.terraform import TerraformBench

MODULE = 'variable "name" {}\noutput "name" { value = "VERSION ${var.name}" }\n'
CONFIG = {"variables": {"name": "orders"}}
LISTED = (
    "/srv/modules",
    "https://git.example.com/platform/",
    "ssh://git@git.example.com/platform",
    "acme",
    "registry.example.com/acme/network/aws",
)


@pytest.fixture
def ground(tmp_path: Path, terraform_program: Path) -> TerraformBench:
    return TerraformBench.made(tmp_path, terraform_program)


@pytest.mark.parametrize(
    "source",
    [
        ModuleSource(path="/srv/modules"),
        ModuleSource(path="/srv/modules/network"),
        ModuleSource(git="https://git.example.com/platform/network.git"),
        ModuleSource(git="ssh://git@git.example.com/platform/network.git"),
        ModuleSource(registry="acme/network/aws"),
        ModuleSource(registry="registry.example.com/acme/network/aws"),
    ],
)
def test_what_is_listed_may_run(source: ModuleSource) -> None:
    assert check_allowed(source, TerraformOptions(sources=LISTED)) == source


@pytest.mark.parametrize(
    "source",
    [
        ModuleSource(path="/srv/modules-of-others"),
        ModuleSource(path="/srv/modules/../secret"),
        ModuleSource(path="modules"),
        ModuleSource(path="/"),
        ModuleSource(git="https://git.example.com/platform-evil/x"),
        ModuleSource(git="https://git.example.com/platform/../other/x"),
        ModuleSource(git="https://git.example.com/platform/%2e%2e/x"),
        ModuleSource(git="https://git.example.com.evil.example/platform/x"),
        ModuleSource(git="https://git.example.com@evil.example/platform/x"),
        ModuleSource(git="https://user:password@git.example.com/platform/x"),
        ModuleSource(git="http://git.example.com/platform/x"),
        ModuleSource(git="ext::sh -c whoami"),
        ModuleSource(git="git@git.example.com:platform/x"),
        ModuleSource(git="/srv/modules/x"),
        ModuleSource(registry="acmeevil/network/aws"),
        ModuleSource(registry="other/network/aws"),
        ModuleSource(registry="registry.example.com/acme/network/azurerm"),
        ModuleSource(registry="./local"),
    ],
)
def test_what_is_not_listed_is_refused(source: ModuleSource) -> None:
    with pytest.raises(ActionFailedError):
        check_allowed(source, TerraformOptions(sources=LISTED))


def test_without_a_list_nothing_may_run() -> None:
    with pytest.raises(ActionFailedError, match="TERRAFORM_SOURCES"):
        check_allowed(ModuleSource(path="/srv/modules"), TerraformOptions())


def test_a_relative_folder_is_looked_up_in_those_that_are_listed(tmp_path: Path) -> None:
    (tmp_path / "two" / "network").mkdir(parents=True)
    roots = (str(tmp_path / "one"), str(tmp_path / "two"))
    found = check_allowed(ModuleSource(path="network"), TerraformOptions(sources=roots))
    assert found.path == str(tmp_path / "two" / "network")
    with pytest.raises(ActionFailedError):
        check_allowed(ModuleSource(path="../three/network"), TerraformOptions(sources=roots))


def test_a_link_out_of_a_listed_folder_is_no_way_out(tmp_path: Path) -> None:
    (tmp_path / "listed").mkdir()
    (tmp_path / "listed" / "link").symlink_to("/etc")
    with pytest.raises(ActionFailedError):
        check_allowed(
            ModuleSource(path=str(tmp_path / "listed" / "link")),
            TerraformOptions(sources=(str(tmp_path / "listed"),)),
        )


async def test_a_folder_is_copied_and_a_module_within_it_may_use_its_neighbours(
    ground: TerraformBench,
) -> None:
    outer = (
        'module "n" {\n  source = "../near"\n  name = "x"\n}\noutput "n" { value = module.n.name }'
    )
    ground.module(outer, "all/far")
    ground.module(MODULE, "all/near")
    source = {"path": str(ground.folder / "modules" / "all"), "directory": "far"}
    result = await ground.execute({"source": source})
    assert result.outputs["values"] == {"n": "VERSION x"}
    assert not list((ground.folder / "modules").rglob("*.tf.json")), "the source stays as it is"


@pytest.mark.parametrize(
    ("directory", "told"),
    [("..", "within the source"), ("absent", "no folder"), ("empty", "no Terraform configuration")],
)
async def test_a_folder_that_holds_no_module_is_said(
    ground: TerraformBench, directory: str, told: str
) -> None:
    source = ground.module(MODULE)["source"]
    (Path(source["path"]) / "empty").mkdir()
    failure = await ground.failure({"source": {**source, "directory": directory}})
    assert told in failure.message
    assert failure.facts["cause"] == "input"


async def test_a_module_comes_from_git_at_a_tag(ground: TerraformBench) -> None:
    repository = ground.folder / "repository"
    for version in ("v1", "v2"):
        commit_files(repository, {"network/main.tf": MODULE.replace("VERSION", version)})
        git(repository, "tag", version)
    address = f"file://{repository}"
    listed = ground.having(sources=(address,))
    source = {"git": address, "directory": "network"}

    first = await listed.execute(CONFIG | {"source": {**source, "ref": "v1"}})
    newest = await listed.execute(CONFIG | {"source": source}, again=True)
    gone = await listed.failure(CONFIG | {"source": {**source, "ref": "v3"}})
    absent = await listed.failure(CONFIG | {"source": {"git": f"{address}/absent"}})

    assert first.outputs["values"] == {"name": "v1 orders"}
    assert newest.outputs["values"] == {"name": "v2 orders"}
    assert newest.outputs["workspace"] == first.outputs["workspace"]
    assert "git could not get" in gone.message
    assert "v3" in gone.message
    assert (gone.facts["cause"], absent.facts["cause"]) == ("input", "access")


def archive() -> bytes:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as tar:
        for name in ("main.tf", "modules/inner/main.tf"):
            content = MODULE.replace("VERSION", name).encode()
            told = tarfile.TarInfo(name)
            told.size = len(content)
            tar.addfile(told, io.BytesIO(content))
    return packed.getvalue()


@pytest.fixture
def registry() -> Iterator[str]:
    """A module registry with one module; gives its address."""
    files = {"/module.tar.gz": archive()}
    versions = {"modules": [{"versions": [{"version": "1.0.0"}, {"version": "1.2.0"}]}]}
    files["/v1/acme/network/aws/versions"] = json.dumps(versions).encode()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            if path.endswith("/1.2.0/download"):
                digest = hashlib.md5(files["/module.tar.gz"]).hexdigest()  # noqa: S324 -- a name
                self.send_response(204)
                get = f"http://{self.headers['Host']}/module.tar.gz?archive=tar.gz&n={digest}"
                self.send_header("X-Terraform-Get", get)
                self.end_headers()
                return
            body = files.get(path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


async def test_a_module_comes_from_a_registry_at_its_version(
    ground: TerraformBench, registry: str
) -> None:
    config = ground.folder / "terraform.rc"
    services = f'services = {{ "modules.v1" = "{registry}/v1/" }}'
    config.write_text(f'host "registry.example.com" {{\n  {services}\n}}\n')
    address = "registry.example.com/acme/network/aws"
    listed = ground.having(sources=(address,), cli_config=config)
    source = {"registry": address, "version": "1.2.0"}

    whole = await listed.execute(CONFIG | {"source": source})
    inner = await listed.execute(CONFIG | {"source": {**source, "directory": "modules/inner"}})
    gone = await listed.failure(CONFIG | {"source": {**source, "version": "9.0.0"}})

    assert whole.outputs["values"] == {"name": "main.tf orders"}
    assert inner.outputs["values"] == {"name": "modules/inner/main.tf orders"}
    assert "could not be fetched from its registry" in gone.message
