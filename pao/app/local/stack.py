"""The whole local stack as one context: what is started, in which order, with which configuration.

How it is shown to a person is up to up.py and the demo.
"""

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from temporalio.client import Client
from temporalio.service import RPCError

import pao
from db.migrations.files import MigrationError
from db.migrations.runner import migrate
from pao.app.local.env_file import write_env_file
from pao.app.local.github_catalog import app_key_file, publish_catalog
from pao.app.local.go_programs import with_usable_cache
from pao.app.local.home import Home, Secrets
from pao.app.local.home_rebuild import rebuild
from pao.app.local.ports import LOOPBACK, PortInUse, Ports, ports_in_use, with_free_ports
from pao.app.local.postgres import EmbeddedPostgres, PostgresAddress
from pao.app.local.processes import LineSink, LocalError
from pao.app.local.progress import ProgressReporter
from pao.app.local.restored import is_restored
from pao.app.local.services import (
    REGION,
    Service,
    extra_egress,
    search_lag_override,
    service_environment,
    worker_problem,
)
from pao.app.local.shell_environment import ShellEnvironment, TemporalAddresses, read_shell
from pao.app.local.supervisor import Supervisor
from pao.app.local.temporal import NAMESPACE, TemporalDevServer, prepare_namespace
from pao.app.local.temporal_binary import find_or_build
from pao.app.local.terraform import terraform_environment
from pao.app.local.users import DEFAULT_ROLE, USERS, issue_keys
from pao.app.local.versioned import needed_build
from pao.core.errors import PaoError


class PortsInUseError(LocalError):
    """Wanted ports are taken; the message names them all and what to do."""

    def __init__(self, taken: list[PortInUse]) -> None:
        lines = "".join(f"\n  {port}" for port in taken)
        super().__init__(f"Not started:{lines}")


@dataclass(frozen=True, slots=True, kw_only=True)
class StackOptions:
    """What a person may choose about the local stack."""

    home: Path = Path(".pao")
    fresh: bool = False
    ports: Ports = field(default_factory=Ports)
    catalog: Path | None = None
    catalog_on_github: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RunningStack:
    """The addresses of everything while it runs."""

    home: Home
    ports: Ports
    temporal: TemporalAddresses
    postgres: PostgresAddress
    supervisor: Supervisor = field(repr=False)

    @property
    def api_url(self) -> str:
        """The address of the service."""
        return f"http://{LOOPBACK}:{self.ports.api}"

    @property
    def jira_url(self) -> str:
        """The address of the JIRA stand-in and of its page."""
        return f"http://{LOOPBACK}:{self.ports.jira}"

    @property
    def github_url(self) -> str:
        """The address of the GitHub stand-in and of its page."""
        return f"http://{LOOPBACK}:{self.ports.github}"


@contextmanager
def running_stack(
    options: StackOptions,
    *,
    progress: ProgressReporter,
    sink: LineSink,
    environment: Mapping[str, str] | None = None,
) -> Iterator[RunningStack]:
    """Start everything, yield its addresses once it answers, then stop it in reverse order.

    Raises HomeInUseError or PortsInUseError before anything is started, LocalError if a process
    does not start, StopRequestedError when a signal asks it to stop.
    """
    home = Home(options.home.resolve())
    with home.lock():
        if options.fresh:
            home.delete_state()
        with Supervisor() as supervisor:
            builder = _Builder(options, home, supervisor, progress, sink)
            given = os.environ if environment is None else environment
            usable = with_usable_cache(given, home.folder / "cache", progress)
            yield builder.start(read_shell(home, usable))


