"""Polling a status address after a 202: a bad answer proves nothing, and a retry continues."""

import json
import socket
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.actions.rest.polling import PATIENCE
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.waits import Pending
from pao.core.timestamps import timestamp
from tests.support.actions import ActionRunner
from tests.support.raw_servers import Behave, RawServer, answering, cutting, raw_server
from tests.support.requests import Request

SECRETS = {"token": "s3cret-token-value"}
FOLLOWING = {
    "until": {"path": "$.state", "values": ["ready"]},
    "failWhen": {"path": "$.state", "values": ["broken"]},
    "every": 0.05,
}


def told(state: str, **more: Any) -> Behave:
    return answering(json.dumps({"state": state, **more}).encode())


def moved(status: int, where: str) -> Behave:
    return answering(b"", status=f"{status} Moved", headers={"Location": where})


class Jobs:
    """Accepts what is posted, and answers each question by the next of its answers, the last on."""

    def __init__(self, *answers: Behave) -> None:
        self.answers = list(answers)
        self.posts = 0
        self.results: dict[str, Behave] = {}

    def __call__(self, connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"POST"):
            self.posts += 1
            location = {"Location": "/jobs/1?key=s3cret-token-value"}
            answering(status="202 Accepted", headers=location)(connection, request)
            return
        path = request.split()[1].decode()
        if path in self.results:
            self.results[path](connection, request)
            return
        (self.answers.pop(0) if len(self.answers) > 1 else self.answers[0])(connection, request)


def config(server: RawServer, **following: Any) -> dict[str, Any]:
    return {
        "endpoint": {"url": f"{server.url}/things"},
        "authentication": {"type": "bearer", "token": "{{secrets.token}}"},
        "async": {**FOLLOWING, **following},
    }


async def begun(
    stage: ActionRunner, server: RawServer, **following: Any
) -> tuple[Request, Pending]:
    request = stage.request(config(server, **following))
    started = await stage.execute(request)
    assert started.pending
    return request, started.pending


async def ended(stage: ActionRunner, request: Request, pending: Pending) -> ApplicationError:
    with pytest.raises(ApplicationError) as caught:
        await stage.follow(request, pending)
    return caught.value


async def again(stage: ActionRunner, request: Request, earlier: Pending) -> ActionResult:
    return await stage.execute(request, attempt=2, look_first=True, earlier=earlier)


BAD: dict[str, Behave] = {
    "401": answering(b"who?", status="401 Who"),
    "403": answering(status="403 No"),
    "404": answering(status="404 Gone"),
    "410": answering(status="410 Gone"),
    "400": answering(status="400 Bad"),
}
PASSING: dict[str, Behave] = {
    **BAD,
    "429": answering(status="429 Slow"),
    "500": answering(status="500 Oops"),
    "503": answering(status="503 Away"),
    "cut": cutting,
    "garbage": answering(b"\x00{"),
    "deep": answering(b"[" * 30_000 + b"]" * 30_000),
}


@pytest.mark.parametrize("bad", PASSING.values(), ids=PASSING.keys())
async def test_a_bad_moment_of_the_status_address_is_outwaited(
    stage: ActionRunner, bad: Behave
) -> None:
    with raw_server(Jobs(told("working"), bad, bad, told("ready"))) as server:
        request, pending = await begun(stage, server)
        result = await stage.follow(request, pending)
    assert result.outputs["body"]["state"] == "ready"


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
async def test_a_status_address_that_keeps_refusing_leaves_the_outcome_unknown(
    stage: ActionRunner, bad: Behave
) -> None:
    with raw_server(Jobs(bad)) as server:
        request, pending = await begun(stage, server)
        error = await ended(stage, request, pending)
        assert server.count == 1 + PATIENCE
    assert error.type == "OutcomeUnknown"
    assert f"{server.url}/jobs/1 no longer reports its outcome" in error.message
    assert "s3cret" not in error.message


@pytest.mark.parametrize("bad", [PASSING[name] for name in ("500", "cut", "garbage")])
async def test_what_never_tells_ends_with_its_time_and_in_doubt(
    stage: ActionRunner, bad: Behave
) -> None:
    with raw_server(Jobs(bad)) as server:
        request, pending = await begun(stage, server, timeout=0.3)
        error = await ended(stage, request, pending)
    assert error.type == "OutcomeUnknown"
    assert "a retry continues to poll" in error.message


async def test_a_wait_that_cannot_begin_proves_nothing(stage: ActionRunner) -> None:
    with raw_server(Jobs(told("ready"))) as server:
        request, pending = await begun(stage, server)
        request.plan[0].config["headers"] = {"X": "{{secrets.gone}}"}
        error = await ended(stage, request, pending)
    assert error.type == "OutcomeUnknown"
    assert "has not set the secret gone (PAO_SECRET_GONE)" in error.message


async def test_the_targets_own_word_that_it_has_failed_is_believed(stage: ActionRunner) -> None:
    with raw_server(Jobs(told("working"), told("broken"))) as server:
        request, pending = await begun(stage, server)
        error = await ended(stage, request, pending)
    assert (error.type, error.details[0]["cause"]) == ("ActionFailed", "unknown")
    assert f"Look at {server.url}/jobs/1 for what the job created before it failed" in error.message


