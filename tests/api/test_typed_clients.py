"""Clients that are generated from the OpenAPI document compile, with programs that use them."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.go import compile_go, oapi_codegen
from tests.support.node import node_packages
from tests.support.stack import Stack

# The generators are fetched and built once; `make test` does so before the tests begin.
pytestmark = pytest.mark.timeout(600)

CLIENTS = Path(__file__).parent / "clients"


@pytest.fixture
def document(stack: Stack, tmp_path: Path) -> Path:
    written = tmp_path / "openapi.json"
    written.write_text(json.dumps(stack.anybody().get("/openapi.json").json()))
    return written


def test_types_for_typescript_compile_in_a_program_that_submits(
    document: Path, tmp_path: Path
) -> None:
    packages = node_packages(CLIENTS / "typescript")
    node, modules = packages.node, packages.modules
    shutil.copy(CLIENTS / "typescript" / "submit.ts", tmp_path)

    generator, compiler = modules / "openapi-typescript/bin/cli.js", modules / "typescript/bin/tsc"
    run(node, generator, document, "-o", tmp_path / "pao.d.ts")
    libraries = ("--target", "es2022", "--lib", "es2022,dom")
    run(node, compiler, "--strict", "--noEmit", *libraries, tmp_path / "submit.ts")


def test_a_client_for_go_compiles_in_a_program_that_submits(document: Path, tmp_path: Path) -> None:
    module = tmp_path / "client"
    shutil.copytree(CLIENTS / "go", module)
    (module / "pao").mkdir()
    written = module / "pao" / "pao.go"

    run(oapi_codegen(), "-generate", "types,client", "-package", "pao", "-o", written, document)
    compile_go(module)


def run(*command: object) -> None:
    done = subprocess.run(  # noqa: S603 -- generators and compilers, as locked
        [str(part) for part in command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
