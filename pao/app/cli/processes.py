"""`pao up, api, worker` and the stand-ins: starting processes, their settings checked first."""

import asyncio
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from pao.app.cli.configuration import settings_for
from pao.app.cli.context import CommandContext, callback, command
from pao.app.cli.exits import CliError, ExitCode
from pao.app.cli.profiles import ApiTarget, find_target
from pao.app.cli.rollout import add_promote
from pao.app.local.ports import Ports
from pao.app.process_hardening import make_undumpable, protect_secrets

app = typer.Typer()

_log = logging.getLogger(__name__)
_OWNER = "PAO_MIGRATION_DATABASE_URL"

# In-flight requests have this long to finish when the service stops (operations.md).
_GRACE_SECONDS = 30


@command(app, "api")
def api(_cli: CommandContext) -> None:
    """Serve the HTTP API, configured by environment variables."""
    settings = settings_for("api", os.environ)

    from api.app import create_app  # noqa: PLC0415 -- the service's own weight
    from api.serving import DrainingServer, config  # noqa: PLC0415 -- as above
    from pao.app.cli.logs import configure_from  # noqa: PLC0415 -- OpenTelemetry: 0.1 s

    configure_from(settings)
    protect_secrets(os.environ, {*settings.secret_values(), _owner_address()})
    served = create_app(settings)

    given = settings.http
    server = DrainingServer(
        config(
            served,
            served.protocol,
            proxies=given.trusted_proxies,
            host=given.host,
            port=given.port,
        ),
        on_drain=served.start_draining,
        on_end=served.end_streams,
        grace=_GRACE_SECONDS,
        drain=given.drain.total_seconds(),
    )
    server.run()
    # uvicorn's own exit code for a failed start, 3, means "not allowed" here.
    _end(ExitCode.DONE if server.started else ExitCode.UNAVAILABLE)


workers = typer.Typer(help="Execute workflows and actions; without a command, run a worker.")


@callback(workers)
def worker(_cli: CommandContext) -> None:
    """Execute workflows and actions, configured by environment variables."""
    settings = settings_for("worker", os.environ)

    from uvicorn.loops.auto import auto_loop_factory  # noqa: PLC0415 -- as in `api`

    from pao.app.cli.logs import configure_from  # noqa: PLC0415 -- as in `api`
    from pao.app.worker import process  # noqa: PLC0415 -- as in `api`

    configure_from(settings)
    environment = protect_secrets(os.environ, {*settings.secret_values(), _owner_address()})
    environment.pop(_OWNER, None)
    # The event loop that uvicorn chooses for the API as well: uvloop, where there is one.
    with asyncio.Runner(loop_factory=auto_loop_factory()) as runner:
        runner.run(process.run(settings, environment))
    _end(ExitCode.DONE)


add_promote(workers)
app.add_typer(workers, name="worker")


def _end(code: ExitCode) -> NoReturn:
    """End the process once everything of PAO is closed.

    Native threads of Temporal's SDK may outlive the interpreter, log into it and abort its end.
    """
    logging.shutdown()
    os._exit(code)


def _owner_address() -> str:
    """Return the owner's database address if it is in the environment, where it is not needed."""
    address = os.environ.get(_OWNER, "")
    if address:
        _log.warning("%s is in the environment of this process: give it to `pao db` only", _OWNER)
    return address


@contextmanager
def _startup_errors() -> Iterator[None]:
    """Convert uvicorn's exit code of a failed start, 3, which means "not allowed" here."""
    try:
        yield
    except SystemExit as ended:
        if not ended.code:
            raise
        raise typer.Exit(ExitCode.UNAVAILABLE) from ended


def _port_option(what: str) -> Any:
    return typer.Option(min=0, max=65535, help=f"Port of {what}; 0 picks a free one.")


