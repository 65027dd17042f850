"""What hangs on a ticket, and waiting until it is resolved; on both flavours."""

import base64
import hashlib
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.action_errors import ActionFailedError, OutcomeUnknownError
from activities.actions.jira_ticket import ACTION
from activities.actions.jira_ticket_config import JiraTicketConfig, TicketTemplate, file_name
from activities.base import ActionContext
from activities.execution import Executor
from activities.session_factory import Tools
from catalog.scopes import ScopeContext
from pao.clients.jira import Deadline, JiraFlavour
from pao.clients.jira.instances import JiraInstances
from pao.core.names import mark
from pao.core.payloads.actions import ActionInput, ActionResult
from pao.runtime.crypto import SecretBox, generate_key
from sandbox.jira.adf_check import adf_text
from sandbox.jira.settings import EPIC_LINK
from tests.support.jira import JiraSandbox, jira_sandbox
from tests.support.requests import new_request

BINARY = bytes(range(256)) * 40
DATA_URL = f"data:application/pkcs10;base64,{base64.b64encode(BINARY).decode()}"
ATTACHMENTS = (
    {"name": "request.json", "contentTemplate": '{"name": "øre"}'},
    {"name": "csr.der", "dataUrl": DATA_URL},
)


@pytest.fixture(scope="module")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JiraSandbox]:
    with jira_sandbox(tmp_path_factory.mktemp("jira")) as running:
        yield running


@pytest.fixture
def jira(sandbox: JiraSandbox) -> JiraSandbox:
    sandbox.reset()
    return sandbox


@pytest.fixture(params=list(JiraFlavour))
def instances(jira: JiraSandbox, request: pytest.FixtureRequest) -> Iterator[JiraInstances]:
    made = JiraInstances([jira.instance(flavour=request.param)])
    yield made
    made.close()


@pytest.fixture
def about(instances: JiraInstances) -> ActionContext:
    request = new_request().context
    return ActionContext(
        request=request,
        attempt=1,
        mark=mark(request.request_id, "ticket"),
        jira=instances,
        deadline=Deadline.after(8.0),
    )


def config(wait_for: str = "created", **ticket: Any) -> JiraTicketConfig:
    document = {"ticket": {"summaryTemplate": "A thing", **ticket}, "waitFor": wait_for}
    return JiraTicketConfig.model_validate(document)


async def again(given: JiraTicketConfig, about: ActionContext) -> ActionResult:
    """Do what a retry does: look, and go on with what is found."""
    found = await ACTION.look(given, about)
    assert found is not None
    return await ACTION.complete(given, about, found)


async def test_files_arrive_byte_by_byte_with_name_and_type(
    about: ActionContext, jira: JiraSandbox
) -> None:
    await ACTION.execute(config(attachments=ATTACHMENTS), about)
    [ticket] = jira.tickets()
    text = '{"name": "øre"}'.encode()
    assert ticket["attachments"] == [
        {
            "name": "request.json",
            "mediaType": "application/json",
            "size": len(text),
            "sha256": hashlib.sha256(text).hexdigest(),
        },
        {
            "name": "csr.der",
            "mediaType": "application/pkcs10",
            "size": len(BINARY),
            "sha256": hashlib.sha256(BINARY).hexdigest(),
        },
    ]


@pytest.mark.parametrize("kind", ["cut-before", "cut-after", "not-json-201"])
async def test_a_lost_answer_attaches_nothing_twice(
    about: ActionContext, jira: JiraSandbox, kind: str
) -> None:
    jira.fault(kind, match={"path": "/attachments"})
    given = config(attachments=ATTACHMENTS)
    with pytest.raises(
        OutcomeUnknownError, match="A retry continues with the same ticket"
    ) as caught:
        await ACTION.execute(given, about)
    [left] = caught.value.partial
    result = await again(given, about)
    [ticket] = jira.tickets()
    assert left.id == ticket["key"] == result.external_reference
    assert sorted(one["name"] for one in ticket["attachments"]) == ["csr.der", "request.json"]


