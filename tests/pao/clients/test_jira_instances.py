"""Several instances at once: where a ticket is, and where many of them stand."""

from collections.abc import Iterator
from typing import Any

import pytest

from pao.clients.jira import JiraClient, JiraFlavour, JiraRefusedError
from pao.clients.jira.instances import JiraInstances, TicketReference
from pao.core.states import RequestStatus
from tests.support.jira import JiraSandbox, jira_sandbox

FIELDS: dict[str, Any] = {"issuetype": {"name": "Task"}, "summary": "A database"}


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[JiraSandbox, JiraSandbox]]:
    with (
        jira_sandbox(tmp_path_factory.mktemp("corp")) as corp,
        jira_sandbox(tmp_path_factory.mktemp("site")) as site,
    ):
        yield corp, site


@pytest.fixture
def corp(both: tuple[JiraSandbox, JiraSandbox]) -> JiraSandbox:
    both[0].reset()
    return both[0]


@pytest.fixture
def site(both: tuple[JiraSandbox, JiraSandbox]) -> JiraSandbox:
    both[1].reset()
    return both[1]


@pytest.fixture
def instances(corp: JiraSandbox, site: JiraSandbox) -> Iterator[JiraInstances]:
    made = JiraInstances(
        [
            corp.instance(
                name="corp",
                projects=("DB",),
                status_mapping={"In Review": RequestStatus.SUBMITTED},
            ),
            site.instance(name="site", flavour=JiraFlavour.CLOUD, default_project="NET"),
        ],
        default="site",
    )
    yield made
    made.close()


async def make(client: JiraClient, project: str, *, count: int = 1) -> list[TicketReference]:
    fields = {**FIELDS, "project": {"key": project}}
    issues = [await client.create_issue(fields) for _ in range(count)]
    return [TicketReference(issue.key, issue.url) for issue in issues]


async def test_the_address_of_a_ticket_tells_its_instance_whatever_is_mapped_now(
    instances: JiraInstances,
) -> None:
    [here] = await make(instances.instance("corp"), "NET")
    [there] = await make(instances.instance("site"), "DB")
    assert instances.for_ticket(here).instance.name == "corp"
    assert instances.for_ticket(there).instance.name == "site"
    assert instances.for_ticket(TicketReference(here.key)).instance.name == "site"
    assert instances.for_ticket(TicketReference(here.key, instance="corp")).instance.name == "corp"


async def test_many_tickets_are_asked_for_with_few_calls(
    instances: JiraInstances, corp: JiraSandbox, site: JiraSandbox
) -> None:
    tickets = [
        *await make(instances.instance("corp"), "DB", count=120),
        *await make(instances.instance("site"), "DB", count=120),
    ]
    corp.move("DB-7", "In Review")
    site.move("DB-7", "Won't Do")
    # Every call but two per instance would be refused.
    for sandbox in (corp, site):
        sandbox.fault("slow", match={}, times=2, seconds=0)
        sandbox.fault("status", match={}, times=None)
    readings = await instances.statuses(tickets)
    assert len(readings) == len(tickets)
    states = {
        (instances.for_ticket(reading.ticket).instance.name, reading.status.mapped_status)
        for reading in readings
        if reading.status and reading.ticket.key == "DB-7"
    }
    assert states == {("corp", RequestStatus.SUBMITTED), ("site", RequestStatus.FAILED)}
    assert all(reading.status and not reading.gone for reading in readings)


async def test_a_ticket_that_is_gone_is_told_apart_from_a_jira_that_is_away(
    instances: JiraInstances, site: JiraSandbox
) -> None:
    [there] = await make(instances.instance("corp"), "DB")
    gone = TicketReference("DB-999", instance="corp")
    odd = TicketReference('x") or key in ("DB-1', instance="corp")
    away = TicketReference("NET-1", instance="site")
    nowhere = TicketReference("NET-2", instance="nowhere")
    site.fault("status", match={}, status=503, times=None)
    asked = [there, gone, odd, away, nowhere]
    found = {reading.ticket: reading for reading in await instances.statuses(asked)}
    assert set(found) == set(asked)
    assert found[there].status is not None
    assert found[gone].gone
    assert found[odd].gone
    assert "HTTP 503" in str(found[away].error)
    assert not found[away].gone
    assert "configured are: corp, site" in str(found[nowhere].error)


@pytest.mark.parametrize("name", ["corp", "site"])
async def test_one_ticket_that_is_gone_does_not_hide_the_others(
    instances: JiraInstances, name: str
) -> None:
    client = instances.instance(name)
    [known] = await make(client, "DB")
    found = await client.get_statuses([known.key, "DB-999"])
    assert found["DB-999"] is None
    assert found[known.key] is not None


async def test_a_jira_that_refuses_is_no_proof_that_a_ticket_is_gone(
    instances: JiraInstances, corp: JiraSandbox
) -> None:
    corp.fault("status", status=403, match={"path": "/issue/DB-999"}, times=None)
    with pytest.raises(JiraRefusedError):
        await instances.instance("corp").get_statuses(["DB-999"])


async def test_nothing_asked_is_nothing_sent(instances: JiraInstances, corp: JiraSandbox) -> None:
    corp.fault("status", match={}, times=None)
    assert await instances.instance("corp").get_statuses([]) == {}
    assert await instances.statuses([]) == []


def test_an_instance_is_called_by_its_name_only_where_there_are_several(
    instances: JiraInstances, corp: JiraSandbox
) -> None:
    assert instances.titles == {"jira:corp": 'JIRA "corp"', "jira:site": 'JIRA "site"'}
    alone = JiraInstances([corp.instance(name="corp")])
    assert alone.titles == {"jira:corp": "JIRA"}
    alone.close()


async def test_one_that_refuses_is_told_from_the_others(
    instances: JiraInstances, corp: JiraSandbox
) -> None:
    alone = JiraInstances([corp.instance(name="corp")])
    for known, title in ((instances, 'JIRA "corp"'), (alone, "JIRA")):
        with pytest.raises(JiraRefusedError, match=f"^{title} could not create the ticket"):
            await make(known.instance("corp"), "NOWHERE")
    alone.close()
