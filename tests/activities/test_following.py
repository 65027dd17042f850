"""Waiting for an effect that exists: read-only, carried on by any worker, ended on request."""

import asyncio
from dataclasses import replace
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel
from temporalio.activity import ActivityCancellationDetails
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment
from typing_extensions import override

from activities.action_errors import ActionFailedError
from activities.base import Action, ActionConfig, ActionContext
from activities.execution import Executor
from activities.session_factory import Tools
from catalog.scopes import ScopeContext
from pao.clients.jira.instances import JiraInstances
from pao.core.payloads.actions import ActionInput, ActionResult, FollowInput
from pao.core.payloads.failures import PartialResource
from pao.core.payloads.waits import Pending
from pao.runtime.crypto import SecretBox, generate_key
from tests.support.requests import new_request, ticket

BOX = SecretBox(f"k1:{generate_key()}")
PASSWORD = "a-long-password"


class JobConfig(ActionConfig):
    text: str = ""


class JobOutputs(BaseModel):
    steps: int


class Job(Action[JobConfig]):
    """A target that works for three steps, or for ever."""

    type = "job"
    summary = "Waits for a job."
    resource_type = "job"
    config = JobConfig
    outputs = JobOutputs
    examples: ClassVar[tuple[dict[str, Any], ...]] = ()

    def __init__(self) -> None:
        self.waiting = asyncio.Event()
        self.cancelled: list[dict[str, Any]] = []

    @override
    async def look(self, config: JobConfig, context: ActionContext) -> ActionResult | None:
        return None

    @override
    async def execute(self, config: JobConfig, context: ActionContext) -> ActionResult:
        if config.text == "for ever":
            self.waiting.set()
            await asyncio.Event().wait()
        return ActionResult(outputs={}, pending=Pending("follow", {"job": "J-1"}))

    async def follow(
        self, config: JobConfig, context: ActionContext, pending: Pending
    ) -> ActionResult:
        if config.text == "for ever":
            self.waiting.set()
            await asyncio.Event().wait()
        if config.text.startswith("fail"):
            left = [PartialResource("disk", id=f"disk-{PASSWORD}", cleanup="Remove it.")]
            raise ActionFailedError(f"half of it: {config.text}", partial=left)
        for step in range(context.progress.saved.get("step", 0), 3):
            context.progress.save({"step": step + 1})
        return ActionResult(outputs={"steps": context.progress.details["step"], **pending.state})

    @override
    async def cancel(self, config: JobConfig, context: ActionContext, pending: Pending) -> None:
        self.cancelled.append(pending.state)

    @override
    def cleanup(self, result: ActionResult) -> str:
        return "Stop the job."


def wait_for(text: str = "") -> FollowInput:
    made = new_request(ticket(), box=BOX, token=PASSWORD)
    action = made.plan[0]
    action.type, action.config = "job", {"text": text}
    return FollowInput(
        context=made.context, action=action, pending=Pending("follow", {"job": "J-1"})
    )


def activity_of(job: Job, name: str = "follow") -> Any:
    tools = Tools(box=BOX, jira=JiraInstances([]), scope_context=ScopeContext())
    [found] = [
        one
        for one in Executor({"job": job}, tools).activities()
        if one.__temporal_activity_definition.name == name  # type: ignore[attr-defined]
    ]
    return found


async def test_a_wait_goes_on_where_another_worker_left_it() -> None:
    environment = ActivityEnvironment()
    environment.info = replace(environment.info, heartbeat_details=[{"step": 2}])
    result = await environment.run(activity_of(Job()), wait_for())
    assert result.outputs == {"steps": 3, "job": "J-1"}
    assert (result.resource_type, result.cleanup) == ("job", "Stop the job.")


async def test_the_target_is_told_when_a_wait_is_cancelled() -> None:
    environment, job = ActivityEnvironment(), Job()
    running = asyncio.ensure_future(environment.run(activity_of(job), wait_for("for ever")))
    await job.waiting.wait()
    environment.cancel()
    with pytest.raises(ApplicationError) as caught:
        await running
    assert job.cancelled == [{"job": "J-1"}]
    # The workflow knows no more than that it was cancelled; where to look, the action says.
    assert caught.value.type == "OutcomeUnknown"
    assert "look in its target" in caught.value.details[0]["byHand"]


async def test_the_target_works_on_when_temporal_has_given_the_wait_to_another_worker() -> None:
    environment, job = ActivityEnvironment(), Job()
    running = asyncio.ensure_future(environment.run(activity_of(job), wait_for("for ever")))
    await job.waiting.wait()
    environment.cancel(ActivityCancellationDetails(timed_out=True))
    with pytest.raises(asyncio.CancelledError):
        await running
    assert job.cancelled == []


async def test_the_target_works_on_when_only_its_worker_ends() -> None:
    environment, job = ActivityEnvironment(), Job()
    running = asyncio.ensure_future(environment.run(activity_of(job), wait_for("for ever")))
    await job.waiting.wait()
    environment.worker_shutdown()
    running.cancel()
    with pytest.raises(ApplicationError) as caught:
        await running
    assert caught.value.type == "WorkerShutdown"
    assert not caught.value.non_retryable, "another worker carries the wait on"
    assert job.cancelled == []


async def test_an_action_that_its_worker_s_end_interrupts_says_where_to_look() -> None:
    environment, job, given = ActivityEnvironment(), Job(), wait_for("for ever")
    begun = ActionInput(context=given.context, action=given.action)
    running = asyncio.ensure_future(environment.run(activity_of(job, "job"), begun))
    await job.waiting.wait()
    environment.worker_shutdown()
    running.cancel()
    with pytest.raises(ApplicationError) as caught:
        await running
    assert caught.value.type == "OutcomeUnknown"
    assert caught.value.non_retryable
    assert "The worker was stopped" in caught.value.message
    assert "look in its target" in caught.value.details[0]["byHand"]


async def test_a_failure_tells_what_was_left_behind_without_a_secret() -> None:
    with pytest.raises(ApplicationError) as caught:
        await ActivityEnvironment().run(activity_of(Job()), wait_for("fail {{fields.token}}"))
    assert caught.value.non_retryable
    [facts] = caught.value.details
    assert facts["partial"] == [
        {"type": "disk", "id": "disk-********", "url": None, "cleanup": "Remove it.", "move": 0}
    ]
    assert PASSWORD not in f"{caught.value.message} {facts}"
