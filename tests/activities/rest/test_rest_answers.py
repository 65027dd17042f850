"""What a REST target answers: outputs, doubt, looks, and calls that are followed."""

import json
import socket
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from pao.core.answers import READ_BYTES
from pao.core.payloads.waits import Pending
from tests.support.actions import ActionRunner
from tests.support.raw_servers import answering, cutting, raw_server
from tests.support.rest_calls import config, refused, sent


@pytest.mark.parametrize(
    ("status", "kind", "retryable"),
    [
        ("400 Bad", "ActionFailed", False),
        ("404 No", "ActionFailed", False),
        ("429 Slow", "ActionFailed", True),
        ("409 Conflict", "ActionFailed", True),
        ("408 Late", "OutcomeUnknown", True),
        ("425 Early", "OutcomeUnknown", True),
        ("499 Gone", "OutcomeUnknown", True),
        ("500 Oops", "OutcomeUnknown", True),
        ("501 What", "OutcomeUnknown", True),
        ("503 Away", "OutcomeUnknown", True),
        ("502 Gateway", "OutcomeUnknown", True),
        ("504 Gateway", "OutcomeUnknown", True),
        ("302 Found", "OutcomeUnknown", True),
        ("307 Other", "OutcomeUnknown", True),
    ],
)
async def test_each_bad_answer_is_told_apart(
    stage: ActionRunner, status: str, kind: str, *, retryable: bool
) -> None:
    with raw_server(answering(b"why", status=status, headers={"Location": "/"})) as server:
        error = await refused(stage, config(server))
    assert (error.type, server.count) == (kind, 1)
    assert (error.details[0]["retryable"], error.details[0]["responseBody"]) == (retryable, "why")


async def test_another_success_than_the_expected_one_may_have_done_it(stage: ActionRunner) -> None:
    with raw_server(answering(status="200 OK")) as server:
        error = await refused(stage, config(server, expectedStatus=[201]))
        await stage.execute(stage.request(config(server, expectedStatus=[200, 201])))
    assert error.type == "OutcomeUnknown"


async def test_outputs_are_extracted_and_typed(stage: ActionRunner) -> None:
    extract = {
        "id": "$.items[0].id",
        "size": {"path": "$.size", "type": "integer"},
        "note": {"path": "$.note", "required": False},
    }
    with raw_server(answering(b'{"items": [{"id": "T-1"}], "size": 3}')) as server:
        given = config(server, response={"extract": extract})
        result = await stage.execute(stage.request(given))
    assert {name: result.outputs[name] for name in extract} == {
        "id": "T-1",
        "size": 3,
        "note": None,
    }


@pytest.mark.parametrize("body", [b"{}", b'{"id": 3}', b"no json", b"", b"[]"])
async def test_an_answer_that_breaks_its_promise_leaves_the_outcome_unknown(
    stage: ActionRunner, body: bytes
) -> None:
    with raw_server(answering(body)) as server:
        given = config(server, response={"extract": {"id": {"path": "$.id", "type": "string"}}})
        error = await refused(stage, given)
    assert error.type == "OutcomeUnknown"
    assert "$.id" in error.message


async def test_what_a_target_gives_back_of_a_secret_is_masked(stage: ActionRunner) -> None:
    with raw_server(
        answering(b'{"token": "s3cret-token-value", "as": "an0ther-secret!"}')
    ) as server:
        given = config(server, headers={"A": "{{secrets.token}}", "B": "{{secrets.other}}"})
        result = await stage.execute(stage.request(given))
    assert result.outputs["body"] == {"token": "********", "as": "********!"}


async def test_of_ten_megabytes_a_bounded_part_is_kept(stage: ActionRunner) -> None:
    with raw_server(answering(b"x" * 10_000_000)) as server:
        result = await stage.execute(stage.request(config(server)))
    assert len(result.outputs["body"]) == 64 * 1024
    assert result.outputs["bodyTruncated"]


# After a cut connection


async def test_the_same_key_is_sent_on_every_attempt(stage: ActionRunner) -> None:
    with raw_server(cutting) as server:
        request = stage.request(config(server, idempotencyHeader="Idempotency-Key"))
        for attempt in (stage.execute, stage.again):
            with pytest.raises(ApplicationError) as caught:
                await attempt(request)
            assert caught.value.type == "OutcomeUnknown"
        told = await stage.look(request)
    assert server.count == 2
    assert sent(server, 0)[1]["idempotency-key"] == sent(server, 1)[1]["idempotency-key"]
    assert (told.answer, "same Idempotency-Key" in told.reason) == ("unknown", True)


async def test_without_look_and_key_a_doubtful_call_is_never_made_again(
    stage: ActionRunner,
) -> None:
    with raw_server(cutting) as server:
        request = stage.request(config(server))
        with pytest.raises(ApplicationError, match="invalid HTTP"):
            await stage.execute(request)
        with pytest.raises(ApplicationError, match="Look in the target by hand"):
            await stage.again(request)
    assert server.count == 1


async def test_a_call_that_was_refused_may_be_made_again(stage: ActionRunner) -> None:
    with raw_server(answering(status="400 No")) as server:
        request = stage.request(config(server))
        for attempt in (stage.execute(request), stage.again(request, unclear=False)):
            with pytest.raises(ApplicationError, match="answered 400"):
                await attempt
    assert server.count == 2


