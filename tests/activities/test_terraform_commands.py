"""Commands of a module run on the worker: refused wherever they are written, unless allowed."""

import json
from pathlib import Path

import pytest

from activities.terraform.commands import commands_in, commands_in_plan
from activities.terraform.hcl import UnreadableFileError
from tests.support.terraform import TerraformBench

RUNS = '  provisioner "local-exec" { command = "touch FOLDER/ran" }\n'
AT_ROOT = 'resource "terraform_data" "x" {\n' + RUNS + "}\n"
INNER = """{
  from = terraform_data.x
  provisioner LABEL {
    when    = destroy
    command = "touch FOLDER/ran"
  }
}
"""
REMOVED = "removed " + INNER.replace("LABEL", '"local-exec"')
DATA = 'data "external" "x" { program = ["touch", "FOLDER/ran"] }\n'
ENCRYPTED = 'terraform {\n  encryption {\n    key_provider "external" "k" {}\n  }\n}\n'
IN_MODULE = 'module "inner" { source = "./inner" }\n'
IN_JSON = (
    '{"resource": {"terraform_data": {"x": {"provisioner": '
    '[{"local-exec": {"command": "touch FOLDER/ran"}}]}}}}'
)
ESCAPED_JSON = IN_JSON.replace("provisioner", "prov\\u0069sioner")
TWICE_JSON = '{"resource": {}, ' + IN_JSON[1:-1] + ', "resource": []}'


@pytest.fixture
def ground(tmp_path: Path, terraform_program: Path) -> TerraformBench:
    return TerraformBench.made(tmp_path, terraform_program)


def write(ground: TerraformBench, file: str, text: str) -> None:
    path = ground.folder / "modules" / "module" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("FOLDER", str(ground.folder)))


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"main.tf": AT_ROOT}, "local-exec of terraform_data.x in main.tf"),
        (
            {"main.tf": IN_MODULE, "inner/main.tf": AT_ROOT},
            "local-exec of module.inner.terraform_data.x in main.tf",
        ),
        (
            {"main.tf": "", "more.tf.json": IN_JSON},
            "local-exec of terraform_data.x in more.tf.json",
        ),
        ({"main.tf": "", "more.tf.json": ESCAPED_JSON}, "local-exec of terraform_data.x"),
        ({"main.tf": "", "more.tf.json": TWICE_JSON}, "local-exec of terraform_data.x"),
        ({"main.tf": REMOVED}, "local-exec of a removed block in main.tf"),
        ({"main.tf": IN_MODULE, "inner/main.tf": REMOVED}, "of a removed block in main.tf"),
        (
            {"main.tf": "removed /* */ " + INNER.replace("LABEL", "local-exec")},
            "of a removed block",
        ),
        ({"main.tf": "removed// x\n" + INNER.replace("LABEL", "local-exec")}, "of a removed block"),
        ({"main.tf": "", "more.tofu": REMOVED}, "of a removed block in more.tofu"),
        ({"main.tf": "", "more.tofu.json": IN_JSON}, "terraform_data.x in more.tofu.json"),
        ({"main.tf": "", "x_override.tf": REMOVED}, "of a removed block in x_override.tf"),
        ({"main.tf": DATA}, "data external.x in main.tf"),
        ({"main.tf": 'check "c" {\n' + DATA + "}\n"}, "data external.x in main.tf"),
        ({"main.tf": DATA.replace("external", "\\u0065xternal")}, "data external.x in main.tf"),
        (
            {"main.tf": 'provider "kubernetes" {\n  exec { command = "sh" }\n}\n'},
            "exec of provider kubernetes in main.tf",
        ),
        (
            {"main.tf": 'provider "helm" {\n  kubernetes = { "ex\\u0065c" = {} }\n}\n'},
            "exec of provider helm in main.tf",
        ),
        (
            {"main.tf": 'terraform {\n  backend "kubernetes" { exec { command = "sh" } }\n}\n'},
            "exec of backend kubernetes in main.tf",
        ),
        (
            {"main.tf": 'provider "helm" {\n  kubernetes { config_paths = ["./k"] }\n}\n'},
            "config_paths of provider helm in main.tf",
        ),
        (
            {"main.tf": 'terraform {\n  backend "kubernetes" { config_path = "k" }\n}\n'},
            "config_path of backend kubernetes in main.tf",
        ),
        (
            {"main.tf": 'provider "docker" {\n  ssh_opts = ["-o", "ProxyCommand=sh"]\n}\n'},
            "ssh_opts of provider docker in main.tf",
        ),
        (
            {"main.tf": 'resource "helm_release" "a" {\n  postrender { binary_path = "x" }\n}\n'},
            "postrender of resource helm_release.a in main.tf",
        ),
        (
            {"main.tf": 'data "helm_template" "a" {\n  postrender = { binary_path = "x" }\n}\n'},
            "postrender of data helm_template.a in main.tf",
        ),
        (
            {"main.tf": 'resource "ansible_playbook" "p" {\n  playbook = "p.yml"\n}\n'},
            "resource ansible_playbook.p in main.tf",
        ),
        (
            {"main.tf": ENCRYPTED},
            "key_provider external in main.tf",
        ),
        ({"main.tf": "", "terraform.d/plugins/x": ""}, "plugins in terraform.d"),
        ({"main.tf": 'locals { a = "\n'}, "main.tf line 1 is not valid HCL"),
        ({"main.tf": "", "more.tf.json": "{"}, "more.tf.json is not valid JSON"),
    ],
)
async def test_a_module_that_runs_commands_is_refused_before_anything_is_made(
    ground: TerraformBench, files: dict[str, str], named: str
) -> None:
    for file, text in files.items():
        write(ground, file, text)
    failure = await ground.failure(
        ground.module((ground.folder / "modules/module/main.tf").read_text())
    )
    assert named in failure.message
    assert "nothing was changed" in failure.message.lower()
    assert (failure.kind, failure.left) == ("ActionFailed", [])
    assert (failure.facts["cause"], failure.facts["retryable"]) == ("ours", False)
    assert not list(ground.folder.rglob("terraform.tfstate"))
    assert not list(ground.folder.glob("ran"))


