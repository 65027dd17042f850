"""Escalation tickets go to the instance that is configured for them, else to their project's."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from activities.escalation import Escalator
from activities.escalation_text import full_text
from pao.clients.jira import JiraInstance
from pao.clients.jira.escalation import EscalationTarget
from pao.clients.jira.instances import JiraInstances
from pao.core.payloads.actions import ActionState
from pao.core.payloads.tickets import EscalationInput
from pao.core.states import ActionStatus
from tests.support.jira import JiraSandbox, jira_sandbox
from tests.support.requests import new_request


@pytest.fixture
def instances(tmp_path: Path) -> Iterator[JiraInstances]:
    with jira_sandbox(tmp_path) as sandbox:
        made = JiraInstances([_named(sandbox, name) for name in ("first", "mapped", "own")])
        yield made
        made.close()


def _named(sandbox: JiraSandbox, name: str) -> JiraInstance:
    projects = ("OPS",) if name == "mapped" else ()
    return sandbox.instance(name=name, projects=projects, site_url=f"https://{name}.example")


@pytest.mark.parametrize(
    ("project", "instance", "where"),
    [("OPS", "own", "own"), ("OPS", None, "mapped"), ("NET", None, "first")],
)
async def test_an_escalation_ticket_goes_where_it_is_configured_to_go(
    instances: JiraInstances, project: str, instance: str | None, where: str
) -> None:
    target = EscalationTarget(project=project, instance=instance)
    escalator = Escalator(instances, target=target)
    asked = EscalationInput(context=new_request().context, error_context={})
    made = await escalator.escalate(asked)
    again = await escalator.escalate(asked)
    assert made.url == f"https://{where}.example/browse/{project}-1"
    assert again.ticket_key == made.ticket_key


def test_what_an_action_made_is_named_although_it_has_no_address() -> None:
    made = ActionState(
        "record", 0, "dns-record", "The record", ActionStatus.COMPLETED, external_reference="R-1"
    )
    nothing = ActionState("call", 1, "rest-api", "The call", ActionStatus.FAILED)
    linked = replace(made, name="The ticket", url="https://jira.example/browse/R-1")
    asked = EscalationInput(
        context=new_request().context, error_context={}, actions=[made, nothing, linked]
    )
    text = full_text(asked).replace("\\", "")
    assert "|The record|completed|0|R-1|" in text
    assert "|The call|failed|0|none|" in text
    assert "|The ticket|completed|0|[R-1|https://jira.example/browse/R-1]|" in text
