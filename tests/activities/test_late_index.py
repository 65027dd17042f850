"""An empty answer of an index is no proof while the doubt is young: tickets, escalations, links."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.action_errors import ActionFailedError, OutcomeUnknownError
from activities.actions.jira_ticket import ACTION
from activities.actions.jira_ticket_config import JiraTicketConfig, TicketTemplate
from activities.base import ActionContext
from activities.escalation import Escalator
from activities.search_lag import settles_in
from activities.ticket_links import TicketLinker
from pao.clients.jira import Deadline, JiraFlavour
from pao.clients.jira.escalation import EscalationTarget
from pao.clients.jira.instances import JiraInstances
from pao.core.names import mark
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.tickets import EscalationInput
from pao.core.timestamps import timestamp
from tests.support.jira import JiraSandbox, jira_sandbox
from tests.support.requests import new_request, ticket

SEARCH = {"path": "/search"}
CREATE = {"method": "POST", "path": "/issue$"}
CONFIG = JiraTicketConfig(ticket=TicketTemplate(summaryTemplate="A thing"))


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JiraSandbox]:
    with jira_sandbox(tmp_path_factory.mktemp("jira")) as started:
        yield started


@pytest.fixture
def jira(running: JiraSandbox) -> JiraSandbox:
    running.reset()
    return running


@pytest.fixture(params=list(JiraFlavour))
def instances(jira: JiraSandbox, request: pytest.FixtureRequest) -> Iterator[JiraInstances]:
    made = JiraInstances([jira.instance(flavour=request.param, search_lag=60.0)])
    yield made
    made.close()


def ago(seconds: float) -> str:
    return timestamp(datetime.now(UTC) - timedelta(seconds=seconds))


def context(instances: JiraInstances, *, seconds: float = 2.0) -> ActionContext:
    request = new_request().context
    return ActionContext(
        request=request,
        attempt=2,
        mark=mark(request.request_id, "ticket"),
        jira=instances,
        deadline=Deadline.after(seconds),
        doubt_since=ago(0),
    )


async def cut(jira: JiraSandbox, given: ActionContext) -> None:
    jira.fault("cut-after", match=CREATE)
    with pytest.raises(OutcomeUnknownError):
        await ACTION.execute(CONFIG, replace(given, deadline=Deadline.after(8)))


async def test_a_young_doubt_is_not_answered_by_an_empty_search(
    instances: JiraInstances, jira: JiraSandbox
) -> None:
    given = context(instances)
    await cut(jira, given)
    jira.fault("late-index", match=SEARCH, times=None)
    with pytest.raises(ActionFailedError, match=r"lag 60 s.* is certain from \d\d:") as met:
        await ACTION.look(CONFIG, given)
    assert met.value.retryable
    assert not met.value.counts
    jira.clear_faults()
    found = await ACTION.look(CONFIG, replace(given, deadline=Deadline.after(8)))
    assert found is not None
    assert [one["key"] for one in jira.tickets()] == [found.external_reference]


async def test_a_search_is_asked_again_until_it_shows_the_ticket(
    instances: JiraInstances, jira: JiraSandbox
) -> None:
    given = context(instances, seconds=16)
    await cut(jira, given)
    jira.fault("late-index", match=SEARCH, times=2)
    assert await ACTION.look(CONFIG, given) is not None


@pytest.mark.parametrize("changes", [{"doubt_since": ago(61)}, {"unclear": False}])
async def test_an_old_doubt_and_a_refusal_are_answered_at_once(
    instances: JiraInstances, jira: JiraSandbox, changes: dict[str, Any]
) -> None:
    jira.fault("late-index", match=SEARCH, times=1)
    assert await ACTION.look(CONFIG, replace(context(instances), **changes)) is None
    assert not [fault for fault in jira.faults() if fault["remaining"]]


async def test_an_escalation_is_not_made_twice(instances: JiraInstances, jira: JiraSandbox) -> None:
    escalator = Escalator(instances, target=EscalationTarget(project="OPS"), seconds=2)
    asked = EscalationInput(context=new_request().context, error_context={})
    jira.fault("cut-after", match=CREATE)
    with pytest.raises(ApplicationError):
        await escalator.escalate(asked)
    jira.fault("late-index", match=SEARCH, times=None)
    again = replace(asked, tried_before=True, tried_at=ago(0))
    with pytest.raises(ApplicationError, match="is certain from"):
        await escalator.escalate(again)
    jira.clear_faults()
    assert (await escalator.escalate(again)).ticket_key == jira.tickets()[0]["key"]
    assert len(jira.tickets()) == 1


async def test_the_ticket_above_a_bundles_tickets_is_not_made_twice(
    instances: JiraInstances, jira: JiraSandbox
) -> None:
    made = new_request(ticket("links"))
    made.plan[0].config = {"parentTicket": True}
    given = ActionInput(context=made.context, action=made.plan[0])
    linker = TicketLinker(instances, seconds=2)
    jira.fault("cut-after", match=CREATE)
    with pytest.raises(ApplicationError):
        await linker.link(given)
    jira.fault("late-index", match=SEARCH, times=None)
    again = replace(given, look_first=True, doubt_since=ago(0))
    with pytest.raises(ApplicationError, match="is certain from"):
        await linker.link(again)
    jira.clear_faults()
    assert (await linker.link(again)).external_reference == jira.tickets()[0]["key"]


def test_the_usual_lag_is_that_of_the_flavour(jira: JiraSandbox) -> None:
    usual = {
        flavour: jira.instance(flavour=flavour, search_lag=None).index_lag
        for flavour in JiraFlavour
    }
    assert usual == {JiraFlavour.CLOUD: 60.0, JiraFlavour.DATACENTER: 5.0}


def test_a_doubt_ages_and_a_clock_that_is_behind_makes_it_no_younger() -> None:
    assert settles_in(60, unclear=False, since=ago(0)) == 0
    assert settles_in(60, unclear=True, since=ago(100)) == 0
    assert 30 < settles_in(60, unclear=True, since=ago(20)) <= 40
    assert settles_in(60, unclear=True, since=ago(-30)) == 60
    assert settles_in(60, unclear=True, since=None) == 1
