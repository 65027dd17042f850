"""PAO's own processes on this machine: the stand-ins, the worker, the API.

Each is the `pao` command that is used elsewhere as well, configured by environment variables only.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx

from pao.local import target
from pao.local.github_sandbox.world import TOKEN as GITHUB_TOKEN
from pao.local.jira_sandbox.world import Settings as SandboxSettings
from pao.local.ports import LOOPBACK, Ports
from pao.local.processes import ChildProcess, LineSink, LocalError, Program, ignore_line

READY_SECONDS = 60.0
POLL_SECONDS = 0.25
STOP_SECONDS = 35.0
"""Requests in flight may take 30 s to finish."""

JIRA_PROJECT = "PLATFORM"
ADMIN_TEAM = "pao-admins"
REGION = "us-east-1"


class Service:
    """One `pao` command as a child process."""

    def __init__(
        self,
        name: str,
        arguments: list[str],
        environment: Mapping[str, str],
        *,
        sink: LineSink = ignore_line,
    ) -> None:
        self._program = Program(
            name=name,
            command=[sys.executable, "-m", "pao.cli", *arguments],
            environment=environment,
        )
        self._sink = sink
        self.process: ChildProcess | None = None

    def start(self) -> None:
        """Start it; whether it works is to be asked of it afterwards."""
        self.process = ChildProcess(self._program, self._sink)

    def stop(self) -> None:
        """End it in order: what it has begun is finished or handed back."""
        if self.process is not None:
            self.process.stop(grace=STOP_SECONDS)
            self.process = None

    def wait_until_answers(self, url: str) -> None:
        """Wait until ``url`` answers with success.

        Raises LocalError with its last lines when it ends before that or takes too long.
        """
        deadline = time.monotonic() + READY_SECONDS
        # Proxies of the environment have no business on loopback.
        with httpx.Client(trust_env=False, timeout=5.0) as client:
            while not _answers(client, url):
                if self.process is None or self.process.exit_code() is not None:
                    raise LocalError(self._failure("ended while starting"))
                if time.monotonic() > deadline:
                    raise LocalError(self._failure(f"is not ready after {READY_SECONDS:.0f} s"))
                time.sleep(POLL_SECONDS)

    def _failure(self, what: str) -> str:
        lines = self.process.last_lines if self.process is not None else []
        said = "\n".join(f"  {line}" for line in lines)
        return f"{self._program.name} {what}. It last said:\n{said}"


def service_environment(  # noqa: PLR0913 -- one keyword per thing that is only known at run time
    *,
    ports: Ports,
    catalog: Path,
    database_url: str,
    migration_url: str,
    temporal_address: str,
    temporal_namespace: str,
    temporal_ui_url: str,
    encryption_keys: str,
    log_format: str,
) -> dict[str, str]:
    """Put together the whole configuration of worker and API, by its documented names."""
    return {
        "PAO_HOST": LOOPBACK,
        "PAO_PORT": str(ports.api),
        "PAO_ENCRYPTION_KEYS": encryption_keys,
        "PAO_ADMIN_TEAMS": ADMIN_TEAM,
        "AWS_REGION": REGION,
        "DATABASE_URL": database_url,
        "PAO_MIGRATION_DATABASE_URL": migration_url,
        # Two processes and a person's psql stay well below the server's max_connections.
        "DB_MAX_OPEN_CONNS": "15",
        "DB_MAX_IDLE_CONNS": "5",
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": temporal_namespace,
        "TEMPORAL_TASK_QUEUE": "pao",
        "TEMPORAL_UI_URL": temporal_ui_url,
        # Tickets of a machine of one's own go to the stand-in, whatever else is configured.
        "JIRA_INSTANCES": "",
        "JIRA_BASE_URL": f"http://{LOOPBACK}:{ports.jira}",
        "JIRA_USERNAME": SandboxSettings().username,
        "JIRA_API_TOKEN": SandboxSettings().token,
        "JIRA_FLAVOUR": "datacenter",
        "JIRA_DEFAULT_PROJECT": JIRA_PROJECT,
        "GITHUB_API_URL": f"http://{LOOPBACK}:{ports.github}",
        # The stand-ins are on loopback, which actions do not reach unless told.
        "PAO_EGRESS_ALLOW": f"{LOOPBACK}:{ports.github},{LOOPBACK}:{ports.jira},*",
        "SAMPLE_TARGET_URL": f"http://{LOOPBACK}:{ports.jira}{target.PREFIX}",
        "TEMPLATE_ENVIRONMENT": "SAMPLE_TARGET_URL",
        "PAO_SECRET_SAMPLE_TARGET_TOKEN": target.TOKEN,
        "PAO_SECRET_SAMPLE_HOOK_KEY": target.HOOK_KEY,
        "GITHUB_FLAVOUR": "cloud",
        "GITHUB_TOKEN": GITHUB_TOKEN,
        "CATALOG_PATH": str(catalog),
        "LOG_FORMAT": log_format,
    }


def also_allowed(
    configuration: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str]:
    """Let actions reach what a person lists as well, such as the local target of a new type."""
    name = "PAO_EGRESS_ALLOW"
    listed = (configuration[name], environment.get(name, ""))
    return {name: ",".join(filter(None, listed))}


def _answers(client: httpx.Client, url: str) -> bool:
    try:
        return client.get(url).is_success
    except httpx.TransportError:
        return False
