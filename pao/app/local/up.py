"""`pao up`: runs the local stack for a person until they stop it."""

import os
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console
from rich.text import Text

from pao.app.local.env_file import display_path
from pao.app.local.home import HomeInUseError
from pao.app.local.ports import Ports
from pao.app.local.processes import LocalError
from pao.app.local.progress import ProgressReporter
from pao.app.local.stack import PortsInUseError, RunningStack, StackOptions, running_stack
from pao.app.local.supervisor import LogStream, StopRequestedError

DONE = 0
USAGE = 2
UNAVAILABLE = 5
INTERRUPTED = 130
"""Exit codes as of every `pao` command."""

ENDING = "Shutting down; press Ctrl-C again to stop at once"

CURL = (
    'curl --aws-sigv4 "aws:amz:$PAO_REGION:execute-api"'
    ' --user "$PAO_ACCESS_KEY_ID:$PAO_SECRET_ACCESS_KEY" "$PAO_URL/api/v1/catalog"'
)
"""A signed call without any program of ours, once an env file is sourced."""

SAMPLE = "network-dns-record"
"""The item of the sample catalog that a first request is for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UpOptions:
    """The options of `pao up`; port 0 means any free one.

    ``catalog`` None means the sample catalog.
    """

    home: Path = field(default_factory=lambda: Path(os.environ.get("PAO_HOME") or ".pao"))
    fresh: bool = False
    ports: Ports = field(default_factory=Ports)
    catalog: Path | None = None
    no_color: bool = False


Session = Callable[[StackOptions, Console], int]
"""Starts the stack, uses it, stops it; returns the exit code."""


SignIn = Callable[[Path], str]
"""Returns a link that signs the user of an env file in to the pages."""


def run_up(options: UpOptions, sign_in: SignIn | None = None) -> int:
    """Run everything until Ctrl-C, SIGTERM or the end of a process; returns the exit code.

    On a terminal a link to sign in is shown, if ``sign_in`` makes one.
    """

    def session(stack_options: StackOptions, console: Console) -> int:
        shown_link = sign_in if console.is_terminal else None
        return _keep_running(stack_options, console, shown_link)

    return run_session(options, session)


def run_session(options: UpOptions, session: Session) -> int:
    """Run ``session``; what ends it early is reported and becomes the exit code."""
    # None lets the console decide, by NO_COLOR.
    console = Console(no_color=True if options.no_color else None, highlight=False)
    stack_options = StackOptions(
        home=options.home, fresh=options.fresh, ports=options.ports, catalog=options.catalog
    )
    try:
        return session(stack_options, console)
    except StopRequestedError as requested:
        return INTERRUPTED if requested.signal_number == signal.SIGINT else DONE
    except (HomeInUseError, PortsInUseError) as error:
        return _refuse(error, USAGE)
    except LocalError as error:
        return _refuse(error, UNAVAILABLE)
    except OSError as error:
        where = f"{error.filename} cannot be used" if error.filename else "The machine refused"
        return _refuse(LocalError(f"{where}: {error.strerror or error}"), UNAVAILABLE)


def _keep_running(options: StackOptions, console: Console, sign_in: SignIn | None) -> int:
    progress = ProgressReporter(console)
    with running_stack(options, progress=progress, sink=LogStream(console).write) as stack:
        progress.report(banner(stack, item=SAMPLE if options.catalog is None else None))
        if sign_in is not None:
            progress.report(invitation(sign_in(stack.home.env_file())))
        try:
            stack.supervisor.watch()
        except StopRequestedError:
            progress.report(ENDING)
            raise
    return DONE


def invitation(link: str) -> str:
    """Return the text that invites a person to sign in to the pages."""
    return f"Sign in as dana within a minute (later: pao web):\n  {link}\n"


def banner(stack: RunningStack, *, item: str | None) -> str:
    """Return what runs where, and what to do next; commands can be copied.

    ``item`` is one of the catalog, for a first request.
    """
    submitting = [f"  pao request submit {item}"] if item else []
    return "\n".join(
        [
            "",
            "PAO is ready.",
            f"  Pages        {stack.api_url}/ (sign in with: pao web)",
            f"  API          {stack.api_url}/api/v1 (documentation: {stack.api_url}/api/v1/docs)",
            f"  Temporal UI  {stack.temporal.ui_url or 'see the outside server'}",
            f"  JIRA         {stack.jira_url} (a stand-in; tickets can be moved on its page)",
            f"  GitHub       {stack.github_url} (a stand-in; what actions did is on its page)",
            f"  Postgres     {stack.ports.postgres} (DATABASE_URL in the files below)",
            "",
            "Continue in another terminal:",
            f"  source {display_path(stack.home.env_file())}",
            "  pao web",
            "  pao catalog list",
            *submitting,
            f"  {CURL}",
            "Other users: the files env.platform and env.admin beside it. Ctrl-C stops everything.",
            "",
        ]
    )


def _refuse(error: LocalError, code: int) -> int:
    lines = [f"Error: {error}", *getattr(error, "__notes__", ())]
    Console(stderr=True, highlight=False).print(Text("\n".join(lines)), soft_wrap=True)
    return code