async def test_a_retry_through_the_executor_completes_what_it_adopts(
    instances: JiraInstances, jira: JiraSandbox
) -> None:
    document = {"summaryTemplate": "x", "project": "DB", "attachments": list(ATTACHMENTS)}
    one = new_request()
    one.plan[0].config = {"ticket": document}
    tools = Tools(
        box=SecretBox(f"k1:{generate_key()}"), jira=instances, scope_context=ScopeContext()
    )
    executor = Executor({ACTION.type: ACTION}, tools)
    jira.fault("status", status=503, match={"path": "/attachments"})
    with pytest.raises(ApplicationError, match="was created, but not all"):
        await executor.execute(ACTION, ActionInput(context=one.context, action=one.plan[0]))
    given = ActionInput(context=one.context, action=one.plan[0], attempt=2, look_first=True)
    result = await executor.execute(ACTION, given)
    [ticket] = jira.tickets()
    assert result.adopted
    assert result.external_reference == ticket["key"]
    assert len(ticket["attachments"]) == 2


async def test_what_jira_refuses_to_attach_is_a_failure_that_lists_its_ticket(
    about: ActionContext, jira: JiraSandbox
) -> None:
    jira.fault("status", status=413, match={"path": "/attachments"})
    with pytest.raises(ActionFailedError) as caught:
        await ACTION.execute(config(attachments=ATTACHMENTS), about)
    [ticket] = jira.tickets()
    [left] = caught.value.partial
    assert (left.type, left.id) == ("jira-ticket", ticket["key"])
    assert f"Close JIRA ticket {ticket['key']}" in str(left.cleanup)


async def test_links_are_made_once_whatever_becomes_of_their_answers(
    about: ActionContext, jira: JiraSandbox
) -> None:
    other = (await ACTION.execute(config(), about_another(about))).external_reference
    given = config(links=({"key": other}, {"key": other, "type": "Blocks"}))
    jira.fault("cut-after", match={"path": "/issueLink"})
    with pytest.raises(OutcomeUnknownError, match="was created, but not all"):
        await ACTION.execute(given, about)
    result = await again(given, about)
    await again(given, about)
    made = jira.tickets()[1]
    assert made["links"] == [
        {"type": "Relates", "inward": result.external_reference, "outward": other},
        {"type": "Blocks", "inward": result.external_reference, "outward": other},
    ]


async def test_a_link_to_a_ticket_that_is_not_there_is_told_with_the_ticket_that_is(
    about: ActionContext, jira: JiraSandbox
) -> None:
    with pytest.raises(ActionFailedError, match="Issue does not exist") as caught:
        await ACTION.execute(config(links=({"key": "NET-999"},)), about)
    assert [left.id for left in caught.value.partial] == [jira.tickets()[0]["key"]]


async def test_an_epic_is_named_as_each_flavour_wants_it(
    about: ActionContext, jira: JiraSandbox, instances: JiraInstances
) -> None:
    await ACTION.execute(config(epicKey="DB-1"), about)
    fields = jira.tickets()[0]["fields"]
    if instances.instance(None).instance.flavour is JiraFlavour.CLOUD:
        assert fields["parent"] == {"key": "DB-1"}
    else:
        assert fields[EPIC_LINK] == "DB-1"


async def test_an_assignee_arrives_in_each_flavour(about: ActionContext, jira: JiraSandbox) -> None:
    await ACTION.execute(config(assignee="ann"), about)
    assert "ann" in jira.tickets()[0]["fields"]["assignee"].values()


async def test_a_file_field_without_a_value_attaches_nothing(
    about: ActionContext, jira: JiraSandbox
) -> None:
    attachments = ({"name": "a.pem", "dataUrl": ""}, {"name": "b.pem", "dataUrl": None})
    await ACTION.execute(config(attachments=attachments), about)
    assert jira.tickets()[0]["attachments"] == []


