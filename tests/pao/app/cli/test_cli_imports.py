"""What a command loads: how long it takes is mostly that, on every machine."""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
import typer

from pao.app.cli import commands
from pao.app.cli.main import app
from tests.pao.app.cli.scripted import Service, answered

PROGRAM = """
import json, sys
from pao.app.cli.entry_point import main
try:
    main()
except SystemExit as end:
    sys.exit(end.code)
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
SERVICE = (
    "api",
    "boto3",
    "botocore",
    "fastapi",
    "sqlalchemy",
    "sqlmodel",
    "temporalio",
    "workflows",
)
# Measured, and a tenth more: a figure that rises is a decision, one that falls is lowered here.
OF_VERSION, OF_HELP, OF_LIST = 160, 530, 510


def loaded(environ: Mapping[str, str | None], *arguments: str) -> set[str]:
    done = subprocess.run(  # noqa: S603 -- our own program
        [sys.executable, "-c", PROGRAM, *arguments],
        env={name: value for name, value in environ.items() if value is not None},
        capture_output=True,
        text=True,
        check=True,
    )
    modules = set(json.loads(done.stderr.splitlines()[-1]))
    assert not modules & set(SERVICE)
    return modules


def test_the_version_loads_no_command(environ: dict[str, str | None]) -> None:
    modules = loaded(environ, "--version")
    assert not modules & {"typer", "rich", "asyncio", "httpx", "pao.app.cli.main"}
    assert len(modules) <= OF_VERSION


def test_a_version_that_cannot_be_written_is_an_error() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "pao", "--version"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr == "Error: the output could not be written: No space left on device\n"


def test_help_of_a_command_loads_its_group_and_no_client(environ: dict[str, str | None]) -> None:
    modules = loaded(environ, "request", "list", "--help")
    assert not modules & {"httpx", "pao.app.cli.processes", "pao.app.cli.catalog_validate"}
    assert len(modules) <= OF_HELP


def test_a_list_loads_the_client_and_no_other_group(
    service: Service, environ: dict[str, str | None]
) -> None:
    service.on("GET", "/requests", answered({"data": [], "pagination": {}}))
    modules = loaded(environ, "request", "list")
    assert "httpx" in modules
    assert not modules & {"pao.app.cli.processes", "pao.app.cli.catalog_validate"}
    assert len(modules) <= OF_LIST


def test_every_command_is_listed_and_found() -> None:
    """The table says where commands are; what stands in none of its modules would be lost."""
    root = typer.main.get_group(app)
    assert list(root.commands) == [*dict.fromkeys([*commands.ORDER, *commands.COMMANDS])]
    for name, command in root.commands.items():
        assert command.name == name
        assert command.help


@pytest.mark.parametrize("place", sorted(set(commands.COMMANDS.values())))
def test_no_command_of_the_root_is_forgotten(place: str) -> None:
    known = {name for name, where in commands.COMMANDS.items() if where == place}
    assert set(typer.main.get_group(commands.app_at(place)).commands) == known
