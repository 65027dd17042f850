"""The package of docs/adding-an-action.md, built from the page, installed and run."""

import json
import os
import re
import socket
import subprocess
import sys
import sysconfig
import textwrap
from pathlib import Path

import pytest

from tests.support.raw_servers import answering, raw_server

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "adding-an-action.md"
BLOCK = re.compile(r"^```\w+\n# file: (?P<path>\S+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
RUN = """
    import asyncio, json, sys
    from activities.registry import loaded
    from tests.support.actions import ActionRunner

    async def main() -> None:
        action = loaded().actions["dns-record"]
        runner = ActionRunner(action, secrets={"dns_token": "s3cret-token-value"})
        config = dict(action.examples[1], server=sys.argv[1])
        request = runner.request(config)
        first = await runner.execute(request)
        second = await runner.again(request)
        await runner.close()
        print(json.dumps({
            "outputs": [first.outputs, second.outputs],
            "adopted": second.adopted,
            "cleanup": first.cleanup,
        }))

    asyncio.run(main())
"""


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh environment with the package of the page in it, and PAO with what it needs beside."""
    folder = tmp_path_factory.mktemp("dns")
    package = folder / "pao-dns"
    for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8")):
        file = package / found["path"]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(found["text"], encoding="utf-8")
    fresh = folder / "env"
    uv = Path(sys.executable).parent / "uv"
    run(uv, "venv", "--quiet", "--offline", "--python", sys.executable, str(fresh))
    # What PAO needs is not downloaded a second time: the fresh environment sees ours.
    site = next((fresh / "lib").glob("python*/site-packages"))
    (site / "pao-beside.pth").write_text(
        f"{ROOT}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8"
    )
    build = folder / "dist"
    run(
        uv,
        "build",
        "--quiet",
        "--offline",
        "--no-build-isolation",
        "--wheel",
        "--out-dir",
        str(build),
        str(package),
        python=sys.executable,
    )
    [wheel] = build.glob("*.whl")
    run(
        uv,
        "pip",
        "install",
        "--quiet",
        "--offline",
        "--no-deps",
        "--python",
        str(fresh / "bin" / "python"),
        str(wheel),
    )
    return fresh


def run(program: Path, *arguments: str, python: str = "", check: bool = True) -> str:
    """Run a program; gives what it prints."""
    environ = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/")}
    if python:
        environ["VIRTUAL_ENV"] = str(Path(python).parent.parent)
    done = subprocess.run(  # noqa: S603 -- programs of the test's own
        [str(program), *arguments], capture_output=True, text=True, check=False, env=environ
    )
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_package_of_the_page_shows_up_beside_paos_own_types(environment: Path) -> None:
    python = environment / "bin" / "python"
    listed = json.loads(run(python, "-m", "pao", "actions", "list", "-o", "json"))
    [ours] = [one for one in listed["actions"] if one["type"] == "dns-record"]
    assert ours["source"] == "pao-dns 1.0.0"
    assert listed["problems"] == []
    shown = run(python, "-m", "pao", "actions", "show", "dns-record")
    assert "Token for it; take it from secrets" in shown


def test_the_package_of_the_page_makes_its_record_once(environment: Path) -> None:
    records: list[dict[str, str]] = []

    def serve(connection: socket.socket, request: bytes) -> None:
        assert b"Bearer s3cret-token-value" in request
        if request.startswith(b"POST"):
            given = json.loads(request.partition(b"\r\n\r\n")[2])
            records.append({"id": f"R-{len(records) + 1}", **given})
            answering(json.dumps(records[-1]).encode(), status="201 Created")(connection, request)
            return
        mark = request.split(b" ")[1].partition(b"comment=")[2].decode()
        found = [one for one in records if one["comment"] == mark]
        answering(json.dumps(found).encode())(connection, request)

    python = environment / "bin" / "python"
    with raw_server(serve) as server:
        told = json.loads(run(python, "-c", textwrap.dedent(RUN), server.url))
    assert len(records) == 1
    assert told == {
        "outputs": [{"id": "R-1", "name": "static.example.com"}] * 2,
        "adopted": True,
        "cleanup": "Delete the DNS record R-1.",
    }


def test_the_tests_of_the_page_pass(environment: Path) -> None:
    tests = environment.parent / "pao-dns" / "tests"
    arguments = ("-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", str(tests))
    assert "3 passed" in run(environment / "bin" / "python", *arguments, str(tests))


def test_the_item_of_the_page_may_be_put_into_a_catalog(environment: Path) -> None:
    catalog = environment.parent / "pao-dns" / "catalog"
    told = run(environment / "bin" / "python", "-m", "pao", "catalog", "validate", str(catalog))
    assert "error" not in told


def test_the_files_of_the_page_are_a_whole_package() -> None:
    files = {found["path"] for found in BLOCK.finditer(PAGE.read_text(encoding="utf-8"))}
    assert files == {
        "pyproject.toml",
        "pao_dns/__init__.py",
        "tests/test_dns_record.py",
        "catalog/network/network-dns-static.yaml",
    }
    code = next(f for f in BLOCK.finditer(PAGE.read_text(encoding="utf-8")) if "init" in f["path"])
    ours = set(re.findall(r"^(?:from|import) (\S+)", code["text"], re.MULTILINE))
    assert ours == {"json", "pao.extension", "pydantic"}
