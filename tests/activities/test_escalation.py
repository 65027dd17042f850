"""An escalation ticket can always be made, once, and says where the rest of it is."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from activities.escalation import Escalator
from activities.escalation_text import FILE, full_text
from pao.clients.jira import JiraFlavour
from pao.clients.jira.escalation import EscalationTarget
from pao.clients.jira.instances import JiraInstances
from pao.core.payloads.actions import ActionState
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.tickets import EscalationInput
from pao.core.states import ActionStatus
from sandbox.jira.settings import JiraSandboxSettings, Screen
from tests.support.jira import JiraSandbox, jira_sandbox
from tests.support.requests import new_request
from workflows.decisions import trim_for_ticket

PROJECT = "ORCHESTRATION"


@contextmanager
def world(
    folder: Path, flavour: JiraFlavour, **settings: Any
) -> Iterator[tuple[JiraSandbox, JiraInstances]]:
    with jira_sandbox(folder, settings=JiraSandboxSettings(**settings)) as jira:
        instances = JiraInstances([jira.instance(flavour=flavour)])
        yield jira, instances
        instances.close()


def failure(message: str = "it broke", **request: Any) -> EscalationInput:
    context = new_request().context
    return EscalationInput(
        context=context,
        error_context={
            "error": {"code": "ACTION_FAILED", "message": message},
            "cleanup": [{"instructions": "Remove the record."}],
            "request": {"id": context.request_id, **request},
        },
    )


HUGE = {
    "error": failure("*bold* \U0001f600 {code} | " * 5_000),
    "fields": failure(fields={"text": "\U0001f600" * 40_000}),
    "both": failure("x" * 50_000, fields={f"f{n}": "line\n" * 200 for n in range(100)}),
}


@pytest.mark.parametrize("flavour", list(JiraFlavour))
@pytest.mark.parametrize("given", HUGE.values(), ids=HUGE.keys())
async def test_what_is_too_long_is_cut_and_attached_whole(
    tmp_path: Path, flavour: JiraFlavour, given: EscalationInput
) -> None:
    with world(tmp_path, flavour) as (jira, instances):
        made = await Escalator(instances, target=EscalationTarget(PROJECT)).escalate(given)
        again = await Escalator(instances, target=EscalationTarget(PROJECT)).escalate(given)
        [ticket] = jira.tickets()
    [file] = ticket["attachments"]
    assert made.ticket_key == again.ticket_key == ticket["key"]
    assert file["name"] == FILE
    assert file["size"] == len(full_text(given).encode())
    assert FILE in ticket["description"]
    for part in (given.context.request_id, "Remove the record", "Cleanup required"):
        assert part in ticket["description"]


def test_what_failed_actions_left_stands_in_the_table_of_actions() -> None:
    left = PartialResource("jira-ticket", id="NET-7", url="http://jira/browse/NET-7")
    failed = ActionFailure("UPSTREAM_ERROR", "cut", partial=[left])
    made = ActionState("a", 0, "job", "Made", ActionStatus.COMPLETED, external_reference="NET-1")
    states = [
        made,
        ActionState("b", 1, "job", "Half", ActionStatus.FAILED, partial=[left]),
        ActionState("c", 2, "job", "Doubt", ActionStatus.FAILED, outcome_unknown=True),
        ActionState("d", 3, "job", "None", ActionStatus.PENDING),
        replace(made, id="e", name="Moved", external_reference="NET-8", left_behind=[left]),
        # As versions that had it in the error alone have stored it.
        ActionState("f", 5, "job", "Old", ActionStatus.FAILED, error=failed),
    ]
    # As the workflow passes them: it leaves out what may be large.
    text = full_text(replace(failure(), actions=[trim_for_ticket(state) for state in states]))
    assert "|Made|completed|0|NET-1|" in text
    assert "|Half|failed|0|[NET-7|http://jira/browse/NET-7]|" in text
    assert "|Doubt|failed|0|not known|" in text
    assert "|None|pending|0|none|" in text
    assert "|Moved|completed|0|NET-8, [NET-7|http://jira/browse/NET-7]|" in text
    assert "|Old|failed|0|[NET-7|http://jira/browse/NET-7]|" in text


def test_an_escalation_links_to_the_page_of_its_request_where_there_are_pages() -> None:
    given = failure()
    link = f"||Page|[https://pao.example.com/requests/{given.context.request_id}]|"
    assert link in full_text(given, pages="https://pao.example.com")
    assert "||Page|" not in full_text(given)


async def test_a_short_one_has_no_file(tmp_path: Path) -> None:
    with world(tmp_path, JiraFlavour.CLOUD) as (jira, instances):
        await Escalator(instances, target=EscalationTarget(PROJECT)).escalate(failure())
        [ticket] = jira.tickets()
    assert ticket["attachments"] == []


@pytest.mark.parametrize("flavour", list(JiraFlavour))
async def test_a_refused_file_is_said_in_a_comment(tmp_path: Path, flavour: JiraFlavour) -> None:
    with world(tmp_path, flavour, attachments=False) as (jira, instances):
        made = await Escalator(instances, target=EscalationTarget(PROJECT)).escalate(HUGE["both"])
        [ticket] = jira.tickets()
    assert made.ticket_key == ticket["key"]
    assert "could not be attached" in str(ticket["comments"])


@pytest.mark.parametrize("flavour", list(JiraFlavour))
@pytest.mark.parametrize(
    "screen",
    [
        Screen(without=frozenset({"priority"})),
        Screen(priorities=("Low",)),
        Screen(types=("Task", "Bug")),
        Screen(types=("Bug",), without=frozenset({"priority", "customfield_10201"})),
    ],
)
async def test_what_the_project_does_not_take_is_left_out(
    tmp_path: Path, flavour: JiraFlavour, screen: Screen
) -> None:
    target = EscalationTarget(PROJECT, fields={"customfield_10201": "4711"})
    with world(tmp_path, flavour, screens={PROJECT: screen}) as (jira, instances):
        made = await Escalator(instances, target=target).escalate(failure())
        [ticket] = jira.tickets()
    assert made.ticket_key == ticket["key"]
    kept = "customfield_10201" not in screen.without
    assert (ticket["fields"].get("customfield_10201") == "4711") == kept
    assert ticket["fields"]["issuetype"]["name"] in (screen.types or ("Incident",))


async def test_a_field_that_is_needed_and_not_configured_is_named(tmp_path: Path) -> None:
    screen = Screen(required=("customfield_10202",))
    with world(tmp_path, JiraFlavour.CLOUD, screens={PROJECT: screen}) as (jira, instances):
        escalator = Escalator(instances, target=EscalationTarget(PROJECT))
        with pytest.raises(Exception, match="customfield_10202: Environment is required"):
            await escalator.escalate(failure())
        assert jira.tickets() == []
        given = {"customfield_10202": {"value": "Production"}}
        target = EscalationTarget(PROJECT, fields=given, priority=None)
        await Escalator(instances, target=target).escalate(failure())
        [ticket] = jira.tickets()
    assert ticket["fields"]["customfield_10202"] == {"value": "Production"}


async def test_an_unknown_outcome_is_not_followed_by_a_plainer_ticket(tmp_path: Path) -> None:
    with world(tmp_path, JiraFlavour.DATACENTER) as (jira, instances):
        jira.fault("cut-after", match={"method": "POST", "path": "/issue$"})
        escalator = Escalator(instances, target=EscalationTarget(PROJECT))
        given = failure()
        with pytest.raises(Exception, match="may or may not"):
            await escalator.escalate(given)
        await escalator.escalate(replace(given, tried_before=True))
        assert len(jira.tickets()) == 1