async def test_commands_in_the_items_backend_are_refused(ground: TerraformBench) -> None:
    backend = {"type": "kubernetes", "config": {"exec": {"command": "touch"}}}
    failure = await ground.failure(ground.module("") | {"backend": backend})
    assert "exec of the backend" in failure.message
    assert "TERRAFORM_ALLOW_PROVISIONERS" in failure.message


async def test_texts_comments_and_values_that_only_mention_commands_are_no_commands(
    ground: TerraformBench,
) -> None:
    text = """
# removed { provisioner "local-exec" {} }
/* provisioner "local-exec" { } */
locals {
  text = <<-EOT
    removed {
      provisioner "local-exec" { command = "x" }
    ${join(",", ["}", "{"])}
    EOT
  exec = { exec = "provisioner 'x' {" }
}
output "text" { value = local.exec.exec }
"""
    result = await ground.execute(ground.module(text))
    assert result.outputs["values"] == {"text": "provisioner 'x' {"}


async def test_a_module_outside_of_the_source_is_refused(ground: TerraformBench) -> None:
    outside = ground.folder / "outside"
    outside.mkdir()
    (outside / "main.tf").write_text("")
    failure = await ground.failure(
        ground.module(f'module "inner" {{ source = {json.dumps(str(outside))} }}')
    )
    assert "module.inner is a folder of the worker" in failure.message


async def test_links_out_of_the_module_are_refused(ground: TerraformBench) -> None:
    config = ground.module("")
    (ground.folder / "modules/module/more.tf").symlink_to(ground.folder / "x")
    failure = await ground.failure(config)
    assert "symbolic links that lead out of it (more.tf)" in failure.message


async def test_links_within_the_module_are_followed(ground: TerraformBench) -> None:
    write(ground, "all/texts/a.txt", "here")
    (ground.folder / "modules/module/all/link").symlink_to("texts")
    text = 'output "text" { value = file("all/link/a.txt") }'
    result = await ground.execute(ground.module(text))
    assert result.outputs["values"] == {"text": "here"}


async def test_an_override_file_cannot_move_the_state(ground: TerraformBench) -> None:
    config = ground.module("") | {"backend": {"type": "http", "config": {}}}
    backend = 'terraform {\n  backend "inmem" {}\n}\n'
    (ground.folder / "modules/module/zz_override.tf").write_text(backend)
    failure = await ground.failure(config)
    assert "overrides the backend http by inmem" in failure.message


async def test_a_backend_behind_a_comment_is_the_modules_own(ground: TerraformBench) -> None:
    module = ground.module('/* x */ terraform {\n/* y */ backend "inmem" {}\n}\n')
    result = await ground.execute(module)
    assert "inmem" in result.outputs["state"]


async def test_an_operator_may_allow_them(ground: TerraformBench) -> None:
    write(ground, "main.tf", AT_ROOT)
    text = (ground.folder / "modules/module/main.tf").read_text()
    await ground.having(allow_provisioners=True).execute(ground.module(text))
    assert list(ground.folder.glob("ran"))


@pytest.mark.parametrize(
    "content",
    [b"\xff", b"a {\n" * 5_000 + b"}\n" * 5_000, b"x" * 5_000_000],
)
def test_a_file_that_cannot_be_read_for_certain_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "main.tf").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"main\.tf"):
        commands_in(tmp_path)


@pytest.mark.parametrize("content", [b'{"a": ' + b"[" * 100_000 + b"]" * 100_000 + b"}", b"{}{}"])
def test_json_that_cannot_be_read_for_certain_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "main.tf.json").write_bytes(content)
    with pytest.raises(UnreadableFileError, match=r"main\.tf\.json"):
        commands_in(tmp_path)


def test_files_that_terraform_does_not_load_are_not_read(tmp_path: Path) -> None:
    for name in (".hidden.tf", "main.tf~", "#main.tf#", "main.txt"):
        (tmp_path / name).write_text("{")
    assert commands_in(tmp_path) == []


def test_modules_of_modules_are_searched_too() -> None:
    deepest = {"resources": [{"address": "a.b", "provisioners": [{"type": "file"}]}]}
    plan = {
        "configuration": {
            "root_module": {
                "module_calls": {"one": {"module": {"module_calls": {"two": {"module": deepest}}}}}
            }
        }
    }
    assert commands_in_plan(plan) == ["file of module.one.module.two.a.b"]
