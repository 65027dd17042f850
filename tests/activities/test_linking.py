"""Tying the tickets of a bundle's components together: each link once, one ticket above them."""

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.ticket_links import TicketLinker
from pao.clients.jira.instances import JiraInstances
from pao.core.components import TICKET_LINKS, TICKET_LINKS_ID
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.plan import PlannedAction
from tests.support.jira import JiraSandbox, jira_sandbox
from tests.support.requests import new_request

PAIRS = [["db", "name"], ["db", "gone"]]


@pytest.fixture
def jira(tmp_path: Path) -> Any:
    with jira_sandbox(tmp_path) as running:
        yield running


@pytest.fixture
async def instances(jira: JiraSandbox) -> AsyncIterator[JiraInstances]:
    made = JiraInstances([jira.instance()])
    yield made
    made.close()


async def tickets(instances: JiraInstances) -> dict[str, Any]:
    """Make a ticket for each of two components; a third one has none."""
    client = instances.instance(None)
    found: dict[str, Any] = {"gone": {"tickets": []}}
    for name in ("db", "name"):
        fields = {
            "project": {"key": "PLATFORM"},
            "issuetype": {"name": "Task"},
            "summary": name,
        }
        made = await client.create_issue(fields)
        found[name] = {"tickets": [{"key": made.key, "url": made.url}]}
    return found


async def given(instances: JiraInstances, **config: Any) -> ActionInput:
    context = replace(new_request().context, components=await tickets(instances))
    settings = {"linkType": "blocks", "pairs": PAIRS, **config}
    action = PlannedAction(TICKET_LINKS_ID, 0, TICKET_LINKS, "Link the tickets", settings)
    return ActionInput(context=context, action=action, look_first=True)


async def test_a_repeat_links_nothing_again(jira: JiraSandbox, instances: JiraInstances) -> None:
    asked = await given(instances)
    linker = TicketLinker(instances)

    first, second = await linker.link(asked), await linker.link(asked)

    assert (first.outputs, second.outputs) == ({"links": 1}, {"links": 0})
    assert [len(ticket["links"]) for ticket in jira.tickets()] == [1, 1]


async def test_the_ticket_above_the_others_is_made_once_and_found_again(
    jira: JiraSandbox, instances: JiraInstances
) -> None:
    asked = await given(instances, parentTicket=True)
    linker = TicketLinker(instances)

    first, second = await linker.link(asked), await linker.link(asked)

    assert first.external_reference == second.external_reference
    assert first.cleanup
    assert sorted(len(ticket["links"]) for ticket in jira.tickets()) == [2, 2, 2]


async def test_a_jira_that_is_away_fails_the_action_and_says_so(
    jira: JiraSandbox, instances: JiraInstances
) -> None:
    asked = await given(instances)
    jira.fault("status", status=503, match={"path": "/issueLink"})

    with pytest.raises(ApplicationError, match="503"):
        await TicketLinker(instances).link(asked)


async def test_the_ticket_above_the_others_is_listed_when_a_link_to_it_fails(
    jira: JiraSandbox, instances: JiraInstances
) -> None:
    asked = await given(instances, parentTicket=True, pairs=[])
    jira.fault("status", status=400, match={"path": "/issueLink"})

    with pytest.raises(ApplicationError) as caught:
        await TicketLinker(instances).link(asked)

    [made] = [one for one in jira.tickets() if "bundle's components" in str(one["description"])]
    assert [one["id"] for one in caught.value.details[0]["partial"]] == [made["key"]]
