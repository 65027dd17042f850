"""The action type github-workflow: starts a workflow and can wait for its run."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar

from activities.action_errors import (
    ActionError,
    ActionFailedError,
    NothingToAdoptError,
    OutcomeUnknownError,
)
from activities.base import Action, ActionContext
from activities.github.access import (
    GitHubAccess,
    adding_partial,
    as_action_errors,
    open_repository,
    request_start,
    to_action_error,
    with_clock_skew,
)
from activities.github.runs import (
    SUCCESSFUL,
    RunRequest,
    RunSearch,
    find_all_marked,
    find_listed,
    find_marked,
    find_run,
    partial_run,
    partial_runs,
    prepare_dispatch,
    refuse_if_ambiguous,
)
from activities.github.workflow_config import GitHubWorkflowConfig, GitHubWorkflowOutputs
from pao.clients.github import GitHubError, GitHubRefusedError, WorkflowRun
from pao.core.failure_classes import INTERRUPTED, REFUSED
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.failures import PartialResource
from pao.core.payloads.waits import Pending
from pao.core.timestamps import timestamp

GROWTH = 1.5
# A single 401 or 404 may be temporary; this many in a row are not.
PATIENCE = 5
_HINT = "Check repository, workflowFile and ref, and that the workflow has workflow_dispatch."


class GitHubWorkflowAction(Action[GitHubWorkflowConfig]):
    """Starts one run, known by its id in the response or by the mark in its name."""

    type = "github-workflow"
    summary = "Starts a GitHub Actions workflow and waits for its run."
    resource_type = "github-workflow-run"
    config = GitHubWorkflowConfig
    outputs = GitHubWorkflowOutputs
    default_timeout = 30.0
    slow = True
    examples: ClassVar[tuple[dict[str, Any], ...]] = (
        {
            "repository": "platform/provisioning",
            "workflowFile": "provision.yml",
            "ref": "main",
            "inputs": {"namespace": "{{fields.namespace}}", "environment": "dev"},
        },
        {
            "repository": "platform/provisioning",
            "workflowFile": "provision.yml",
            "ref": "main",
            "inputs": {"namespace": "shop"},
            "waitForCompletion": True,
            "timeout": "30m",
            "failOnWorkflowFailure": False,
        },
    )

    async def look(
        self, config: GitHubWorkflowConfig, context: ActionContext
    ) -> ActionResult | None:
        """Search the runs for the mark; a failed one is listed and started again, not adopted."""
        there = open_repository(context, config.repository, config.instance)
        with as_action_errors(hint=_HINT):
            wanted = await _run_request(there, context, config)
            number = context.earlier.state.get("runId") if context.earlier else None
            known = await find_run(there, int(number)) if number else None
            if known is not None and _adoptable(config)(known):
                return context.left_beside(
                    _result(known, pending=_pending_if_running(known, config, wanted))
                )
            run = await find_marked(there, context, wanted, fits=_adoptable(config))
            if run is not None:
                return context.left_beside(
                    _result(run, pending=_pending_if_running(run, config, wanted))
                )
            if number and known is None:
                raise _run_gone_error(int(number), config)
            if not (await prepare_dispatch(there, context, wanted)).certain:
                await refuse_if_ambiguous(there, context, wanted)
            left = partial_runs(context, await find_all_marked(there, context, wanted))
        if left:
            named = ", ".join(one.id or one.type for one in left)
            raise NothingToAdoptError(
                f"No run is there to wait for; left by earlier attempts: {named}. A retry starts "
                "another one.",
                partial=left,
            )
        return None

    async def execute(self, config: GitHubWorkflowConfig, context: ActionContext) -> ActionResult:
        """Start the workflow, and return its run to wait for."""
        there = open_repository(context, config.repository, config.instance)
        with as_action_errors(hint=_HINT):
            wanted = await _run_request(there, context, config)
            inputs = (await prepare_dispatch(there, context, wanted)).inputs
            earlier = await find_all_marked(there, context, wanted) if context.attempt > 1 else []
            began = with_clock_skew(datetime.now(UTC))
            run = await there.client.dispatch(wanted.workflow, wanted.ref, inputs)
        if run is None:
            await context.log.info("The workflow was started; its run is being looked for.")
            listed = {"after": max((one.id for one in earlier), default=0), "since": began}
            pending = _pending_run(config, wanted.ref, listed)
            started = ActionResult(outputs={"status": "requested"}, pending=pending)
            return replace(started, partial=partial_runs(context, earlier))
        await context.log.info("The workflow was started.", data={"runId": run.id, "url": run.url})
        result = _result(run, pending=_pending_if_running(run, config, wanted))
        return replace(result, partial=partial_runs(context, earlier))

    async def follow(
        self, config: GitHubWorkflowConfig, context: ActionContext, pending: Pending
    ) -> ActionResult:
        """Poll the run until it is done, with growing pauses, also while GitHub is unavailable."""
        there = open_repository(context, config.repository, config.instance)
        until = _wait_end(context, pending)
        pace, pause = context.options.github.poll_first, 0.0
        refusals: list[GitHubRefusedError] = []
        while True:
            await asyncio.sleep(pause)
            run, wait = await _poll_run(there, context, config, pending=pending, refusals=refusals)
            if len(refusals) >= PATIENCE:
                raise _outcome_lost_error(to_action_error(refusals[-1]), context, pending)
            if run is not None and (run.done or not config.wait_for_completion):
                return await _finish(there, run, config)
            left = (until - datetime.now(UTC)).total_seconds()
            if left <= 0:
                raise _timeout_error(config, run)
            pause = min(max(pace, wait), left)
            pace = min(pace * GROWTH, context.options.github.poll_most)

    async def cancel(
        self, config: GitHubWorkflowConfig, context: ActionContext, pending: Pending
    ) -> None:
        """Cancel the run."""
        there = open_repository(context, config.repository, config.instance)
        with as_action_errors():
            run = await _find_run(there, context, config, pending=pending, find=find_marked)
            if run is not None and not run.done:
                await there.client.cancel(run.id)

    def place(self, config: GitHubWorkflowConfig) -> str:
        """Return the server, the repository and the workflow."""
        server = config.instance or "the default server"
        return f"{config.workflow_file} of {config.repository} on {server}"

    def cleanup(self, result: ActionResult) -> str:
        """Return what to do about the run when the request is abandoned."""
        if result.url is None:
            return "Look in the repository's Actions whether a run was started, and cancel it."
        return (
            f"Cancel the workflow run {result.external_reference} if it is still at work "
            f"({result.url}), and undo by hand what it has done."
        )


def _run_gone_error(number: int, config: GitHubWorkflowConfig) -> ActionFailedError:
    error = ActionFailedError(
        f"The run {number} of {config.workflow_file} was started by an earlier attempt and is gone "
        "from GitHub, so its outcome cannot be found out. No other run was started. Look at what "
        "it should have done, then retry with what you saw there as evidence.",
        judged=REFUSED,
    )
    error.askable = False
    return error


async def _run_request(
    there: GitHubAccess, context: ActionContext, config: GitHubWorkflowConfig
) -> RunRequest:
    ref = config.ref or await there.client.default_branch()
    return RunRequest.of(config, ref, request_start(context))


def _adoptable(config: GitHubWorkflowConfig) -> Callable[[WorkflowRun], bool]:
    """Return the test for runs that a retry adopts: all but one whose failure fails the action."""
    fails = config.wait_for_completion and config.fail_on_workflow_failure
    return lambda run: not (fails and run.done and run.conclusion not in SUCCESSFUL)


def _pending_if_running(
    run: WorkflowRun, config: GitHubWorkflowConfig, wanted: RunRequest
) -> Pending | None:
    waits = config.wait_for_completion and not run.done
    return _pending_run(config, wanted.ref, {"runId": run.id, "url": run.url}) if waits else None


async def _poll_run(
    there: GitHubAccess,
    context: ActionContext,
    config: GitHubWorkflowConfig,
    *,
    pending: Pending,
    refusals: list[GitHubRefusedError],
) -> tuple[WorkflowRun | None, float]:
    """Return the run, or how long to wait if GitHub did not answer.

    ``refusals`` collects consecutive refusals: a single 401 or 404 may be temporary.
    """
    try:
        found = await _find_run(there, context, config, pending=pending, find=find_listed)
    except GitHubError as error:
        if isinstance(error, GitHubRefusedError) and not error.retryable:
            refusals.append(error)
        else:
            refusals.clear()
        reason, wait = error.message, error.wait or 0.0
    except ActionError as error:
        if not error.retryable:
            # The run exists even if PAO cannot find it.
            raise _outcome_lost_error(error, context, pending) from error
        refusals.clear()
        reason, wait = error.message, 0.0
    else:
        refusals.clear()
        return found, 0.0
    if not context.progress.details.get("troubled"):
        # Logged once: an hour without answers would fill the request's log.
        context.progress.save({**context.progress.details, "troubled": True})
        await context.log.warning("GitHub did not answer; still waiting.", data={"reason": reason})
    return None, wait


async def _find_run(
    there: GitHubAccess,
    context: ActionContext,
    config: GitHubWorkflowConfig,
    *,
    pending: Pending,
    find: RunSearch,
) -> WorkflowRun | None:
    number = pending.state.get("runId") or context.progress.details.get("runId")
    if number is not None:
        return await there.client.run(int(number))
    after = int(pending.state.get("after", 0))
    # A wait that an earlier version began does not say since when.
    start = str(pending.state.get("since") or request_start(context))
    wanted = RunRequest.of(config, str(pending.state["ref"]), start)
    run = await find(there, context, wanted, fits=lambda found: found.id > after)
    if run is not None:
        context.progress.save({**context.progress.details, "runId": run.id})
        await context.log.info("Found the run.", data={"runId": run.id, "url": run.url})
    return run


async def _finish(
    there: GitHubAccess, run: WorkflowRun, config: GitHubWorkflowConfig
) -> ActionResult:
    bad = run.done and run.conclusion not in SUCCESSFUL
    if not (bad and config.wait_for_completion and config.fail_on_workflow_failure):
        return _result(run)
    where = await _describe_failed_steps(there, run)
    with adding_partial(partial_run(run)):
        raise ActionFailedError(
            f"The workflow run {run.id} ({config.workflow_file} of {config.repository}) ended with "
            f"{run.conclusion}{where}. Its page has the log: {run.url}",
            retryable=run.conclusion != "failure",
        )


async def _describe_failed_steps(there: GitHubAccess, run: WorkflowRun) -> str:
    """Return the failed jobs and steps; "" if GitHub does not list them."""
    try:
        failed = await there.client.failed_steps(run.id)
    except (GitHubError, ActionError):
        return ""
    named = [
        f'job "{part.job}", step "{part.step}"' if part.step else f'job "{part.job}"'
        for part in failed[:5]
    ]
    return f": {'; '.join(named)}" if named else ""


def _outcome_lost_error(
    error: ActionError, context: ActionContext, pending: Pending
) -> OutcomeUnknownError:
    number = pending.state.get("runId") or context.progress.details.get("runId")
    left = PartialResource(
        "github-workflow-run",
        id=str(number),
        url=pending.state.get("url"),
        cleanup=f"Look for the workflow run {number}, and undo what it has done.",
    )
    return OutcomeUnknownError(
        f"The workflow was started, but its outcome can no longer be read: {error.message}",
        http_status=error.http_status,
        response_body=error.response_body,
        judged=error.judged,
        partial=[left] if number is not None else [],
    )


def _timeout_error(config: GitHubWorkflowConfig, run: WorkflowRun | None) -> OutcomeUnknownError:
    allowed = f"{config.timeout} s" if isinstance(config.timeout, int) else config.timeout
    about = (
        f"The run {run.id} of {config.workflow_file}" if run else f"A run of {config.workflow_file}"
    )
    return OutcomeUnknownError(
        f"{about} did not finish within {allowed} and is still running. A retry finds it "
        "and waits again.",
        judged=INTERRUPTED,
        partial=[partial_run(run)] if run else [],
    )


def _pending_run(config: GitHubWorkflowConfig, ref: str, known: dict[str, Any]) -> Pending:
    until = datetime.now(UTC) + timedelta(seconds=config.seconds)
    return Pending("follow", {"ref": ref, "until": timestamp(until), **known})


def _wait_end(context: ActionContext, pending: Pending) -> datetime:
    allowed = datetime.now(UTC) + timedelta(seconds=context.deadline.remaining())
    return min(allowed, datetime.fromisoformat(str(pending.state["until"])))


def _result(run: WorkflowRun, *, pending: Pending | None = None) -> ActionResult:
    return ActionResult(
        outputs={
            "runId": str(run.id),
            "url": run.url,
            "status": run.status,
            "conclusion": run.conclusion,
        },
        external_reference=str(run.id),
        url=run.url,
        pending=pending,
    )


ACTION = GitHubWorkflowAction()
