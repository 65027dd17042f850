"""PAO's own processes on this machine: the stand-ins, the worker, the API.

Each is the `pao` command that is used everywhere, configured by environment variables only.
"""

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import httpx

from pao.app.local.ports import LOOPBACK, Ports
from pao.app.local.processes import ChildProcess, LineSink, Program, ignore_line
from pao.app.local.start_timeout import STILL_SECONDS, StartTimeout, ignore_progress
from sandbox import target
from sandbox.github.settings import TOKEN as GITHUB_TOKEN
from sandbox.jira.settings import JiraSandboxSettings

POLL_SECONDS = 0.25
SLOWEST_POLL_SECONDS = 2.0
"""Polls get rarer: a part that is polled too often seems to be busy starting."""
ANSWER_SECONDS = 10.0
"""A readiness page is slow while its parts do not answer, and slower on a busy machine."""
STOP_SECONDS = 35.0
"""Requests in flight may take 30 s to finish."""

JIRA_PROJECT = "PLATFORM"
ADMIN_TEAM = "pao-admins"
SEARCH_LAG = "JIRA_SEARCH_LAG"
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
            command=[sys.executable, "-m", "pao", *arguments],
            environment=environment,
            # A stand-in is configured by its arguments.
            configured=bool(environment),
        )
        self._sink = sink
        self.process: ChildProcess | None = None

    def start(self) -> None:
        """Start it, without waiting until it works."""
        self.process = ChildProcess(self._program, self._sink)

    def stop(self) -> None:
        """Stop it: what it has begun is finished or handed back."""
        if self.process is not None:
            self.process.stop(grace=STOP_SECONDS)
            self.process = None

    def wait_until_answers(
        self,
        url: str,
        *,
        needs: Sequence["Service"] = (),
        others: Callable[[], object] = bool,
        report: Callable[[str], None] = ignore_progress,
        seconds: float = STILL_SECONDS,
    ) -> None:
        """Wait until ``url`` answers with success, while this and what it ``needs`` make progress.

        Raises LocalError with the last lines of one that ends, or with the problems that ``url``
        names after ``seconds`` without progress. ``others`` raises it if another part has ended.
        """
        parts = [one.process for one in (self, *needs) if one.process is not None]
        start_timeout = StartTimeout(parts, report=report, seconds=seconds)
        pause = POLL_SECONDS
        # Proxies of the environment do not apply to loopback.
        with httpx.Client(trust_env=False, timeout=ANSWER_SECONDS) as client:
            while (answer := _answer(client, url)) is None or not answer.is_success:
                start_timeout.check(self._reason(answer))
                others()
                time.sleep(pause)
                pause = min(1.1 * pause, SLOWEST_POLL_SECONDS)

    def _reason(self, answer: httpx.Response | None) -> str:
        if answer is None:
            return f"{self._program.name} does not answer yet"
        return "; ".join(_problems(answer)) or f"{self._program.name} answers {answer.status_code}"


def service_environment(  # noqa: PLR0913 -- one keyword per thing that is only known at run time
    *,
    ports: Ports,
    catalog: Path,
    database_url: str,
    temporal_address: str,
    temporal_namespace: str,
    temporal_ui_url: str,
    encryption_keys: str,
    log_format: str,
) -> dict[str, str]:
    """Return the whole configuration of worker and API."""
    return {
        "PAO_HOST": LOOPBACK,
        "PAO_PORT": str(ports.api),
        # There is no load balancer that would have to be drained first.
        "PAO_DRAIN": "0s",
        "PAO_ENCRYPTION_KEYS": encryption_keys,
        "PAO_ADMIN_TEAMS": ADMIN_TEAM,
        "AWS_REGION": REGION,
        # It takes precedence over AWS_REGION, and a person's profile may have set it.
        "PAO_REGION": REGION,
        "DATABASE_URL": database_url,
        "TEMPORAL_ADDRESS": temporal_address,
        "TEMPORAL_NAMESPACE": temporal_namespace,
        "TEMPORAL_TASK_QUEUE": "pao",
        "TEMPORAL_UI_URL": temporal_ui_url,
        # Tickets of a local stack go to the stand-in, whatever else is configured.
        "JIRA_INSTANCES": "",
        "JIRA_BASE_URL": f"http://{LOOPBACK}:{ports.jira}",
        "JIRA_USERNAME": JiraSandboxSettings().username,
        "JIRA_API_TOKEN": JiraSandboxSettings().token,
        "JIRA_FLAVOUR": "datacenter",
        "JIRA_DEFAULT_PROJECT": JIRA_PROJECT,
        # As a real Data Center; a late-index fault of fewer seconds creates no ticket twice.
        SEARCH_LAG: "5s",
        "GITHUB_API_URL": f"http://{LOOPBACK}:{ports.github}",
        # The stand-ins are on loopback, which actions may not reach by default.
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


def extra_egress(
    configuration: Mapping[str, str], environment: Mapping[str, str]
) -> dict[str, str]:
    """Return the allowed egress with what a person lists, such as a new type's local target."""
    name = "PAO_EGRESS_ALLOW"
    listed = (configuration[name], environment.get(name, ""))
    return {name: ",".join(filter(None, listed))}


def search_lag_override(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the lag of JIRA's search that a person or the demo has set."""
    return {SEARCH_LAG: environment[SEARCH_LAG]} if environment.get(SEARCH_LAG) else {}


def worker_problem(api_url: str) -> str | None:
    """Return the error that health reports about the workers of a ready API."""
    with httpx.Client(trust_env=False, timeout=ANSWER_SECONDS) as client:
        answer = _answer(client, f"{api_url}/api/v1/health")
    if answer is None or not answer.is_success:
        return None
    found = answer.json()["components"]["worker"].get("error")
    return str(found) if found else None


def _answer(client: httpx.Client, url: str) -> httpx.Response | None:
    try:
        return client.get(url)
    except httpx.TransportError:
        return None


def _problems(answer: httpx.Response) -> list[str]:
    """Return the problems that a readiness page lists."""
    try:
        document = answer.json()
    except ValueError:
        return []
    found = document.get("problems") if isinstance(document, dict) else None
    return [str(one) for one in found] if isinstance(found, list) else []
