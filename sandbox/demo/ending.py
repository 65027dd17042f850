"""What a person who has seen the demo can do next, as lines to copy."""

import os
import shutil

from pao.app.local.env_file import display_path
from pao.app.local.stack import RunningStack
from pao.app.local.temporal_binary import cached_program
from pao.app.local.up import CURL, invitation
from pao.core.names import workflow_id
from sandbox.demo.clients import Document
from sandbox.demo.output import DemoOutput


def show_next_steps(
    output: DemoOutput, stack: RunningStack, waiting: Document, *, link: str | None
) -> None:
    """Show what to try and where everything is.

    ``waiting`` is a failed request, or nothing; ``link`` signs dana in to the pages.
    """
    output.heading("Your turn: everything stays up")
    output.paragraph("In another terminal, with the addresses and dana's access key of this file:")
    output.lines(
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
        _show_decision(output, waiting)
    if link:
        output.lines(["", *invitation(link).splitlines(), ""])
    output.link("pages", f"{stack.api_url}/")
    output.link("API", f"{stack.api_url}/api/v1/docs")
    output.link("JIRA", stack.jira_url)
    output.link("Temporal", stack.temporal.ui_url)
    output.fact("logs", display_path(stack.home.logs))
    output.lines([""])
    output.paragraph("Ctrl-C stops everything; `make demo` and `pao up` continue from there.")


def _show_decision(output: DemoOutput, waiting: Document) -> None:
    request = str(waiting["id"])
    output.paragraph(
        "One more request has failed: JIRA answered 503. It is waiting for your decision:"
    )
    output.lines(
        [
            "",
            f"  pao request get {request}",
            f"  pao request retry {request} --reason 'JIRA is back'",
            "",
        ]
    )
    output.paragraph("An operator decides by signal, in the Temporal UI or like this:")
    output.lines(
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
