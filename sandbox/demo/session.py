"""One run of the demo: start the stack, run the steps, then stay up for a person or end it all."""

import os
import sys
from contextlib import ExitStack
from dataclasses import replace

from rich.console import Console

from pao.app.local.env_file import display_path, read_env_file
from pao.app.local.home import Home
from pao.app.local.services import SEARCH_LAG
from pao.app.local.stack import PortsInUseError, RunningStack, StackOptions, running_stack
from pao.app.local.supervisor import StopRequestedError
from pao.app.local.up import DONE, ENDING, SignIn, UpOptions, run_session
from sandbox.demo.automatic_step import an_automatic_item
from sandbox.demo.bundle_step import a_bundle
from sandbox.demo.catalog_step import GitHubStandIn, a_catalog_in_git
from sandbox.demo.clients import Document, JiraStandIn, PaoClient, Signer
from sandbox.demo.ending import show_next_steps
from sandbox.demo.logs import LogFiles
from sandbox.demo.output import DIM, DemoOutput
from sandbox.demo.progress import DemoProgress
from sandbox.demo.steps import STEPS, DemoRun, submit_failing_request

DEVIATED = 1
ENDED_BY_SIGNAL = 128
"""What a shell adds to the number of a signal."""

SHOWN_LOGS = ("worker", "api", "jira")
SHOWN_LOG_LINES = 6
PORTS = 'With make, pass options like this: make demo ARGS="--api-port 0"'
STARTING = (
    "Everything PAO needs is started on this machine: a real Postgres, a real Temporal server, "
    "PAO's worker and API, and a stand-in for JIRA. It usually takes ten seconds; the first "
    "time, building the Temporal server adds about four minutes."
)


def run_demo(options: UpOptions, sign: Signer, *, sign_in: SignIn | None = None) -> int:
    """Run the demo; returns 0 when every step passed.

    On a terminal everything stays up until Ctrl-C; ``sign`` makes the signer of dana's calls.
    """

    def session(stack_options: StackOptions, console: Console) -> int:
        return _Session(console, sign, sign_in).run(stack_options)

    return run_session(options, session)


class _Session:
    """One session; knows whether all steps were run when a signal ends it."""

    def __init__(self, console: Console, sign: Signer, sign_in: SignIn | None) -> None:
        self._console = console
        self._sign = sign
        self._sign_in = sign_in
        self._output = DemoOutput(console)
        self._finished = False

    def run(self, options: StackOptions) -> int:
        try:
            self._start(options)
        except PortsInUseError as error:
            error.add_note(PORTS)
            raise
        except StopRequestedError as stopped:
            if not self._finished:
                return ENDED_BY_SIGNAL + stopped.signal_number
        return DEVIATED if self._output.failed else DONE

    def _start(self, given: StackOptions) -> None:
        self._on_github = given.catalog is None
        options = replace(given, catalog_on_github=self._on_github)
        self._output.heading("Starting")
        self._output.paragraph(STARTING)
        logs = LogFiles(Home(options.home.resolve()).logs)
        # The files are closed last, and the progress output ends once everything runs.
        with logs, ExitStack() as output:
            progress = output.enter_context(DemoProgress(self._console))
            # The stand-in's search shows a ticket at once: a retry need not wait for it.
            quick = {**os.environ, SEARCH_LAG: "1s"}
            with running_stack(
                options, progress=progress, sink=logs.write, environment=quick
            ) as stack:
                output.close()
                self._show(stack, logs)

    def _show(self, stack: RunningStack, logs: LogFiles) -> None:
        try:
            waiting = self._run_steps(stack)
            self._show_result(logs)
            if _at_terminal():
                link = self._sign_in(stack.home.env_file()) if self._sign_in else None
                show_next_steps(self._output, stack, waiting, link=link)
                stack.supervisor.watch()
        finally:
            self._console.print(f"\n  {ENDING}", style=DIM, soft_wrap=True)

    def _run_steps(self, stack: RunningStack) -> Document:
        env = read_env_file(stack.home.env_file())
        with PaoClient(env, self._sign) as pao, JiraStandIn(stack.jira_url) as jira:
            demo = DemoRun(pao, jira, self._output)
            for step in (*STEPS, an_automatic_item, a_bundle):
                step(demo)
                # Steps against a process that has ended would only repeat its failure.
                stack.supervisor.check()
            if self._on_github:
                self._show_catalog(demo, stack)
            self._finished = True
            return submit_failing_request(demo) if _at_terminal() else {}

    def _show_catalog(self, demo: DemoRun, stack: RunningStack) -> None:
        github = GitHubStandIn(stack.github_url)
        try:
            a_catalog_in_git(demo, github)
        finally:
            github.close()
        stack.supervisor.check()

    def _show_result(self, logs: LogFiles) -> None:
        self._output.summary()
        if not self._output.failed:
            return
        for name in SHOWN_LOGS:
            lines = logs.last_lines(name, SHOWN_LOG_LINES)
            if lines:
                self._output.heading(
                    f"The last lines of {display_path(logs.folder / f'{name}.log')}"
                )
                self._output.lines(lines, style=DIM)


def _at_terminal() -> bool:
    """Return whether a person can see the output and end it with Ctrl-C."""
    return sys.stdin.isatty() and sys.stdout.isatty()
