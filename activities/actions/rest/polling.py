"""Polling the status address of a 202 until the target is done.

The target has accepted the call: nothing met while polling proves that there is no effect.
"""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from activities.action_errors import ActionError, ActionFailedError, OutcomeUnknownError
from activities.actions.rest import answers
from activities.actions.rest.config import Asynchronous, RestApiConfig
from activities.actions.rest.sending import Sender
from activities.base import ActionContext
from activities.outgoing import TargetResponse
from catalog import json_paths
from pao.clients.outgoing import AddressRefusedError, redirected_url
from pao.core.answers import safe_url
from pao.core.failure_classes import INTERRUPTED, NOT_ALLOWED, NOT_SET, REFUSED, UNREADABLE
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.waits import Pending

ACCEPTED = 202
GONE = frozenset({404, 410})
REDIRECTS = frozenset({301, 302, 303, 307, 308})
TO_RESULT = frozenset({302, 303})
HOPS = 5
# A single 401 or 404 may be temporary; this many in a row are not.
PATIENCE = 5
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class StatusResponse:
    """One response; ``redirected`` where the address redirected to the result."""

    answer: TargetResponse
    redirected: bool = False


async def poll_once(
    sender: Sender, config: RestApiConfig, context: ActionContext, url: str
) -> StatusResponse:
    """Poll once; redirects are followed by GET, and each is checked like the first address."""
    redirected = False
    for _ in range(HOPS):
        answer = await sender.read_named(config, context, url)
        location = answer.headers.get("location")
        if answer.status not in REDIRECTS or not location:
            return StatusResponse(answer, redirected)
        redirected = redirected or answer.status in TO_RESULT
        try:
            url = redirected_url(url, location)
        except AddressRefusedError as error:
            raise ActionFailedError(error.message, judged=NOT_ALLOWED) from error
    raise ActionFailedError(
        f"It redirects more than {HOPS} times, at last to {safe_url(url)}.", judged=UNREADABLE
    )


async def poll(
    sender: Sender, config: RestApiConfig, context: ActionContext, url: str
) -> ActionResult:
    """Poll until the target is done; outages do not end it."""
    following = _async_config(config)
    since = float(context.progress.saved.get("since") or time.time())
    context.progress.save({"since": since})
    refusals = 0
    while True:
        try:
            status = await _ask_status(sender, config, context, url)
            refusals = 0
            result = await evaluate(evaluate_status, config, status)
            if result is not None:
                return result
        except _PollError as met:
            refusals = 0 if met.error.retryable else refusals + 1
            if refusals >= PATIENCE or met.final:
                raise _outcome_lost_error(url, met.error) from met.error
            await context.log.warning(f"The target cannot be asked now: {met.error.message}")
        if time.time() - since > following.timeout:
            raise OutcomeUnknownError(
                f"The target was not done after {following.timeout:g} s. It may be done later: a "
                f"retry continues to poll {safe_url(url)}.",
                judged=INTERRUPTED,
            )
        await asyncio.sleep(following.every)


@dataclass(frozen=True, slots=True)
class ResumedPoll:
    """The result at an earlier attempt's status address; None if the target reports failure."""

    result: ActionResult | None


async def resume_poll(
    sender: Sender, config: RestApiConfig, context: ActionContext, earlier: Pending
) -> ResumedPoll | None:
    """Poll the status address of an earlier attempt; None if it no longer exists.

    A job that is still running, or cannot be polled now, is waited for again.
    """
    waits = ResumedPoll(ActionResult(outputs={"status": ACCEPTED, "body": None}, pending=earlier))
    try:
        status = await poll_once(sender, config, context, str(earlier.state["url"]))
    except ActionError:
        return waits
    if status.answer.status in GONE:
        return None
    if not status.answer.is_success:
        return waits
    try:
        result = await evaluate(evaluate_status, config, status)
    except ActionFailedError:
        return ResumedPoll(None)
    return waits if result is None else ResumedPoll(result)


def evaluate_status(config: RestApiConfig, status: StatusResponse) -> ActionResult | None:
    """Return the result of a target that is done; None while it is running.

    A 303 or 302 leads to the result, which need not contain a status: without what ``until``
    reads, it is the result, unless it is HTML, such as a login page. Raises ``ActionFailedError``
    if the target reports that it has failed.
    """
    following, answer = _async_config(config), status.answer
    if following.fail_when is not None and answers.holds(following.fail_when, answer):
        raise ActionFailedError(
            f"The target says that it has failed. Look at {safe_url(answer.url)} for what the job "
            "created before it failed, and undo it.",
            http_status=answer.status,
            response_body=answer.text,
        )
    done = answers.holds(following.until, answer)
    if not done and status.redirected and not answer.is_html:
        done = not answers.has_value(following.until, answer)
    return result_of(config, answer) if done else None


def result_of(
    config: RestApiConfig, answer: TargetResponse, *, reading: bool = False
) -> ActionResult:
    """Return the outputs of an answer; raises if it is not as the document promises."""
    try:
        made = answers.read_outputs(config, answer)
    except answers.ExtractError as error:
        raise answer.unreadable(
            f"The target answered {answer.status}, but its answer is not as the item promises: "
            f"{error}.",
            reading=reading,
        ) from error
    return ActionResult(outputs=made)


async def evaluate(read: Callable[..., T], /, *given: Any, reading: bool = False) -> T:
    """Read an answer by the document's JSONPaths, in a thread: that may take up to a second."""
    try:
        return await asyncio.to_thread(read, *given)
    except (answers.ExtractError, json_paths.PathError) as error:
        kind = ActionFailedError if reading else OutcomeUnknownError
        raise kind(
            f"The answer cannot be read as the item says: {error}.", judged=UNREADABLE
        ) from error


class _PollError(Exception):
    """A response without a status, or none; ``final``: polling again cannot help."""

    def __init__(self, error: ActionError, *, final: bool = False) -> None:
        super().__init__(error.message)
        self.error = error
        self.final = final


async def _ask_status(
    sender: Sender, config: RestApiConfig, context: ActionContext, url: str
) -> StatusResponse:
    try:
        status = await poll_once(sender, config, context, url)
    except ActionError as met:
        ours = met.silent and not met.retryable
        raise _PollError(met, final=ours) from met
    if status.answer.is_success:
        return status
    answered = status.answer.status
    error = status.answer.failure(f"The status address answered {answered}.", reading=True)
    raise _PollError(error)


def _outcome_lost_error(url: str, error: ActionError) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"The target has accepted the call, but {safe_url(url)} no longer reports its outcome: "
        f"{error.message} Look there; a retry asks again.",
        http_status=error.http_status,
        response_body=error.response_body,
        judged=error.judged or REFUSED,
    )


def _async_config(config: RestApiConfig) -> Asynchronous:
    if config.asynchronous is None:
        raise ActionFailedError("The item does not say how the call is followed.", judged=NOT_SET)
    return config.asynchronous