async def test_the_effect_is_found_by_the_look_of_the_document(stage: ActionRunner) -> None:
    made: list[bytes] = []

    def serve(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"POST"):
            made.append(request)
            cutting(connection, request)
            return
        found = b'{"items": [{"id": "T-1"}]}' if made else b'{"items": []}'
        answering(found)(connection, request)

    with raw_server(serve) as server:
        look = {
            "url": f"{server.url}/things/{{{{fields.title}}}}",
            "query": {"name": "{{fields.title}}"},
            "found": {"path": "$.items[0].id"},
        }
        given = config(server, look=look, response={"extract": {"id": "$.items[0].id"}})
        request = stage.request(given)
        assert (await stage.look(request)).answer == "absent"
        with pytest.raises(ApplicationError):
            await stage.execute(request)
        result = await stage.again(request)
    assert (result.adopted, result.outputs["id"], len(made)) == (True, "T-1", 1)


async def test_nothing_is_made_when_the_look_fails(stage: ActionRunner) -> None:
    with raw_server(answering(status="500 Broken")) as server:
        look = {"url": f"{server.url}/look", "found": {"path": "$.id"}}
        request = stage.request(config(server, look=look))
        with pytest.raises(ApplicationError, match="look for an earlier effect"):
            await stage.again(request)
    assert all(one.startswith(b"GET") for one in server.requests)


@pytest.mark.parametrize(
    ("path", "body", "headers"),
    [
        ("$.id", b"<html><form>Log in</form></html>", {"Content-Type": "text/html"}),
        ("$", b"<!doctype html><title>Log in</title>", {}),
        ("$.id", b"no JSON", {}),
        ("$.id", b"", {}),
        ("$.id", b'{"id": "T-1", "pad": "' + b"x" * READ_BYTES + b'"}', {}),
    ],
)
async def test_a_look_that_cannot_be_read_proves_nothing(
    stage: ActionRunner, path: str, body: bytes, headers: dict[str, str]
) -> None:
    with raw_server(answering(body, headers=headers)) as server:
        look = {"url": f"{server.url}/look", "found": {"path": path}}
        request = stage.request(config(server, look=look))
        assert (await stage.look(request)).answer == "unknown"
        with pytest.raises(ApplicationError, match="it proves nothing"):
            await stage.again(request)
    assert all(one.startswith(b"GET") for one in server.requests)


async def test_a_look_that_is_answered_with_204_has_found_nothing(stage: ActionRunner) -> None:
    with raw_server(answering(b"", status="204 Nothing")) as server:
        look = {"url": f"{server.url}/look", "found": {"path": "$.id"}}
        assert (await stage.look(stage.request(config(server, look=look)))).answer == "absent"


async def test_no_output_is_read_from_an_answer_that_is_too_large(stage: ActionRunner) -> None:
    with raw_server(answering(b'{"id": 1, "pad": "' + b"x" * READ_BYTES + b'"}')) as server:
        extract = {"id": {"path": "$.id", "required": False}}
        request = stage.request(config(server, response={"extract": extract}))
        with pytest.raises(ApplicationError, match="larger than 4 MB"):
            await stage.execute(request)


# Asynchronous calls


def working(*states: str) -> Any:
    """Accept a POST, then answer with one state after the other, the last one for ever."""
    left = list(states)

    def serve(connection: socket.socket, request: bytes) -> None:
        if request.startswith(b"POST"):
            answering(b"{}", status="202 Accepted", headers={"Location": "/jobs/1"})(
                connection, request
            )
            return
        state = left.pop(0) if len(left) > 1 else left[0]
        if state == "cut":
            cutting(connection, request)
        elif state.isdecimal():
            answering(status=f"{state} Odd")(connection, request)
        else:
            answering(json.dumps({"state": state, "id": "T-1"}).encode())(connection, request)

    return serve


FOLLOWING = {
    "until": {"path": "$.state", "values": ["ready"]},
    "failWhen": {"path": "$.state", "values": ["broken"]},
    "every": 0.05,
}


async def test_an_accepted_call_is_followed_until_it_is_done_whatever_happens_between(
    stage: ActionRunner,
) -> None:
    with raw_server(working("queued", "cut", "503", "ready")) as server:
        given = config(server, response={"extract": {"id": "$.id"}})
        given |= {
            "async": FOLLOWING,
            "authentication": {"type": "bearer", "token": "{{secrets.token}}"},
        }
        request = stage.request(given)
        started = await stage.execute(request)
        assert started.pending == Pending("follow", {"url": f"{server.url}/jobs/1"})
        result = await stage.follow(request, started.pending)
    assert (result.outputs["id"], result.pending) == ("T-1", None)
    posts = [one for one in server.requests if one.startswith(b"POST")]
    assert len(posts) == 1
    assert sent(server)[1]["authorization"] == "bearer s3cret-token-value"


async def test_a_call_that_is_never_done_ends_with_its_time(stage: ActionRunner) -> None:
    with raw_server(working("queued")) as server:
        request = stage.request(config(server) | {"async": {**FOLLOWING, "timeout": 0.2}})
        started = await stage.execute(request)
        assert started.pending
        with pytest.raises(ApplicationError, match="not done after") as caught:
            await stage.follow(request, started.pending)
    assert caught.value.type == "OutcomeUnknown"


async def test_credentials_do_not_go_to_a_status_address_elsewhere(stage: ActionRunner) -> None:
    with raw_server(answering(b'{"state": "ready"}')) as other:
        accepted = answering(status="202 Accepted", headers={"Location": f"{other.url}/x"})
        with raw_server(accepted) as server:
            given = config(server, headers={"X-Key": "{{secrets.other}}"})
            given |= {
                "async": FOLLOWING,
                "authentication": {"type": "bearer", "token": "{{secrets.token}}"},
            }
            request = stage.request(given)
            started = await stage.execute(request)
            assert started.pending
            await stage.follow(request, started.pending)
    assert b"secret" not in other.requests[0]
    assert b"s3cret" not in other.requests[0]