@pytest.mark.parametrize("status", [302, 303])
async def test_a_redirect_to_the_result_is_followed(stage: ActionRunner, status: int) -> None:
    jobs = Jobs(told("working"), moved(status, "/things/7?key=s3cret-token-value"))
    jobs.results["/things/7?key=s3cret-token-value"] = answering(b'{"id": "T-7"}')
    with raw_server(jobs) as server:
        request, pending = await begun(stage, server)
        result = await stage.follow(request, pending)
    assert result.outputs["body"] == {"id": "T-7"}
    assert server.requests[-1].startswith(b"GET /things/7?")
    assert b"Bearer s3cret-token-value" in server.requests[-1]


async def test_a_result_that_tells_its_own_status_is_waited_for(stage: ActionRunner) -> None:
    jobs = Jobs(moved(303, "/things/7"))
    thing = Jobs(told("working"), told("ready", id="T-7"))
    jobs.results["/things/7"] = thing
    with raw_server(jobs) as server:
        request, pending = await begun(stage, server)
        result = await stage.follow(request, pending)
    assert result.outputs["body"]["id"] == "T-7"


async def test_a_redirect_to_a_login_page_is_no_result(stage: ActionRunner) -> None:
    jobs = Jobs(moved(302, "/login"), told("ready", id="T-7"))
    jobs.results["/login"] = answering(b"<html>Log in", headers={"Content-Type": "text/html"})
    with raw_server(jobs) as server:
        request, pending = await begun(stage, server)
        result = await stage.follow(request, pending)
    assert result.outputs["body"]["id"] == "T-7"


async def test_a_redirect_takes_no_credentials_to_another_host(stage: ActionRunner) -> None:
    jobs = Jobs()
    with raw_server(answering(b'{"id": "T-7"}')) as other, raw_server(jobs) as server:
        jobs.answers = [moved(303, f"{other.url}/things/7")]
        request, pending = await begun(stage, server)
        await stage.follow(request, pending)
    assert b"s3cret" not in other.requests[0]


@pytest.mark.parametrize("where", ["http://10.1.2.3/x", "ftp://127.0.0.1/x", "mailto:ann"])
async def test_a_redirect_goes_nowhere_that_actions_may_not(
    stage: ActionRunner, where: str
) -> None:
    with raw_server(Jobs(moved(303, where))) as server:
        request, pending = await begun(stage, server)
        error = await ended(stage, request, pending)
        assert server.count == 2
    assert error.type == "OutcomeUnknown"


async def test_redirects_without_an_end_are_not_followed_for_ever(stage: ActionRunner) -> None:
    with raw_server(Jobs(moved(302, "/jobs/1"))) as server:
        request, pending = await begun(stage, server)
        error = await ended(stage, request, pending)
        assert server.count <= 1 + 5 * PATIENCE
    assert error.type == "OutcomeUnknown"


async def test_a_retry_goes_on_asking_where_the_earlier_attempt_was_told_to(
    stage: ActionRunner,
) -> None:
    jobs = Jobs(told("working"))
    with raw_server(jobs) as server:
        request, pending = await begun(stage, server, timeout=0.2)
        assert "s3cret" not in json.dumps(pending.state)
        await ended(stage, request, pending)
        waits = await again(stage, request, pending)
        assert waits.adopted
        assert waits.pending
        jobs.answers = [told("ready")]
        result = await stage.follow(request, waits.pending)
        at_once = await again(stage, request, pending)
    assert result.outputs["body"]["state"] == at_once.outputs["body"]["state"] == "ready"
    assert jobs.posts == 1


@pytest.mark.parametrize("bad", ["401", "500", "cut"])
async def test_a_retry_waits_on_where_the_status_address_does_not_answer(
    stage: ActionRunner, bad: str
) -> None:
    jobs = Jobs(PASSING[bad])
    with raw_server(jobs) as server:
        request, pending = await begun(stage, server)
        assert (await again(stage, request, pending)).pending is not None
    assert jobs.posts == 1


async def test_a_retry_calls_again_only_where_the_target_says_that_it_has_failed(
    stage: ActionRunner,
) -> None:
    jobs = Jobs(told("broken"))
    with raw_server(jobs) as server:
        request, pending = await begun(stage, server)
        await again(stage, request, pending)
        assert jobs.posts == 2
        jobs.answers = [BAD["404"]]
        with pytest.raises(ApplicationError, match="Nothing was sent"):
            await again(stage, request, pending)
    assert jobs.posts == 2


async def test_a_look_that_reads_an_index_is_given_its_time(stage: ActionRunner) -> None:
    shown: list[str] = []

    def serve(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"POST"):
            cutting(connection, request)
        else:
            answering(json.dumps({"items": shown}).encode())(connection, request)

    with raw_server(serve) as server:
        look = {"url": f"{server.url}/things", "found": {"path": "$.items[0]"}, "lag": 3600}
        request = stage.request({**config(server), "look": look})
        request.plan[0].timeout = 2.0
        now = datetime.now(UTC)
        young = {"attempt": 2, "look_first": True, "doubt_since": timestamp(now)}
        with pytest.raises(ApplicationError, match="is certain from"):
            await stage.execute(request, **young)
        assert not any(one.startswith(b"POST") for one in server.requests)
        shown.append("T-1")
        assert (await stage.execute(request, **young)).adopted
        shown.clear()
        old = {**young, "doubt_since": timestamp(now - timedelta(hours=2))}
        with pytest.raises(ApplicationError) as caught:
            await stage.execute(request, **old)
        assert server.requests[-1].startswith(b"POST")
    assert caught.value.type == "OutcomeUnknown"
