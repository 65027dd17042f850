"""One run of the demo: start the stack, play the steps, then stay up for a person or end it all."""

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
from sandbox.demo.catalog_step import GitHub, a_catalog_in_git
from sandbox.demo.ending import tell_how_to_go_on
from sandbox.demo.logs import LogFiles
from sandbox.demo.progress import DemoProgress
from sandbox.demo.stage import DIM, Stage
from sandbox.demo.steps import STEPS, Play, left_waiting
from sandbox.demo.world import Document, Jira, Pao, Signer

DEVIATED = 1
ENDED_BY_SIGNAL = 128
"""What a shell adds to the number of a signal."""

TALKATIVE = ("worker", "api", "jira")
SHOWN_LOG_LINES = 6
PORTS = 'With make, pass options like this: make demo ARGS="--api-port 0"'
STARTING = (
    "Everything PAO needs is started on this machine: a real Postgres, a real Temporal server, "
    "PAO's worker and API, and a stand-in for JIRA. It usually takes ten seconds; the first "
    "time, building the Temporal server adds about four minutes."
)


def run_demo(options: UpOptions, sign: Signer, *, sign_in: SignIn | None = None) -> int:
    """Run the demo; returns 0 when every step showed what it should.

    On a terminal everything stays up until Ctrl-C; ``sign`` makes what signs dana's calls.
    """

    def session(stack_options: StackOptions, console: Console) -> int:
        return _Session(console, sign, sign_in).run(stack_options)

    return run_session(options, session)


class _Session:
    """Knows whether the steps were all played, and how, when the end is asked for."""

    def __init__(self, console: Console, sign: Signer, sign_in: SignIn | None) -> None:
        self._console = console
        self._sign = sign
        self._sign_in = sign_in
        self._stage = Stage(console)
        self._played = False

    def run(self, options: StackOptions) -> int:
        try:
            self._start(options)
        except PortsInUseError as error:
            error.add_note(PORTS)
            raise
        except StopRequestedError as asked:
            if not self._played:
                return ENDED_BY_SIGNAL + asked.signal_number
        return DEVIATED if self._stage.failed else DONE

    def _start(self, given: StackOptions) -> None:
        self._on_github = given.catalog is None
        options = replace(given, catalog_on_github=self._on_github)
        self._stage.heading("Starting")
        self._stage.say(STARTING)
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
            waiting = self._play(stack)
            self._tell_result(logs)
            if _at_terminal():
                link = self._sign_in(stack.home.env_file()) if self._sign_in else None
                tell_how_to_go_on(self._stage, stack, waiting, link=link)
                stack.supervisor.watch()
        finally:
            self._console.print(f"\n  {ENDING}", style=DIM, soft_wrap=True)

    def _play(self, stack: RunningStack) -> Document:
        env = read_env_file(stack.home.env_file())
        with Pao(env, self._sign) as pao, Jira(stack.jira_url) as jira:
            play = Play(pao, jira, self._stage)
            for step in (*STEPS, an_automatic_item, a_bundle):
                step(play)
                # Steps against a part that has died would only tell the same in other words.
                stack.supervisor.check()
            if self._on_github:
                self._show_catalog(play, stack)
            self._played = True
            return left_waiting(play) if _at_terminal() else {}

    def _show_catalog(self, play: Play, stack: RunningStack) -> None:
        github = GitHub(stack.github_url)
        try:
            a_catalog_in_git(play, github)
        finally:
            github.close()
        stack.supervisor.check()

    def _tell_result(self, logs: LogFiles) -> None:
        self._stage.verdict()
        if not self._stage.failed:
            return
        for name in TALKATIVE:
            lines = logs.last_lines(name, SHOWN_LOG_LINES)
            if lines:
                self._stage.heading(
                    f"The last lines of {display_path(logs.folder / f'{name}.log')}"
                )
                self._stage.lines(lines, style=DIM)


def _at_terminal() -> bool:
    """Return whether a person can see the output and end it with Ctrl-C."""
    return sys.stdin.isatty() and sys.stdout.isatty()
