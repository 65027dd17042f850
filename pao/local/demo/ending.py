"""What a person who has seen the demo can do next, as lines to copy."""

import shutil
import sys
from pathlib import Path

from pao.core.names import workflow_id
from pao.local.demo.world import Document
from pao.local.stack import RunningStack
from pao.local.up import CURL, shown


def how_to_go_on(stack: RunningStack, waiting: Document) -> list[str]:
    """Tell where everything is, and what to try; ``waiting`` is a failed request, or nothing."""
    return [*_decision(waiting), *_calls(stack), *_places(stack)]


def _decision(waiting: Document) -> list[str]:
    if not waiting:
        return []
    request = str(waiting["id"])
    workflow = workflow_id(request)
    return [
        "One more request has failed (JIRA answered 503). It waits for you to decide:",
        "",
        f"  {waiting['links']['workflow']}",
        "",
        f"  {_pao()} request get {request}",
        f"  {_pao()} request retry {request} --reason 'JIRA is back'",
        "",
        "or abort, or escalate; or signal it from the Temporal UI, or so:",
        "",
        f"  temporal workflow signal --workflow-id {workflow} --name retry",
        "",
    ]


def _calls(stack: RunningStack) -> list[str]:
    return [
        "In another terminal, after this, which names the addresses and dana's access key",
        "(env.platform and env.admin beside it are other users):",
        "",
        f"  source {shown(stack.home.env_file())}",
        "",
        f"  {_pao()} catalog list",
        f"  {_pao()} request list",
        f"  {_pao()} request submit network-dns-record",
        f"  {CURL}",
        "",
    ]


def _places(stack: RunningStack) -> list[str]:
    return [
        f"API          {stack.api_url}/api/v1/docs",
        f"Temporal UI  {stack.temporal.ui_url or 'that of the outside server'}",
        f"JIRA         {stack.jira_url} (the stand-in: move tickets, let calls fail)",
        f"Logs         {shown(stack.home.logs)}",
        "",
        "Ctrl-C ends everything in order; `make demo` or `pao up` goes on from there.",
    ]


def _pao() -> str:
    """Name the command as it can be typed here: who used make has it in .venv only."""
    return "pao" if shutil.which("pao") else shown(Path(sys.executable).with_name("pao"))
