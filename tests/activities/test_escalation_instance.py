"""Escalation tickets go to the instance that is configured for them, else to their project's."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from activities.escalation import Escalator
from pao.clients.jira import JiraInstance
from pao.clients.jira.instances import JiraInstances
from pao.core.payloads import EscalationInput
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
    escalator = Escalator(instances, project=project, instance=instance)
    asked = EscalationInput(context=new_request().context, error_context={})
    made = await escalator.escalate(asked)
    again = await escalator.escalate(asked)
    assert made.url == f"https://{where}.example/browse/{project}-1"
    assert again.ticket_key == made.ticket_key
