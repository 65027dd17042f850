"""The action types webhook and notification against receivers of a few lines."""

import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.actions.notification import NotificationAction
from activities.actions.webhook import WebhookAction
from tests.support.actions import ActionRunner
from tests.support.raw_servers import RawServer, answering, cutting, raw_server

KEY = "a-signing-key-of-32-characters!!"


@pytest.fixture
async def stage() -> AsyncIterator[ActionRunner]:
    made = ActionRunner(WebhookAction(), secrets={"key": KEY})
    yield made
    await made.close()


@pytest.fixture
async def channel() -> AsyncIterator[ActionRunner]:
    made = ActionRunner(NotificationAction(), secrets={})
    yield made
    await made.close()


def received(server: RawServer, number: int = -1) -> tuple[dict[str, str], bytes]:
    head, _, body = server.requests[number].partition(b"\r\n\r\n")
    return dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:]), body


def config(server: RawServer, **more: Any) -> dict[str, Any]:
    return {
        "url": f"{server.url}/hook",
        "secret": "{{secrets.key}}",
        "payload": {"title": "{{fields.title}}", "size": "{{fields.size}}"},
        **more,
    }


async def test_a_receiver_can_prove_who_sent_a_body_and_when(stage: ActionRunner) -> None:
    with raw_server(answering()) as server:
        result = await stage.execute(stage.request(config(server), title='"x"', size=3))
    headers, body = received(server)
    assert json.loads(body) == {"title": '"x"', "size": 3}
    signed = f"{headers['X-PAO-Timestamp']}.".encode() + body
    expected = hmac.new(KEY.encode(), signed, hashlib.sha256).hexdigest()
    assert headers["X-PAO-Signature"] == f"sha256={expected}"
    assert int(headers["X-PAO-Timestamp"]) > 1_700_000_000
    assert result.outputs == {"status": 200, "delivery": headers["X-PAO-Delivery"]}


async def test_a_repeat_carries_the_same_delivery_id(stage: ActionRunner) -> None:
    with raw_server(cutting) as server:
        request = stage.request(config(server))
        for attempt in (stage.execute, stage.again):
            with pytest.raises(ApplicationError) as caught:
                await attempt(request)
            assert caught.value.type == "OutcomeUnknown"
        told = await stage.look(request)
    ids = {received(server, number)[0]["X-PAO-Delivery"] for number in range(2)}
    assert len(ids) == 1
    assert told.answer == "unknown"


@pytest.mark.parametrize(
    ("status", "kind"), [("410 Gone", "ActionFailed"), ("200 OK", "OutcomeUnknown")]
)
async def test_another_status_than_the_expected_one_fails(
    stage: ActionRunner, status: str, kind: str
) -> None:
    with raw_server(answering(status=status)) as server, pytest.raises(ApplicationError) as caught:
        await stage.execute(stage.request(config(server, expectedStatus=[202])))
    assert caught.value.type == kind


async def test_a_receiver_that_is_not_allowed_gets_nothing(stage: ActionRunner) -> None:
    with pytest.raises(ApplicationError, match="PAO_EGRESS_ALLOW") as caught:
        await stage.execute(
            stage.request({"url": "http://169.254.169.254/", "secret": "{{secrets.key}}"})
        )
    assert not caught.value.details[0]["retryable"]


async def test_a_short_key_is_refused(stage: ActionRunner) -> None:
    with raw_server(answering()) as server, pytest.raises(ApplicationError, match="secret"):
        await stage.execute(stage.request(config(server, secret="short")))
    assert server.count == 0


async def test_a_message_is_slacks_own_json(channel: ActionRunner) -> None:
    with raw_server(answering(b"ok")) as server:
        given = {"url": server.url, "text": "Hello {{fields.title}}", "channel": "#x"}
        result = await channel.execute(channel.request(given, title="<!channel> & co"))
    sent = {"text": "Hello &lt;!channel&gt; &amp; co", "channel": "#x"}
    assert json.loads(received(server)[1]) == sent
    assert result.outputs == {"delivered": True, "error": None}


@pytest.mark.parametrize("behave", [cutting, answering(b"invalid_token", status="403 No")])
async def test_a_message_that_is_not_required_holds_nothing_up(
    channel: ActionRunner, behave: Any
) -> None:
    with raw_server(behave) as server:
        given = {"url": f"{server.url}/services/T0/S3CRET", "text": "Hello"}
        result = await channel.execute(channel.request(given))
        assert result.outputs["delivered"] is False
        assert "S3CRET" not in result.outputs["error"]
        with pytest.raises(ApplicationError):
            await channel.execute(channel.request({**given, "required": True}))