@command(app, "up")
def up(  # noqa: PLR0913 -- the options of the command line are its parameters
    cli: CommandContext,
    *,
    fresh: Annotated[bool, typer.Option("--fresh", help="Discard the previous state.")] = False,
    home: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder of the state (PAO_HOME, else .pao).")
    ] = None,
    catalog: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Catalog folder; the samples unless given.")
    ] = None,
    api_port: Annotated[int, _port_option("the API")] = 8080,
    temporal_port: Annotated[int, _port_option("Temporal")] = 7233,
    temporal_ui_port: Annotated[int, _port_option("the Temporal UI")] = 8233,
    jira_port: Annotated[int, _port_option("the JIRA stand-in")] = 8090,
    github_port: Annotated[int, _port_option("the GitHub stand-in")] = 8091,
    postgres_port: Annotated[int, _port_option("Postgres")] = 5433,
    demo: Annotated[bool, typer.Option("--demo", hidden=True)] = False,
) -> None:
    """Run all of PAO on this machine: Postgres, Temporal, stand-ins, worker and API."""
    from pao.app.local.up import UpOptions, run_up  # noqa: PLC0415 -- as in `api`

    _require_sandbox()
    make_undumpable()
    ports = Ports(
        api=api_port,
        temporal=temporal_port,
        temporal_ui=temporal_ui_port,
        jira=jira_port,
        github=github_port,
        postgres=postgres_port,
    )
    options = UpOptions(
        home=home or Path(os.environ.get("PAO_HOME") or ".pao"),
        fresh=fresh,
        ports=ports,
        catalog=catalog,
        no_color=bool(cli.options.no_color),
    )
    from pao.app.cli.http import RequestSigner  # noqa: PLC0415 -- as in `api`

    if demo:
        from sandbox.demo.session import run_demo  # noqa: PLC0415 -- as in `api`

        raise typer.Exit(
            run_demo(options, lambda env: RequestSigner(_target(env)), sign_in=_sign_in)
        )
    raise typer.Exit(run_up(options, _sign_in))


def _sign_in(env_file: Path) -> str:
    """Return a link to the pages for the user of an env file."""
    from pao.app.cli.http import Api  # noqa: PLC0415 -- as in `api`
    from pao.app.local.env_file import read_env_file  # noqa: PLC0415 -- as in `api`

    with Api(_target(read_env_file(env_file)), timeout=10.0) as api:
        return str(api.post("/web-sign-ins").document["url"])


def _require_sandbox() -> None:
    """Raise if a command needs the stand-ins and PAO was installed without them."""
    if find_spec("sandbox") is None:
        raise CliError(
            "The stand-ins for JIRA and GitHub are not part of an installed PAO",
            exit_code=ExitCode.USAGE,
            hint="Run this from a checkout of PAO's source: make up",
        )


def _target(env: Mapping[str, str]) -> ApiTarget:
    return find_target(env, profile=None, endpoint=None, region=None)


@command(app, "jira-sandbox")
def jira_sandbox(
    _cli: CommandContext,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port.")] = 8090,
    state: Annotated[
        Path, typer.Option(metavar="PATH", help="Folder or .sqlite file for its tickets.")
    ] = Path(".pao/jira"),
    search_lag: Annotated[
        float, typer.Option(min=0, help="Seconds until searches find a new ticket.")
    ] = 0.0,
) -> None:
    """Run the JIRA stand-in alone."""
    _require_sandbox()
    from sandbox.jira import main  # noqa: PLC0415 -- as in `api`
    from sandbox.jira.settings import JiraSandboxSettings  # noqa: PLC0415 -- as in `api`

    settings = JiraSandboxSettings(search_lag_seconds=search_lag)
    with _startup_errors():
        main.run(host=host, port=port, state_path=state, settings=settings)


@command(app, "github-sandbox")
def github_sandbox(
    _cli: CommandContext,
    *,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Its port.")] = 8091,
    state: Annotated[Path, typer.Option(metavar="DIR", help="Folder for its repositories.")] = Path(
        ".pao/github"
    ),
    run_seconds: Annotated[
        float, typer.Option(min=0, help="Seconds that a workflow run takes.")
    ] = 3.0,
    app_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Public key of its App, in PEM form.")
    ] = None,
) -> None:
    """Run the GitHub stand-in alone."""
    _require_sandbox()
    from sandbox.github import main  # noqa: PLC0415 -- as in `api`
    from sandbox.github.settings import GitHubSandboxSettings  # noqa: PLC0415 -- as in `api`

    key = app_key.read_text(encoding="utf-8") if app_key else None
    settings = GitHubSandboxSettings(run_seconds=run_seconds, app_key=key)
    with _startup_errors():
        main.run(host=host, port=port, state_path=state, settings=settings)