def test_what_is_no_file_is_refused_by_the_configuration() -> None:
    with pytest.raises(ValidationError, match="takes the value of a file field"):
        config(attachments=({"name": "a", "dataUrl": "nope"},))


@pytest.mark.parametrize(
    "attachments",
    [
        [{"name": "a"}],
        [{"name": "a", "contentTemplate": "x", "dataUrl": "y"}],
        [{"name": "", "contentTemplate": "x"}],
        [{"name": "a", "contentTemplate": "x"}, {"name": "a", "contentTemplate": "y"}],
        [{"name": "a/b", "contentTemplate": "x"}, {"name": "a:b", "contentTemplate": "y"}],
    ],
)
def test_attachments_that_make_no_sense_are_refused(attachments: list[dict[str, str]]) -> None:
    with pytest.raises(ValidationError):
        TicketTemplate.model_validate({"summaryTemplate": "x", "attachments": attachments})


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", ".._.._etc_passwd"),
        ("a\r\nb", "a b"),
        ('q"x"', "q_x_"),
        ("\n", "attachment"),
    ],
)
def test_a_file_name_is_one_that_jira_keeps(given: str, kept: str) -> None:
    assert file_name(given) == kept


async def test_a_hostile_file_name_stays_one_name(about: ActionContext, jira: JiraSandbox) -> None:
    name = 'x"; filename="y\r\nX-Evil: 1 ü'
    await ACTION.execute(config(attachments=({"name": name, "contentTemplate": "1"},)), about)
    assert [one["name"] for one in jira.tickets()[0]["attachments"]] == [file_name(name)]


async def test_a_ticket_that_is_waited_for_is_pending_until_it_is_resolved(
    about: ActionContext, jira: JiraSandbox
) -> None:
    given = config("resolved")
    made = await ACTION.execute(given, about)
    assert made.pending is not None
    assert made.pending.kind == "resolution"
    key = made.outputs["key"]
    assert made.pending.state == {"instance": "main", "key": key, "url": made.url}
    jira.move(key, "In Progress")
    assert await ACTION.look(given, about) == made
    jira.move(key, "Done")
    done = await ACTION.look(given, about)
    assert done is not None
    assert done.pending is None
    assert done.outputs == made.outputs | {"status": "Done", "resolution": "Done"}


async def test_a_ticket_that_will_not_be_done_fails_its_action(
    about: ActionContext, jira: JiraSandbox
) -> None:
    given = config("resolved")
    made = await ACTION.execute(given, about)
    jira.move(made.outputs["key"], "Won't Do")
    with pytest.raises(ActionFailedError, match="was resolved as Won't Do") as caught:
        await ACTION.look(given, about)
    assert [left.id for left in caught.value.partial] == [made.outputs["key"]]


async def test_a_ticket_that_is_not_waited_for_is_done_when_it_exists(
    about: ActionContext, jira: JiraSandbox
) -> None:
    made = await ACTION.execute(config(), about)
    jira.move(made.outputs["key"], "Won't Do")
    assert made.pending is None
    assert await ACTION.look(config(), about) == made


def about_another(about: ActionContext) -> ActionContext:
    return ActionContext(
        request=about.request,
        attempt=1,
        mark="pao-another",
        jira=about.jira,
        deadline=about.deadline,
    )


