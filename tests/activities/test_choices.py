"""Choices of a form's field: what leaves the worker is masked as values are, whatever comes."""

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest

from activities.action_reader import ActionReader
from activities.actions.rest_api import RestApiAction
from activities.choices import ChoicesFetcher
from activities.session import ActionSession
from pao.core.payloads.actions import ActionInput
from pao.core.payloads.choices import ChoicesAnswer, ChoicesQuestion
from tests.support.actions import ActionRunner
from tests.support.raw_servers import RawServer, answering, raw_server
from tests.support.rest_calls import config

TOKEN, PIN = "s3cret-token-value", "48213377"
BEARER = {"type": "bearer", "token": "{{secrets.token}}-{{secrets.pin}}"}


def given(stage: ActionRunner, server: RawServer) -> ActionInput:
    request = stage.request(config(server, authentication=BEARER))
    return ActionInput(context=request.context, action=request.plan[0])


async def offered(stage: ActionRunner, *values: Any) -> ChoicesAnswer:
    body = json.dumps([{"id": one, "name": f"is {one}"} for one in values]).encode()
    with raw_server(answering(body)) as server:
        question = ChoicesQuestion(
            given(stage, server), select="$[*]", value="$.id", label="$.name"
        )
        return await ChoicesFetcher(stage.action, stage.tools).fetch(question)


@pytest.fixture
async def stage() -> AsyncIterator[ActionRunner]:
    made = ActionRunner(RestApiAction(), secrets={"token": TOKEN, "pin": PIN})
    yield made
    await made.close()


@pytest.mark.parametrize(
    "value",
    [TOKEN, f"a-{TOKEN}", TOKEN.upper(), int(PIN), base64.b64encode(TOKEN.encode()).decode()],
    ids=["plain", "within", "capitals", "number", "base64"],
)
async def test_an_echoed_secret_is_no_choice(stage: ActionRunner, value: Any) -> None:
    answer = await offered(stage, value)
    assert str(value) not in repr(answer)
    assert answer.problem is None


async def test_a_choice_that_ends_as_a_secret_begins_stays_as_it_is(stage: ActionRunner) -> None:
    answer = await offered(stage, "cluster-s3c", "us-482")
    assert [one["value"] for one in answer.choices] == ["cluster-s3c", "us-482"]


async def test_what_nobody_foresaw_is_a_problem_in_words_and_tells_no_secret(
    stage: ActionRunner,
) -> None:
    async def read(_session: ActionSession) -> ChoicesAnswer:
        raise RuntimeError(f"cannot use {TOKEN}")

    with raw_server(answering()) as server:
        reader = ActionReader(stage.action, stage.tools)
        answer = await reader.ask(
            given(stage, server), read, failed=lambda why: ChoicesAnswer(problem=why)
        )
    assert answer.problem is not None
    assert "internal error: RuntimeError: cannot use ********" in answer.problem


async def test_the_words_of_a_target_are_cut_after_they_are_masked(stage: ActionRunner) -> None:
    body = json.dumps({"error": "no " * 10_000 + TOKEN}).encode()
    with raw_server(answering(body, status="403 No")) as server:
        question = ChoicesQuestion(given(stage, server), select="$[*]", value="$")
        answer = await ChoicesFetcher(stage.action, stage.tools).fetch(question)
    assert answer.problem is not None
    assert len(answer.problem) < len(body) / 2
