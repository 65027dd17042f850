"""`pao` against a scripted service."""

import os
import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from typer.testing import CliRunner, Result

from pao.app.cli.main import app as pao_app
from tests.pao.app.cli.questions import ITEM, Start, form
from tests.pao.app.cli.scripted import Pao, Service, answered, request
from tests.pao.app.cli.terminals import Places, Terminal


@pytest.fixture(scope="session")
def listening() -> Iterator[tuple[str, list[Service]]]:
    current: list[Service] = []

    async def handle(request: Request) -> Response:
        return await current[-1].handle(request)

    app = Starlette(routes=[Route("/{path:path}", handle, methods=["GET", "POST", "DELETE"])])
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{listener.getsockname()[1]}", current
    server.should_exit = True
    thread.join(10)
    listener.close()


@pytest.fixture
def service(listening: tuple[str, list[Service]]) -> Service:
    url, current = listening
    current.append(Service(url=url))
    return current[-1]


@pytest.fixture
def environ(service: Service, tmp_path: Path) -> dict[str, str | None]:
    return {
        "PAO_URL": service.url,
        "PAO_ACCESS_KEY_ID": "PAOTEST",
        "PAO_SECRET_ACCESS_KEY": "s3cr3t-of-the-test",
        "PAO_REGION": "eu-central-1",
        "PAO_PROFILE": None,
        "XDG_CONFIG_HOME": str(tmp_path),
        "NO_COLOR": "1",
        "COLUMNS": "120",
    }


@pytest.fixture
def pao(environ: dict[str, str | None]) -> Pao:
    def run(*args: str, **variables: str | None) -> Result:
        result = CliRunner().invoke(pao_app, args, env={**environ, **variables})
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        return result

    return run


@pytest.fixture
def on_terminal(
    environ: dict[str, str | None], tmp_path: Path
) -> Iterator[Callable[..., Terminal]]:
    """Start `pao` on a terminal of 80 columns, in the test's own folder."""
    opened: list[Terminal] = []
    given = {name: value for name, value in environ.items() if value is not None}
    everything = {**os.environ, **given, "PYTHONPATH": str(Path.cwd()), "TERM": "xterm"}
    del everything["COLUMNS"], everything["NO_COLOR"]

    def start(
        *arguments: str, columns: int = 80, output: str | None = None, **extra: str
    ) -> Terminal:
        places = Places(folder=str(tmp_path), output=output, columns=columns)
        opened.append(Terminal(arguments, everything | extra, places))
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


@pytest.fixture
def asked(on_terminal: Start, service: Service) -> Start:
    """Start a submission of an item with these fields."""

    def start(*fields: dict[str, Any], given: tuple[str, ...] = (), **environ: str) -> Terminal:
        service.on("GET", "/catalog/items/db", ITEM)
        service.on("GET", "/catalog/items/db/schema", form(*fields))
        if ("POST", "/api/v1/requests") not in service.script:
            service.on("POST", "/requests", answered(request(), 201))
        return on_terminal("request", "submit", "db", *given, NO_COLOR="1", **environ)

    return start
