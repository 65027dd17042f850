"""What a person who has seen the demo can do next, as lines to copy."""

import os
import shutil

from pao.app.local.env_file import display_path
from pao.app.local.stack import RunningStack
from pao.app.local.temporal_binary import cached_program
from pao.app.local.up import CURL, invitation
from pao.core.names import workflow_id
from sandbox.demo.stage import Stage
from sandbox.demo.world import Document


def tell_how_to_go_on(
    stage: Stage, stack: RunningStack, waiting: Document, *, link: str | None
) -> None:
    """Tell what to try and where everything is.

    ``waiting`` is a failed request, or nothing; ``link`` signs dana in to the pages.
    """
    stage.heading("Your turn: everything stays up")
    stage.say("In another terminal, with the addresses and dana's access key of this file:")
    stage.lines(
        [
            "",
            f"  source {display_path(stack.home.env_file())}",
            "",
            "  pao catalog list",
            "  pao request submit network-dns-record",
            f"  {CURL}",
            "",
        ]
    )
    if waiting:
        _tell_decision(stage, waiting)
    if link:
        stage.lines(["", *invitation(link).splitlines(), ""])
    stage.link("pages", f"{stack.api_url}/")
    stage.link("API", f"{stack.api_url}/api/v1/docs")
    stage.link("JIRA", stack.jira_url)
    stage.link("Temporal", stack.temporal.ui_url)
    stage.fact("logs", display_path(stack.home.logs))
    stage.lines([""])
    stage.say("Ctrl-C stops everything; `make demo` and `pao up` continue from there.")


def _tell_decision(stage: Stage, waiting: Document) -> None:
    request = str(waiting["id"])
    stage.say("One more request has failed: JIRA answered 503. It is waiting for your decision:")
    stage.lines(
        [
            "",
            f"  pao request get {request}",
            f"  pao request retry {request} --reason 'JIRA is back'",
            "",
        ]
    )
    stage.say("An operator decides by signal, in the Temporal UI or like this:")
    stage.lines(
        [
            "",
            f"  {waiting['links']['workflow']}",
            f"  {_temporal()} workflow signal --workflow-id {workflow_id(request)} --name retry",
            "",
        ]
    )


def _temporal() -> str:
    """Return Temporal's own command: the one on PATH, else the one that runs the server here."""
    return "temporal" if shutil.which("temporal") else str(cached_program(os.environ))
