"""The client against the stand-in, in both flavours, where all goes well."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from pao.clients.jira import Deadline, JiraClient, JiraFlavour, JiraRefusedError, PatAuth
from pao.core.states import RequestStatus
from sandbox.jira.settings import JiraSandboxSettings
from tests.support.jira import JiraSandbox, jira_sandbox


def fields(**changes: Any) -> dict[str, Any]:
    return {
        "project": {"key": "PLATFORM"},
        "issuetype": {"name": "Task"},
        "summary": "A database for the shop",
        "description": "h1. Please\n* one\n* two",
        "labels": ["pao-1234"],
        **changes,
    }


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JiraSandbox]:
    with jira_sandbox(tmp_path_factory.mktemp("jira")) as started:
        yield started


@pytest.fixture
def sandbox(running: JiraSandbox) -> JiraSandbox:
    running.reset()
    return running


@pytest.fixture(params=list(JiraFlavour))
async def client(sandbox: JiraSandbox, request: pytest.FixtureRequest) -> AsyncIterator[JiraClient]:
    async with JiraClient(sandbox.instance(flavour=request.param)) as made:
        yield made


async def test_a_created_ticket_has_key_id_and_the_page_for_people(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    issue = await client.create_issue(fields())
    assert (issue.key, issue.id) == ("PLATFORM-1", "10001")
    assert issue.url == f"{sandbox.url}/browse/PLATFORM-1"
    assert [ticket["summary"] for ticket in sandbox.tickets()] == ["A database for the shop"]


async def test_the_correlation_id_travels_with_the_call(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    await client.create_issue(fields(), "cid-42")
    assert sandbox.tickets()[0]["correlationId"] == "cid-42"


async def test_a_ticket_is_found_by_its_label_and_the_oldest_wins(client: JiraClient) -> None:
    first = await client.create_issue(fields())
    await client.create_issue(fields(project={"key": "DB"}))
    await client.create_issue(fields(labels=["another"]))
    assert await client.find_by_label("pao-1234") == first


async def test_a_search_within_a_project_leaves_the_others_out(client: JiraClient) -> None:
    await client.create_issue(fields())
    other = await client.create_issue(fields(project={"key": "DB"}))
    assert await client.find_by_label("pao-1234", "DB") == other


async def test_a_label_that_nobody_has_is_none(client: JiraClient) -> None:
    await client.create_issue(fields())
    assert await client.find_by_label('x" OR project = "PLATFORM') is None


async def test_an_empty_answer_is_asked_for_again_because_an_index_lags(tmp_path: Path) -> None:
    with jira_sandbox(tmp_path, settings=JiraSandboxSettings(search_lag_seconds=0.2)) as lagging:
        async with JiraClient(lagging.instance()) as client:
            made = await client.create_issue(fields())
            assert await client.find_by_label("pao-1234") is None
            assert await client.find_by_label("pao-1234", settles_in=0.4) == made


async def test_the_status_follows_the_ticket(client: JiraClient, sandbox: JiraSandbox) -> None:
    issue = await client.create_issue(fields())
    seen = []
    for name in ("In Progress", "Done", "Won't Do"):
        sandbox.move(issue.key, name)
        status = await client.get_status(issue.key)
        seen.append((status.status, status.category_key, status.mapped_status))
    assert seen == [
        ("In Progress", "indeterminate", RequestStatus.IN_PROGRESS),
        ("Done", "done", RequestStatus.COMPLETED),
        ("Won't Do", "done", RequestStatus.FAILED),
    ]


async def test_the_status_of_a_ticket_that_is_gone_is_a_refusal(client: JiraClient) -> None:
    with pytest.raises(JiraRefusedError) as caught:
        await client.get_status("PLATFORM-99")
    assert caught.value.status == 404
    assert "Issue does not exist" in caught.value.message


async def test_comments_and_links_arrive(client: JiraClient, sandbox: JiraSandbox) -> None:
    one = await client.create_issue(fields())
    two = await client.create_issue(fields())
    await client.add_comment(one.key, "It is *done*.")
    await client.link_issues(one.key, two.key, link_type="Blocks")
    ticket = sandbox.tickets()[0]
    assert len(ticket["comments"]) == 1
    assert ticket["links"] == [{"type": "Blocks", "inward": one.key, "outward": two.key}]


async def test_a_ping_checks_the_credentials(sandbox: JiraSandbox) -> None:
    async with JiraClient(sandbox.instance()) as good:
        await good.ping()
        assert (await good.server_info()).deployment == "Server"
    wrong = sandbox.instance(auth=PatAuth(SecretStr("not-the-token")))
    async with JiraClient(wrong) as bad:
        with pytest.raises(JiraRefusedError) as caught:
            await bad.ping()
    assert caught.value.status == 401
    assert '"main"' in caught.value.message
    assert "not-the-token" not in caught.value.message


async def test_a_personal_access_token_is_a_bearer_token(sandbox: JiraSandbox) -> None:
    async with JiraClient(
        sandbox.instance(auth=PatAuth(SecretStr(sandbox.settings.token)))
    ) as client:
        await client.ping()


async def test_many_calls_at_once_make_as_many_tickets(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    issues = await asyncio.gather(*(client.create_issue(fields()) for _ in range(80)))
    assert len({issue.key for issue in issues}) == len(sandbox.tickets()) == 80


async def test_the_settings_of_an_instance_do_not_print_its_token(sandbox: JiraSandbox) -> None:
    assert sandbox.settings.token not in repr(sandbox.instance())


async def test_a_deadline_that_has_passed_sends_nothing(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    with pytest.raises(Exception, match="before it could be sent"):
        await client.create_issue(fields(), deadline=Deadline.after(0))
    assert sandbox.tickets() == []


async def test_characters_that_no_jira_can_keep_are_replaced(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    issue = await client.create_issue(fields(description="a\x00b\x1b\ud800c\td\ne 🚀"))
    await client.add_comment(issue.key, "a\x00b")
    [ticket] = sandbox.tickets()
    assert ticket["description"].strip() == "a\ufffdb\ufffd\ufffdc\td\ne 🚀"
    assert ticket["comments"][0].strip() == "a\ufffdb"
