"""Bad days of one JIRA: each call ends in the right kind, and everybody else's calls go on."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from pao.clients.jira import (
    JiraClient,
    JiraError,
    JiraFlavour,
    JiraOutcomeUnknownError,
    JiraRefusedError,
    JiraUnreachableError,
)
from pao.clients.jira.instances import JiraInstances
from tests.support.jira import JiraSandbox, jira_sandbox

BAD = {"summary": "on a bad day", "project": {"key": "DB"}, "issuetype": {"name": "Task"}}
GOOD = {**BAD, "summary": "on any day"}
MATCH = {"method": "POST", "path": "/issue$", "summaryContains": "bad day"}

DAYS: dict[str, tuple[dict[str, Any], type[JiraError]]] = {
    "a login page": ({"kind": "html-login"}, JiraOutcomeUnknownError),
    "a redirect to a login page": ({"kind": "html-login", "status": 302}, JiraOutcomeUnknownError),
    "an error page": ({"kind": "html-login", "status": 500}, JiraOutcomeUnknownError),
    "an error after the work": ({"kind": "status-after", "status": 503}, JiraOutcomeUnknownError),
    "a gateway that gave up": ({"kind": "status", "status": 408}, JiraOutcomeUnknownError),
    "a refusal": ({"kind": "status", "status": 400}, JiraRefusedError),
    "a gateway's page": ({"kind": "html-login", "status": 502}, JiraOutcomeUnknownError),
    "garbage": ({"kind": "not-json-201"}, JiraOutcomeUnknownError),
    "10 MB": ({"kind": "huge"}, JiraOutcomeUnknownError),
    "a byte a second": ({"kind": "drip"}, JiraOutcomeUnknownError),
    "silence": ({"kind": "slow", "seconds": 60}, JiraOutcomeUnknownError),
    "a cut": ({"kind": "cut-after"}, JiraOutcomeUnknownError),
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
def jiras(sandbox: JiraSandbox, request: pytest.FixtureRequest) -> Iterator[JiraInstances]:
    made = JiraInstances(
        [
            sandbox.instance(name="bad", flavour=request.param, total_timeout=1.5),
            sandbox.instance(name="patient", flavour=request.param),
        ]
    )
    yield made
    made.close()


def struck(jiras: JiraInstances, fault: dict[str, Any]) -> JiraClient:
    """Return the client with little patience for what never ends, else the other one."""
    return jiras.instance("bad" if fault["kind"] in {"drip", "slow"} else "patient")


@pytest.mark.parametrize(("fault", "kind"), DAYS.values(), ids=DAYS.keys())
async def test_a_bad_day_ends_in_its_kind_while_other_calls_go_on(
    jiras: JiraInstances, sandbox: JiraSandbox, fault: dict[str, Any], kind: type[JiraError]
) -> None:
    sandbox.fault(**fault, match=MATCH, times=None)
    client, other = struck(jiras, fault), jiras.instance("patient")
    bad = [asyncio.create_task(client.create_issue(BAD)) for _ in range(5)]
    good = await asyncio.gather(*(other.create_issue(GOOD) for _ in range(5)))
    ends = await asyncio.gather(*bad, return_exceptions=True)
    assert [type(end) for end in ends] == [kind] * 5
    assert len({issue.key for issue in good}) == 5


@pytest.mark.parametrize("fault", [{"kind": "drip"}, {"kind": "slow", "seconds": 60}])
async def test_calls_that_hang_hold_up_nobody_else(
    jiras: JiraInstances, sandbox: JiraSandbox, fault: dict[str, Any]
) -> None:
    sandbox.fault(**fault, match=MATCH, times=None)
    client = jiras.instance("patient")
    hanging = [asyncio.create_task(client.create_issue(BAD)) for _ in range(8)]
    await asyncio.gather(*(client.create_issue(GOOD) for _ in range(8)))
    await client.ping()
    assert not any(task.done() for task in hanging)
    for task in hanging:
        task.cancel()
    await asyncio.gather(*hanging, return_exceptions=True)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ({"kind": "html-login"}, JiraRefusedError),
        ({"kind": "html-login", "status": 302}, JiraRefusedError),
        ({"kind": "status", "status": 410}, JiraRefusedError),
        ({"kind": "huge"}, JiraRefusedError),
        ({"kind": "drip"}, JiraUnreachableError),
        ({"kind": "cut-before"}, JiraUnreachableError),
    ],
)
async def test_a_look_on_a_bad_day_is_never_taken_for_an_empty_answer(
    jiras: JiraInstances, sandbox: JiraSandbox, fault: dict[str, Any], kind: type[JiraError]
) -> None:
    sandbox.fault(**fault, match={"path": "/search"})
    with pytest.raises(kind):
        await struck(jiras, fault).find_by_label("pao-1")
