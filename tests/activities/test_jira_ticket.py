"""The action type jira-ticket against the stand-in."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.action_errors import ActionFailedError, NothingToAdoptError, OutcomeUnknownError
from activities.actions.jira_ticket import ACTION, issue_fields
from activities.actions.jira_ticket_config import JiraTicketConfig, TicketTemplate
from activities.base import ActionContext
from activities.breakers import BreakerLimits, BreakerOptions, Breakers
from activities.long_texts import one_line
from activities.options import ActionOptions
from pao.clients.jira import Deadline, JiraClient, JiraFlavour
from pao.clients.jira.instances import JiraInstances
from pao.clients.jira.limits import LINE_LIMIT
from pao.core.names import mark
from pao.core.payloads.failures import PartialResource
from tests.support.actions import ActionRunner, loopback_network
from tests.support.jira import JiraSandbox, jira_sandbox
from tests.support.requests import new_request


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JiraSandbox]:
    with jira_sandbox(tmp_path_factory.mktemp("jira")) as running:
        yield running


@pytest.fixture
def jira(sandbox: JiraSandbox) -> JiraSandbox:
    sandbox.reset()
    return sandbox


@pytest.fixture
def instances(jira: JiraSandbox) -> Iterator[JiraInstances]:
    made = JiraInstances([jira.instance()])
    yield made
    made.close()


def context(instances: JiraInstances, *, attempt: int = 1) -> ActionContext:
    request = new_request().context
    return ActionContext(
        request=request,
        attempt=attempt,
        mark=mark(request.request_id, "ticket"),
        jira=instances,
        deadline=Deadline.after(8.0),
    )


def config(**ticket: Any) -> JiraTicketConfig:
    return JiraTicketConfig(ticket=TicketTemplate(**{"summaryTemplate": "A thing", **ticket}))


async def test_a_ticket_carries_all_that_its_configuration_says(
    instances: JiraInstances, jira: JiraSandbox
) -> None:
    given = config(
        project="DB",
        issueType="Story",
        descriptionTemplate="h2. A thing\n",
        priority="High",
        labels=("my label", "other"),
    )
    about = context(instances)
    result = await ACTION.execute(given, about)
    [made] = jira.tickets()
    assert made["key"] == result.external_reference == result.outputs["key"]
    assert made["key"].startswith("DB-")
    assert made["labels"] == ["my-label", "other", about.mark]
    assert made["description"].startswith("h2. A thing\n\n----\nPAO request")
    assert about.request.correlation_id in made["description"]
    assert result.url is not None
    assert result.url.endswith(f"/browse/{made['key']}")


async def test_a_ticket_links_to_the_page_of_its_request_where_there_are_pages(
    instances: JiraInstances, jira: JiraSandbox
) -> None:
    about = context(instances)
    pages = ActionOptions(pages="https://pao.example.com")
    await ACTION.execute(config(), replace(about, options=pages))
    [made] = jira.tickets()
    link = f"https://pao.example.com/requests/{about.request.request_id}"
    assert made["description"].endswith(f"\n{link}")


async def test_a_look_finds_what_was_made_with_the_outputs_of_its_creation(
    instances: JiraInstances,
) -> None:
    about = context(instances)
    assert await ACTION.look(config(), about) is None
    made = await ACTION.execute(config(), about)
    assert await ACTION.look(config(), about) == made


async def test_a_look_finds_a_ticket_in_whichever_project_it_is_now(
    instances: JiraInstances,
) -> None:
    about = context(instances)
    made = await ACTION.execute(config(project="DB"), about)
    assert await ACTION.look(config(project="NET"), about) == made


async def test_a_ticket_that_is_out_of_sight_stays_listed_beside_the_next_one(
    instances: JiraInstances,
) -> None:
    lost = PartialResource("jira-ticket", id="NET-77")
    about = replace(context(instances, attempt=2), left=(lost,))
    with pytest.raises(NothingToAdoptError, match="had opened NET-77") as caught:
        await ACTION.look(config(), about)
    assert caught.value.partial == (lost,)
    made = await ACTION.execute(config(), about)
    assert made.partial == [lost]
    own = PartialResource("jira-ticket", id=made.external_reference)
    assert await ACTION.look(config(), replace(about, left=(lost, own))) == made


@pytest.mark.parametrize(
    ("fault", "error", "retryable"),
    [
        ({"kind": "status", "status": 400}, ActionFailedError, False),
        ({"kind": "status", "status": 403}, ActionFailedError, False),
        ({"kind": "status", "status": 503}, OutcomeUnknownError, True),
        ({"kind": "rate-limit"}, ActionFailedError, True),
        ({"kind": "html-login"}, OutcomeUnknownError, True),
        ({"kind": "cut-before"}, OutcomeUnknownError, True),
        ({"kind": "cut-after"}, OutcomeUnknownError, True),
        ({"kind": "not-json-201"}, OutcomeUnknownError, True),
        ({"kind": "status", "status": 502}, OutcomeUnknownError, True),
    ],
)
async def test_each_bad_answer_is_told_apart(
    instances: JiraInstances,
    jira: JiraSandbox,
    fault: dict[str, Any],
    error: type[Exception],
    *,
    retryable: bool,
) -> None:
    jira.fault(**fault)
    with pytest.raises(error) as caught:
        await ACTION.execute(config(), context(instances))
    told: Any = caught.value
    assert told.retryable is retryable


async def test_an_unknown_instance_is_a_failure_that_names_the_known_ones(
    instances: JiraInstances,
) -> None:
    given = JiraTicketConfig(instance="nowhere", ticket=TicketTemplate(summaryTemplate="x"))
    with pytest.raises(ActionFailedError, match="configured are: main"):
        await ACTION.execute(given, context(instances))


def test_an_assignee_is_named_as_each_flavour_wants_it(
    instances: JiraInstances, jira: JiraSandbox
) -> None:
    cloud = JiraClient(jira.instance(flavour=JiraFlavour.CLOUD))
    own = instances.instance(None)
    about, ticket = context(instances), TicketTemplate(summaryTemplate="x", assignee="ann")
    assert issue_fields(ticket, about, own)["assignee"] == {"name": "ann"}
    assert issue_fields(ticket, about, cloud)["assignee"] == {"accountId": "ann"}
    cloud.close()


def test_custom_fields_are_given_to_jira_as_they_are(instances: JiraInstances) -> None:
    ticket = TicketTemplate(
        summaryTemplate="x",
        customFields={"customfield_1": {"value": 3}},
        components=("db",),
    )
    fields = issue_fields(ticket, context(instances), instances.instance(None))
    assert fields["customfield_1"] == {"value": 3}
    assert fields["components"] == [{"name": "db"}]
    assert fields["project"] == {"key": "PLATFORM"}


def test_custom_fields_cannot_take_the_mark_away() -> None:
    with pytest.raises(ValidationError, match="write the labels under labels"):
        TicketTemplate(summaryTemplate="x", customFields={"labels": ["mine"]})


@given(text=st.text(max_size=600))
def test_any_text_makes_a_summary_that_jira_takes(text: str) -> None:
    line = one_line(text)
    assert len(line) <= LINE_LIMIT
    assert not any(char in line for char in "\r\n\t\0")


async def test_a_jira_that_answers_5xx_is_left_alone(jira: JiraSandbox) -> None:
    made = JiraInstances([jira.instance()])
    limits = BreakerOptions(limits=BreakerLimits(failures=3))
    network = loopback_network(breakers=Breakers(options=limits))
    stage = ActionRunner(ACTION, jira=made, network=network)
    asked = {"ticket": {"summaryTemplate": "A thing"}}
    jira.fault("status", status=503, times=None)
    for _ in range(3):
        with pytest.raises(ApplicationError, match="HTTP 503"):
            await stage.execute(stage.request(asked))
    with pytest.raises(ApplicationError, match="circuit breaker"):
        await stage.execute(stage.request(asked))
    await stage.close()
    made.close()


@pytest.mark.parametrize("flavour", list(JiraFlavour))
async def test_values_in_jiras_own_long_fields_are_no_markup(
    jira: JiraSandbox, flavour: JiraFlavour
) -> None:
    title = "[~accountid:1:a] [x|http://evil.example.com]"
    made = JiraInstances([jira.instance(flavour=flavour)])
    stage = ActionRunner(ACTION, jira=made)
    rich = {"description": "*From:* {{fields.title}}", "environment": "*From:* {{fields.title}}"}
    ticket = {"project": "DB", "summaryTemplate": "A thing", "customFields": rich}
    await stage.execute(stage.request({"ticket": ticket}, title=title))
    await stage.close()
    made.close()
    [fields] = [one["fields"] for one in jira.tickets()]
    for name in rich:
        if flavour is JiraFlavour.DATACENTER:
            assert fields[name].startswith(r"*From:* \[\~accountid:1:a\] \[x\|")
            continue
        [paragraph] = fields[name]["content"]
        assert {one["type"] for one in paragraph["content"]} == {"text"}
        assert "".join(one["text"] for one in paragraph["content"]) == f"From: {title}"
