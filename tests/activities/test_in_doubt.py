"""What an action of unknown outcome says: what a retry does, and what a person can do."""

import json
from typing import Any

import pytest
from temporalio.exceptions import ApplicationError

from activities.actions.notification import NotificationAction
from activities.actions.rest_api import RestApiAction
from activities.actions.webhook import WebhookAction
from activities.base import Action
from activities.session_factory import idempotency_key
from pao.core.payloads.waits import Pending
from tests.support.actions import ActionRunner
from tests.support.raw_servers import answering, cutting, raw_server
from tests.support.requests import Request

KEY = "k" * 32


async def doubt(action: Action[Any], **config: Any) -> dict[str, Any]:
    """Return the details of a call that was cut."""
    stage = ActionRunner(action)
    return await doubt_of(stage, stage.request(config))


async def doubt_of(stage: ActionRunner, request: Request) -> dict[str, Any]:
    """Return the details of a request's only call, which was cut."""
    with pytest.raises(ApplicationError) as caught:
        await stage.execute(request)
    await stage.close()
    assert caught.value.type == "OutcomeUnknown"
    details: dict[str, Any] = caught.value.details[0]
    return details | {"request": request}


async def test_a_webhook_names_the_delivery_and_no_look() -> None:
    with raw_server(cutting) as server:
        told = await doubt(WebhookAction(), url=f"{server.url}/hook", secret=KEY)
    delivery = idempotency_key(told["request"].context.request_id, "act")
    assert told["retry"] == (
        "A retry sends the same X-PAO-Delivery, by which the receiver knows a repeat."
    )
    assert delivery in told["byHand"]


async def test_an_id_is_whole_even_if_a_secret_begins_with_its_last_characters() -> None:
    stage = ActionRunner(WebhookAction())
    with raw_server(cutting) as server:
        request = stage.request({"url": f"{server.url}/hook"})
        delivery = idempotency_key(request.context.request_id, "act")
        request.plan[0].config["secret"] = delivery[-3:] + KEY
        told = await doubt_of(stage, request)
    assert told["byHand"].endswith(delivery)


async def test_a_message_may_come_twice() -> None:
    with raw_server(cutting) as server:
        told = await doubt(NotificationAction(), url=f"{server.url}/hook", text="x", required=True)
    assert told["retry"].startswith("A retry sends the message again")
    assert "channel" in told["byHand"]


@pytest.mark.parametrize(
    ("more", "askable", "retry"),
    [
        ({}, False, None),
        ({"idempotencyHeader": "Idempotency-Key"}, True, "sends the same Idempotency-Key"),
        ({"look": {"url": "http://127.0.0.1/", "found": {"path": "$"}}}, True, "looks first"),
    ],
)
async def test_a_call_says_how_it_is_repeated_and_by_what_it_is_found(
    more: dict[str, Any], retry: str | None, *, askable: bool
) -> None:
    with raw_server(cutting) as server:
        told = await doubt(RestApiAction(), endpoint={"url": f"{server.url}/x"}, **more)
    assert told["askable"] is askable
    assert retry is None or retry in told["retry"]
    assert told["request"].context.correlation_id in told["byHand"]
    assert "pao-" not in told["byHand"]


async def test_a_call_that_was_accepted_is_asked_after_where_its_target_said() -> None:
    stage = ActionRunner(RestApiAction())
    headers = {"Location": "/jobs/1"}
    following = {"until": {"path": "$.state", "values": ["ready"]}, "every": 0.05, "timeout": 0.1}
    with raw_server(answering(status="202 Accepted", headers=headers)) as server:
        request = stage.request({"endpoint": {"url": f"{server.url}/things"}, "async": following})
        started = await stage.execute(request)
        assert started.pending
    with (
        raw_server(answering(json.dumps({"state": "working"}).encode())) as server,
        pytest.raises(ApplicationError) as caught,
    ):
        await stage.follow(request, Pending("follow", {"url": f"{server.url}/jobs/1"}))
    await stage.close()
    told = caught.value.details[0]
    assert told["askable"] is True
    assert told["retry"] == f"A retry continues to poll {server.url}/jobs/1."
    assert f"{server.url}/jobs/1" in told["byHand"]


async def test_where_its_status_address_is_gone_only_a_person_can_tell() -> None:
    stage = ActionRunner(RestApiAction())
    following = {"until": {"path": "$.state", "values": ["ready"]}}
    with raw_server(answering(status="404 Gone")) as server:
        request = stage.request({"endpoint": {"url": f"{server.url}/things"}, "async": following})
        earlier = Pending("follow", {"url": f"{server.url}/jobs/1"})
        with pytest.raises(ApplicationError, match="Look in the target by hand") as caught:
            await stage.execute(request, attempt=2, look_first=True, earlier=earlier)
    await stage.close()
    assert caught.value.details[0]["askable"] is False
    assert all(one.startswith(b"GET") for one in server.requests)