@dataclass(frozen=True, slots=True)
class _Builder:
    """Starts one part after the other; every step needs only what came before it."""

    options: StackOptions
    home: Home
    supervisor: Supervisor
    progress: ProgressReporter
    sink: LineSink

    def start(self, shell: ShellEnvironment) -> RunningStack:
        for sentence in (*shell.ignored, *_ignored_ports(self.options.ports, shell.outside)):
            self.progress.report(sentence)
        ports = _usable_ports(self.options.ports, shell.outside)
        catalog = _catalog_folder(self.options.catalog)
        secrets = self.home.read_secrets()
        postgres = self._postgres(ports)
        temporal = self._temporal(ports, shell)
        stack = RunningStack(
            home=self.home,
            ports=ports,
            temporal=temporal,
            postgres=postgres,
            supervisor=self.supervisor,
        )
        self._database(stack, secrets)
        self._services(stack, catalog, secrets, shell)
        return stack

    def _postgres(self, ports: Ports) -> PostgresAddress:
        self.progress.report("Starting Postgres")
        server = EmbeddedPostgres(
            self.home.postgres, port=ports.postgres, sink=self.sink, report=self.progress.report
        )
        with self.supervisor.starting(server):
            return server.start()

    def _temporal(self, ports: Ports, shell: ShellEnvironment) -> TemporalAddresses:
        if (outside := shell.outside) is not None:
            self.progress.report(f"Using the Temporal server at {outside.address}")
            asyncio.run(_prepare_outside(outside, self.progress))
            self.home.temporal_address_file.unlink(missing_ok=True)
            return outside
        program = find_or_build(self.progress, shell.variables)
        self.progress.report("Starting Temporal")
        server = TemporalDevServer(
            program,
            port=ports.temporal,
            ui_port=ports.temporal_ui,
            database=self.home.temporal_database,
            sink=self.sink,
            report=self.progress.report,
        )
        with self.supervisor.starting(server):
            address = server.start()
        self.home.temporal_address_file.write_text(f"{address}\n")
        return TemporalAddresses(address=address, namespace=NAMESPACE, ui_url=server.ui_url or "")

    def _database(self, stack: RunningStack, secrets: Secrets) -> None:
        self.progress.report("Migrating the database")
        try:
            asyncio.run(migrate(stack.postgres.owner_url))
            keys = asyncio.run(issue_keys(stack.postgres.service_url, self.home, secrets))
        except (MigrationError, PaoError) as error:
            raise LocalError(f"The database cannot be prepared: {error}") from error
        for user in USERS:
            key = keys[user.name]
            values = {
                "PAO_URL": stack.api_url,
                "PAO_ACCESS_KEY_ID": key.access_key_id,
                "PAO_SECRET_ACCESS_KEY": key.secret,
                "PAO_REGION": REGION,
                "JIRA_SANDBOX_URL": stack.jira_url,
                "GITHUB_SANDBOX_URL": stack.github_url,
                "TEMPORAL_ADDRESS": stack.temporal.address,
                "TEMPORAL_UI_URL": stack.temporal.ui_url,
                "DATABASE_URL": stack.postgres.service_url,
            }
            write_env_file(self.home.env_file(user.role), values)
            if user.role == DEFAULT_ROLE:
                write_env_file(self.home.env_file(), values)

    def _services(
        self,
        stack: RunningStack,
        catalog: Path,
        secrets: Secrets,
        shell: ShellEnvironment,
    ) -> None:
        environment = shell.variables
        configuration = service_environment(
            ports=stack.ports,
            catalog=catalog,
            database_url=stack.postgres.service_url,
            temporal_address=stack.temporal.address,
            temporal_namespace=stack.temporal.namespace,
            temporal_ui_url=stack.temporal.ui_url,
            encryption_keys=secrets.encryption_keys,
            log_format=environment.get("LOG_FORMAT", "text"),
        )
        configuration |= extra_egress(configuration, environment) | search_lag_override(environment)
        configuration = shell.cleared | configuration
        if shell.outside is None:
            configuration |= _build_id(stack.temporal, configuration["TEMPORAL_TASK_QUEUE"])
        self.home.jira.mkdir(mode=0o700, exist_ok=True)
        jira = ["jira-sandbox", "--port", str(stack.ports.jira), "--state", str(self.home.jira)]
        self.home.github.mkdir(mode=0o700, exist_ok=True)
        github = ["github-sandbox", "--port", str(stack.ports.github)]
        github += ["--state", str(self.home.github)]
        if self.options.catalog_on_github:
            github += ["--app-key", str(app_key_file(self.home))]
        self.progress.report("Starting the stand-ins, the worker and the API")
        sandbox = self._service("jira", jira, {})
        hub = self._service("github", github, {})
        if self.options.catalog_on_github:
            hub.wait_until_answers(f"{stack.github_url}/sandbox/health")
            configuration |= publish_catalog(
                self.home,
                github_url=stack.github_url,
                api_url=stack.api_url,
                catalog=catalog,
            )
        terraform = terraform_environment(catalog, self.home.terraform, environment)
        worker = self._service("worker", ["worker"], configuration | terraform)
        if asyncio.run(is_restored(stack.postgres.service_url)):
            rebuild(configuration, worker, self.progress)
        api = self._service("api", ["api"], configuration)
        sandbox.wait_until_answers(f"{stack.jira_url}/sandbox/health")
        api.wait_until_answers(
            f"{stack.api_url}/api/v1/health/ready",
            needs=(worker,),
            others=self.supervisor.check,
            report=self.progress.report,
        )
        self.supervisor.check()
        if problem := worker_problem(stack.api_url):
            self.progress.report(f"Attention: {problem}")

    def _service(
        self, name: str, arguments: list[str], configuration: Mapping[str, str]
    ) -> Service:
        service = Service(name, arguments, configuration, sink=self.sink)
        with self.supervisor.starting(service):
            service.start()
        return service


