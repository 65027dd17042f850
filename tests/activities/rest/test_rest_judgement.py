"""What calls over HTTP tell of their end: the target's words, who is to blame, what is in doubt."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from activities.actions.notification import NotificationAction
from activities.actions.rest_api import RestApiAction
from activities.actions.webhook import WebhookAction
from activities.breakers import BreakerLimits, BreakerOptions, Breakers
from pao.core.failure_classes import Cause
from tests.support.actions import ActionRunner, loopback_network
from tests.support.raw_servers import answering, raw_server
from tests.support.rest_calls import config, refused

SECRETS = {"token": "s3cret-token-value", "key": "k" * 32}
LIMITS = BreakerOptions(limits=BreakerLimits(failures=3))


@pytest.fixture
async def stage() -> AsyncIterator[ActionRunner]:
    network = loopback_network(breakers=Breakers(options=LIMITS))
    made = ActionRunner(RestApiAction(), secrets=SECRETS, network=network)
    yield made
    await made.close()


@pytest.mark.parametrize(
    ("status", "body", "cause", "words"),
    [
        ("400 Bad", b'{"detail": "Size must be even"}', Cause.INPUT, "It said: Size must be even"),
        ("401 Who", b"no token", Cause.ACCESS, "It said: no token"),
        ("403 No", b'{"message": "API rate limit exceeded"}', Cause.QUOTA, "API rate limit"),
        ("403 No", b"{}", Cause.ACCESS, "answered 403"),
        ("409 Twice", b'{"error": {"message": "exists"}}', Cause.CONFLICT, "It said: exists"),
        ("429 Slow", b"", Cause.QUOTA, "Retry-After: 60"),
        ("503 Away", b"<html>", Cause.TARGET_DOWN, "It may have done what was asked"),
        ("308 Moved", b"", Cause.OURS, "It redirects to https://new.example.com/things;"),
    ],
)
async def test_an_error_has_its_cause_and_the_targets_own_words(
    stage: ActionRunner, status: str, body: bytes, cause: Cause, words: str
) -> None:
    headers = {"Location": "https://new.example.com/things?key=1"} if status[0] == "3" else {}
    headers |= {"Retry-After": "60"} if status[:3] == "429" else {}
    with raw_server(answering(body, status=status, headers=headers)) as server:
        error = await refused(stage, config(server))
    assert words in error.message
    assert error.details[0]["cause"] == cause


async def test_a_secret_in_the_targets_words_is_masked_before_they_are_cut(
    stage: ActionRunner,
) -> None:
    token = SECRETS["token"]
    for before in range(3_880, 3_960):
        said = "x" * before + token
        with raw_server(answering(said.encode(), status="400 Bad")) as server:
            given = config(server, headers={"A": "{{secrets.token}}"})
            error = await refused(stage, given)
        assert token[:6] not in error.message
        assert len(error.message) <= 4_000


@pytest.mark.parametrize(
    "given",
    [
        {"headers": {"X-Team": "a\r\nX-Admin: 1"}},
        {"headers": {"X-Team": "a\x00b"}},
        {"headers": {"X Team": "a"}},
        {"timeout": 0.0001},
    ],
)
async def test_what_we_refuse_by_ourselves_leaves_the_breaker_closed(
    stage: ActionRunner, given: dict[str, Any]
) -> None:
    with raw_server(answering()) as server:
        for _ in range(6):
            error = await refused(stage, config(server, **given))
            assert error.details[0]["cause"] in {Cause.INPUT, Cause.OURS}
            if "headers" in given:
                assert next(iter(given["headers"])) in error.message
        assert server.count == 0
        await stage.execute(stage.request(config(server)))


async def test_neither_a_bad_address_nor_a_forbidden_one_closes_a_host_for_others(
    stage: ActionRunner,
) -> None:
    with raw_server(answering()) as server:
        host = server.url.removeprefix("http://")
        bad = [f"http://ann:pw@{host}/", f"ftp://{host}/", "http://10.1.2.3/", "http://[::1"]
        for url in bad * 2:
            error = await refused(stage, {"endpoint": {"url": url}})
            assert error.details[0]["cause"] in {Cause.INPUT, Cause.OURS}
        await stage.execute(stage.request(config(server)))


async def test_a_refusal_of_ours_does_not_close_a_breaker_that_is_open_either(
    stage: ActionRunner,
) -> None:
    with raw_server(answering(status="503 Away")) as server:
        for _ in range(2):
            await refused(stage, config(server))
        await refused(stage, config(server, headers={"X-Team": "a\nb"}))
        await refused(stage, config(server))
        error = await refused(stage, config(server))
    assert "circuit breaker" in error.message


@pytest.mark.parametrize("status", ["500 Oops", "503 Away", "302 Found", "408 Late", "499 Gone"])
async def test_a_webhook_and_a_message_are_in_doubt_as_any_call(status: str) -> None:
    network = loopback_network()
    with raw_server(answering(b"{}", status=status, headers={"Location": "/x"})) as server:
        for action, given in (
            (WebhookAction(), {"url": server.url, "secret": "{{secrets.key}}"}),
            (NotificationAction(), {"url": server.url, "text": "hi", "required": True}),
        ):
            stage = ActionRunner(action, secrets=SECRETS, network=network)
            error = await refused(stage, given)
            assert error.type == "OutcomeUnknown"
    await network.client.close()


@pytest.mark.parametrize(
    "body", [b"[" * 30_000 + b"]" * 30_000, b'{"id": "\\ud800"}', b'{"id": NaN}', b'{"id": 1e999}']
)
async def test_an_answer_that_nobody_could_go_on_with_is_no_bug_of_ours(
    stage: ActionRunner, body: bytes
) -> None:
    with raw_server(answering(body)) as server:
        kept = await stage.execute(stage.request(config(server)))
        extract: dict[str, Any] = {"response": {"extract": {"id": "$.id"}}}
        error = await refused(stage, config(server, **extract))
    assert kept.outputs["body"] == body.decode()
    assert error.type == "OutcomeUnknown"
    assert "internal error" not in error.message


async def test_an_answer_of_100_kb_is_read_whole_and_kept_in_part(stage: ActionRunner) -> None:
    body = json.dumps({"pad": "x" * 100_000, "id": "T-1"}).encode()
    with raw_server(answering(body)) as server:
        given = config(server, response={"extract": {"id": "$.id"}})
        result = await stage.execute(stage.request(given))
        error = await refused(stage, config(server, response={"extract": {"pad": "$.pad"}}))
    assert result.outputs["id"] == "T-1"
    assert len(result.outputs["body"]) == 64 * 1024
    assert "larger than 64 kB" in error.message


async def test_the_token_endpoint_that_failed_is_named(stage: ActionRunner) -> None:
    with (
        raw_server(answering()) as api,
        raw_server(answering(b'{"error_description": "unknown client"}', status="401 No")) as login,
    ):
        authentication = {
            "type": "oauth2",
            "tokenUrl": f"{login.url}/token?tenant=1",
            "clientId": "pao",
            "clientSecret": "{{secrets.token}}",
        }
        error = await refused(stage, config(api, authentication=authentication))
    assert f"token endpoint {login.url}/token gave no token" in error.message
    assert "unknown client" in error.message
    assert (error.type, error.details[0]["cause"], api.count) == ("ActionFailed", Cause.ACCESS, 0)


@pytest.mark.parametrize("answer", [b'{"access_token": null}', b"<html>Log in", b""])
async def test_an_answer_without_a_token_is_not_sent_as_one(
    stage: ActionRunner, answer: bytes
) -> None:
    with raw_server(answering()) as api, raw_server(answering(answer)) as login:
        authentication = {
            "type": "oauth2",
            "tokenUrl": f"{login.url}/token",
            "clientId": "pao",
            "clientSecret": "{{secrets.token}}",
        }
        error = await refused(stage, config(api, authentication=authentication))
    assert "gave no token: the answer holds no bearer token" in error.message
    assert (error.type, api.count) == ("ActionFailed", 0)


async def test_a_blank_in_a_signed_query_is_sent_as_aws_reads_it(stage: ActionRunner) -> None:
    authentication = {
        "type": "aws-sigv4",
        "accessKeyId": "AKIDEXAMPLE",
        "secretAccessKey": "{{secrets.token}}",
        "region": "eu-west-1",
    }
    with raw_server(answering()) as server:
        given = config(server, authentication=authentication, query={"q": "a b+c", "filter": "x y"})
        await stage.execute(stage.request(given))
    assert b"?q=a%20b%2Bc&filter=x%20y HTTP/1.1" in server.requests[0]