async def test_what_is_too_long_for_its_field_is_cut_and_attached_whole(
    about: ActionContext, jira: JiraSandbox
) -> None:
    text, summary = "\U0001f600 line\n" * 6_000, "s" * 300
    given = config(
        summaryTemplate=summary,
        descriptionTemplate=text,
        customFields={"customfield_10200": text, "customfield_10201": "short"},
        attachments=({"name": "description.txt", "contentTemplate": "mine"},),
    )
    made = await ACTION.execute(given, about)
    found = await ACTION.look(given, about)
    assert found is not None
    await ACTION.complete(given, about, found)

    [ticket] = jira.tickets()
    sizes = {one["name"]: one["size"] for one in ticket["attachments"]}
    assert sizes == {
        "description.txt": 4,
        "summary.txt": 300,
        "whole-description.txt": len(text.encode()),
        "customfield_10200.txt": len(text.encode()),
    }
    assert len(ticket["attachments"]) == 4
    assert ticket["key"] == made.outputs["key"]
    assert about.request.correlation_id in ticket["description"]
    assert "see the attached description.txt" in ticket["description"]


async def test_a_line_too_long_for_its_custom_field_is_cut_and_attached_whole(
    about: ActionContext, jira: JiraSandbox
) -> None:
    former = config(customFields={"customfield_10201": "short"})
    found = await ACTION.execute(former, about)
    for text, shown in (("c" * 300, "c" * 254 + "\N{HORIZONTAL ELLIPSIS}"), ("d" * 255, "d" * 255)):
        given = config(customFields={"customfield_10201": text})
        found = await ACTION.revise(given, about, found, former)
        former = given
        [ticket] = jira.tickets()
        assert ticket["fields"]["customfield_10201"] == shown
    assert [one["size"] for one in ticket["attachments"]] == [300]


async def test_texts_that_fit_have_no_files(about: ActionContext, jira: JiraSandbox) -> None:
    fields = {"customfield_10200": "*as it is*\n\nhttps://a.example [~ann]"}
    await ACTION.execute(config(descriptionTemplate="x", customFields=fields), about)
    [ticket] = jira.tickets()
    assert ticket["attachments"] == []
    sent = ticket["fields"]["customfield_10200"]
    text = sent if isinstance(sent, str) else adf_text(sent)
    assert "*as it is*" in text
    assert "[~ann]" in text


async def test_a_revision_edits_what_differs_says_so_and_keeps_the_mark(
    about: ActionContext, jira: JiraSandbox
) -> None:
    former = config(descriptionTemplate="Old.", priority="High", labels=["one"])
    await ACTION.execute(former, about)
    found = await ACTION.look(former, about)
    wanted = config(
        summaryTemplate="Another thing",
        descriptionTemplate="New.",
        labels=["two"],
        attachments=[ATTACHMENTS[0]],
    )
    result = await ACTION.revise(wanted, about, found, former)
    [ticket] = jira.tickets()
    assert ticket["summary"] == "Another thing"
    assert set(ticket["labels"]) == {"two", about.mark}
    assert "New." in str(ticket["description"])
    assert "corrected this ticket: description, labels, priority, summary" in str(ticket)
    assert [one["name"] for one in ticket["attachments"]] == [ATTACHMENTS[0]["name"]]
    assert result.outputs["key"] == ticket["key"]
    assert (await ACTION.look(wanted, about)) is not None


@pytest.mark.parametrize("after", ["a2", "a-2"])
async def test_a_revision_attaches_a_file_of_other_content_under_a_name_of_its_own(
    about: ActionContext, jira: JiraSandbox, after: str
) -> None:
    former, wanted = [
        config(attachments=[{"name": "host.txt", "contentTemplate": host}])
        for host in ("a1", after)
    ]
    await ACTION.execute(former, about)
    for _ in range(2):
        found = await ACTION.look(former, about)
        await ACTION.revise(wanted, about, found, former)
    [ticket] = jira.tickets()
    digest = hashlib.sha256(after.encode()).hexdigest()
    name = f"corrected-{digest[:8]}-host.txt"
    assert [(one["name"], one["sha256"]) for one in ticket["attachments"]] == [
        ("host.txt", hashlib.sha256(b"a1").hexdigest()),
        (name, digest),
    ]
    assert f"{name} replaces it" in str(ticket).replace("\\\\", "")
