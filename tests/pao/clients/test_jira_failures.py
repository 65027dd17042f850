"""Every way in which a call to JIRA ends badly, over real sockets."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest

from pao.clients.jira import (
    Deadline,
    JiraClient,
    JiraFlavour,
    JiraOutcomeUnknownError,
    JiraRefusedError,
    JiraUnreachableError,
)
from pao.core.answers import READ_BYTES
from tests.support.jira import JiraSandbox, jira_sandbox
from tests.support.jira_raw import FIELDS, TOTAL, failure, instance


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
    """For answers that do come, however busy the machine is."""
    async with JiraClient(sandbox.instance(flavour=request.param)) as made:
        yield made


@pytest.fixture
async def hurried(sandbox: JiraSandbox, client: JiraClient) -> AsyncIterator[JiraClient]:
    """For answers that do not come in time."""
    async with JiraClient(instance(sandbox.url, flavour=client.instance.flavour)) as made:
        yield made


@pytest.mark.parametrize(
    ("kind", "made"),
    [("not-json-201", True), ("cut-before", False), ("cut-after", True), ("huge", True)],
)
async def test_no_readable_answer_leaves_the_outcome_unknown_and_a_look_tells_it(
    client: JiraClient, sandbox: JiraSandbox, *, kind: str, made: bool
) -> None:
    sandbox.fault(kind)
    await _outcome_is_unknown(client)
    assert (await client.find_by_label("pao-1") is not None) is made


@pytest.mark.parametrize("kind", ["slow", "drip"])
async def test_a_late_answer_leaves_the_outcome_unknown_and_a_look_tells_it(
    hurried: JiraClient, client: JiraClient, sandbox: JiraSandbox, kind: str
) -> None:
    sandbox.fault(kind)
    await _outcome_is_unknown(hurried)
    assert await client.find_by_label("pao-1") is not None


async def _outcome_is_unknown(client: JiraClient) -> None:
    with pytest.raises(JiraOutcomeUnknownError) as caught:
        await client.create_issue(FIELDS)
    assert '"main"' in caught.value.message
    assert caught.value.retryable


@pytest.mark.parametrize(
    ("status", "retryable"), [(400, False), (403, False), (404, False), (409, True), (429, True)]
)
async def test_an_error_answer_is_a_refusal_with_jiras_words(
    client: JiraClient, sandbox: JiraSandbox, *, status: int, retryable: bool
) -> None:
    sandbox.fault("status", status=status, message="No, because.")
    with pytest.raises(JiraRefusedError) as caught:
        await client.create_issue(FIELDS)
    assert caught.value.status == status
    assert caught.value.retryable is retryable
    assert "No, because." in caught.value.message
    assert caught.value.error_messages == ("No, because.",)


@pytest.mark.parametrize("status", [408, 499, 500, 502, 503, 504])
@pytest.mark.parametrize("kind", ["status", "status-after"])
async def test_what_does_not_prove_that_nothing_was_done_leaves_the_outcome_unknown(
    client: JiraClient, sandbox: JiraSandbox, status: int, kind: str
) -> None:
    made = await client.create_issue(FIELDS)
    changes: dict[str, Callable[[], Any]] = {
        "/issue$": lambda: client.create_issue(FIELDS),
        "/comment$": lambda: client.add_comment(made.key, "a comment"),
        "/issueLink$": lambda: client.link_issues(made.key, made.key),
        "/attachments$": lambda: client.attach(made.key, ("a.txt", b"a", "text/plain")),
    }
    for path, change in changes.items():
        sandbox.fault(
            kind, status=status, match={"method": "POST", "path": path}, message="Down, sorry."
        )
        with pytest.raises(JiraOutcomeUnknownError, match=f"HTTP {status}: Down, sorry") as caught:
            await change()
        assert caught.value.retryable
        assert caught.value.judged.counts is (status >= 500)


async def test_a_question_that_is_answered_by_an_error_counts_for_the_breaker(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    for status, counts in ((503, True), (500, True), (429, False), (401, False), (408, False)):
        sandbox.fault("status", status=status, match={})
        with pytest.raises(JiraRefusedError) as caught:
            await client.find_by_label("pao-1")
        assert caught.value.judged.counts is counts


async def test_a_refusal_names_field_by_field_what_is_wrong(client: JiraClient) -> None:
    with pytest.raises(JiraRefusedError) as caught:
        await client.create_issue({"project": {"key": "NOPE"}, "issuetype": {"name": "Task"}})
    assert set(caught.value.errors) == {"project", "summary"}
    assert "summary: You must specify a summary of the issue." in caught.value.message
    assert caught.value.body is not None


async def test_a_rate_limit_fails_at_once_and_shows_retry_after(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    sandbox.fault("rate-limit", retryAfter="120")
    with pytest.raises(JiraRefusedError) as caught:
        await client.create_issue(FIELDS)
    assert (caught.value.status, caught.value.retry_after) == (429, "120")
    assert caught.value.retryable
    assert "Retry-After: 120" in caught.value.message
    assert sandbox.tickets() == []


@pytest.mark.parametrize("status", [200, 302])
async def test_a_login_page_is_never_a_success(
    client: JiraClient, sandbox: JiraSandbox, status: int
) -> None:
    sandbox.fault("html-login", status=status)
    with pytest.raises(JiraOutcomeUnknownError, match="login page") as caught:
        await client.create_issue(FIELDS)
    assert caught.value.status == status
    sandbox.fault("html-login", status=status, match={})
    with pytest.raises(JiraRefusedError, match="login"):
        await client.find_by_label("pao-1")


async def test_a_captcha_says_how_to_get_rid_of_it(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    sandbox.fault("status", status=403, loginReason="AUTHENTICATION_DENIED")
    with pytest.raises(JiraRefusedError, match="captcha"):
        await client.create_issue(FIELDS)


async def test_an_api_that_is_gone_points_at_the_flavour(sandbox: JiraSandbox) -> None:
    sandbox.fault("status", status=410, message="Removed.")
    assert "flavour" in (await failure(sandbox.url)).message


@pytest.mark.parametrize("kind", ["slow", "cut-before", "drip"])
async def test_a_question_without_an_answer_changed_nothing(
    hurried: JiraClient, sandbox: JiraSandbox, kind: str
) -> None:
    sandbox.fault(kind, match={})
    with pytest.raises(JiraUnreachableError, match="Nothing was changed"):
        await hurried.find_by_label("pao-1")


async def test_a_huge_answer_to_a_question_is_refused(
    client: JiraClient, sandbox: JiraSandbox
) -> None:
    sandbox.fault("huge", match={})
    with pytest.raises(JiraRefusedError, match="larger than 4 MB") as caught:
        await client.find_by_label("pao-1")
    assert caught.value.body is not None
    assert len(caught.value.body) <= READ_BYTES


async def test_speaking_tls_to_a_server_that_has_none_never_left(sandbox: JiraSandbox) -> None:
    error = await failure(sandbox.url.replace("http:", "https:"))
    assert isinstance(error, JiraUnreachableError)
    assert "TLS" in error.message


async def test_nothing_is_sent_after_the_caller_was_cancelled(
    hurried: JiraClient, sandbox: JiraSandbox
) -> None:
    blockers = [asyncio.create_task(hurried.find_by_label("x")) for _ in range(40)]
    sandbox.fault("slow", match={"path": "/search"}, times=None)
    late = asyncio.create_task(hurried.create_issue(FIELDS))
    await asyncio.sleep(0)
    late.cancel()
    with pytest.raises(asyncio.CancelledError):
        await late
    await asyncio.gather(*blockers, return_exceptions=True)
    assert sandbox.tickets() == []


async def test_a_call_that_waited_too_long_for_its_turn_is_never_sent(
    sandbox: JiraSandbox,
) -> None:
    sandbox.fault("slow", match={"path": "/search"}, times=None, seconds=5)
    async with JiraClient(instance(sandbox.url)) as client:
        blockers = [asyncio.create_task(client.find_by_label("x")) for _ in range(32)]
        brief = Deadline.after(TOTAL / 2)
        late = asyncio.create_task(client.create_issue(FIELDS, deadline=brief))
        results = await asyncio.gather(*blockers, late, return_exceptions=True)
    assert all(isinstance(result, JiraUnreachableError) for result in results)
    assert sandbox.tickets() == []


async def test_the_call_after_a_cut_one_works(client: JiraClient, sandbox: JiraSandbox) -> None:
    sandbox.fault("cut-after")
    with pytest.raises(JiraOutcomeUnknownError):
        await client.create_issue(FIELDS)
    assert (await client.create_issue(FIELDS)).key == "PLATFORM-2"


async def test_no_log_line_holds_the_token_or_the_ticket(
    client: JiraClient, sandbox: JiraSandbox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await client.create_issue({**FIELDS, "description": "a-secret-of-somebody"})
    assert sandbox.settings.token not in caplog.text
    assert "a-secret-of-somebody" not in caplog.text


async def test_the_deadline_holds_for_the_event_loop_too(sandbox: JiraSandbox) -> None:
    # This ends although the answer takes an hour.
    sandbox.fault("slow", seconds=3600)
    await failure(sandbox.url)