def sample_catalog() -> Path:
    """Return the sample catalog: in an installed PAO beside its code, else in the source tree."""
    package = Path(pao.__file__).parent
    for folder in (package / "sample_catalog", package.parent / "examples" / "catalog"):
        if folder.is_dir():
            return folder
    raise LocalError("There is no sample catalog here: name a folder with --catalog.")


def _catalog_folder(wanted: Path | None) -> Path:
    folder = (wanted or sample_catalog()).resolve()
    if not folder.is_dir():
        raise LocalError(f"There is no catalog folder {folder}: correct --catalog.")
    return folder


def _build_id(temporal: TemporalAddresses, task_queue: str) -> dict[str, str]:
    needed = needed_build(temporal.address, namespace=temporal.namespace, task_queue=task_queue)
    build_id = asyncio.run(needed)
    return {} if build_id is None else {"PAO_BUILD_ID": build_id}


def _usable_ports(wanted: Ports, outside: TemporalAddresses | None) -> Ports:
    # Nothing of ours listens on Temporal's ports when an outside server is used.
    needed = wanted if outside is None else replace(wanted, temporal=0, temporal_ui=0)
    taken = ports_in_use(needed)
    if taken:
        raise PortsInUseError(taken)
    return with_free_ports(needed)


def _ignored_ports(wanted: Ports, outside: TemporalAddresses | None) -> list[str]:
    chosen = (wanted.temporal, wanted.temporal_ui) != (Ports().temporal, Ports().temporal_ui)
    if outside is None or not chosen:
        return []
    options = "--temporal-port, --temporal-ui-port"
    return [f"Ignored, as the Temporal server of TEMPORAL_ADDRESS is used: {options}"]


async def _prepare_outside(server: TemporalAddresses, progress: ProgressReporter) -> None:
    try:
        client = await Client.connect(server.address, namespace=server.namespace)
    except RuntimeError as error:
        raise LocalError(
            f"No Temporal server answers at {server.address}: start it, or unset TEMPORAL_ADDRESS "
            "to have one started here."
        ) from error
    try:
        await prepare_namespace(client)
    except RPCError as error:
        progress.report(f"Retention and search attributes were not set on it: {error.message}")
