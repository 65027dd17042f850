"""Provisioners run commands on the worker: refused wherever they are, unless allowed."""

from pathlib import Path

import pytest

from activities.terraform.provisioners import provisioners_in
from tests.support.terraform import Ground

RUNS = '  provisioner "local-exec" { command = "touch FOLDER/ran" }\n'
AT_ROOT = 'resource "terraform_data" "x" {\n' + RUNS + "}\n"
REMOVED = (
    'removed {\n  from = terraform_data.x\n  provisioner "local-exec" {\n'
    '    when    = destroy\n    command = "touch FOLDER/ran"\n  }\n}\n'
)
IN_MODULE = 'module "inner" { source = "./inner" }\n'
IN_JSON = (
    '{"resource": {"terraform_data": {"x": {"provisioner": '
    '[{"local-exec": {"command": "touch FOLDER/ran"}}]}}}}'
)


@pytest.fixture
def ground(tmp_path: Path, terraform_program: Path) -> Ground:
    return Ground.made(tmp_path, terraform_program)


def write(ground: Ground, file: str, text: str) -> None:
    path = ground.folder / "modules" / "module" / file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text.replace("FOLDER", str(ground.folder)))


@pytest.mark.parametrize(
    ("files", "named"),
    [
        ({"main.tf": AT_ROOT}, "local-exec of terraform_data.x"),
        (
            {"main.tf": IN_MODULE, "inner/main.tf": AT_ROOT},
            "local-exec of module.inner.terraform_data.x",
        ),
        ({"main.tf": "", "more.tf.json": IN_JSON}, "local-exec of terraform_data.x"),
        ({"main.tf": REMOVED}, "removed blocks in main.tf"),
        ({"main.tf": IN_MODULE, "inner/main.tf": REMOVED}, "removed blocks in main.tf"),
    ],
)
async def test_an_item_with_provisioners_is_refused_before_anything_is_made(
    ground: Ground, files: dict[str, str], named: str
) -> None:
    for file, text in files.items():
        write(ground, file, text)
    failure = await ground.failure(
        ground.module((ground.folder / "modules/module/main.tf").read_text())
    )
    assert named in failure.message
    assert "TERRAFORM_ALLOW_PROVISIONERS" in failure.message
    assert (failure.kind, failure.left) == ("ActionFailed", [])
    assert not list(ground.folder.rglob("terraform.tfstate"))
    assert not list(ground.folder.glob("ran"))


async def test_an_operator_may_allow_them(ground: Ground) -> None:
    write(ground, "main.tf", AT_ROOT)
    text = (ground.folder / "modules/module/main.tf").read_text()
    await ground.having(allow_provisioners=True).execute(ground.module(text))
    assert list(ground.folder.glob("ran"))


def test_modules_of_modules_are_searched_too() -> None:
    deepest = {"resources": [{"address": "a.b", "provisioners": [{"type": "file"}]}]}
    plan = {
        "configuration": {
            "root_module": {
                "module_calls": {"one": {"module": {"module_calls": {"two": {"module": deepest}}}}}
            }
        }
    }
    assert provisioners_in(plan) == ["file of module.one.module.two.a.b"]
