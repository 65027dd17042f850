"""Error messages for failed Terraform steps: the reason, and what a person can do."""

from collections.abc import Iterable

from activities.action_errors import ActionFailedError, OutcomeUnknownError
from activities.terraform.events import Events, parse_lock
from activities.terraform.process import CommandResult
from pao.core.errors import ErrorCode
from pao.core.failure_classes import (
    CONFLICT,
    INTERRUPTED,
    NOT_READY,
    NOT_SET,
    REFUSED,
    UNREADABLE,
    UNSENT,
    FailureClass,
    classify_report,
)
from pao.core.payloads.failures import PartialResource

MESSAGE_LIMIT = 3000
LIST_LIMIT = 10


def step_failed(
    step: str, ended: CommandResult, errors: Iterable[str] = (), *, lock: str = ""
) -> ActionFailedError:
    """Return the error of a step before the apply: nothing has been changed."""
    text = "\n".join(errors) or ended.errors or "it gave no reason"
    if holder := parse_lock(text):
        return locked(holder)
    if ended.never_started:
        return ActionFailedError(
            f"Terraform cannot be started: {ended.errors}", retryable=True, judged=NOT_SET
        )
    if ended.late or ended.killed:
        return ActionFailedError(
            f"terraform {step} did not finish in time and was stopped. Nothing was changed. "
            "Find out what it waits for, raise the action's timeout if it needs longer, then "
            f"retry. {lock} {_shorten(ended.errors)}".strip(),
            judged=INTERRUPTED,
        )
    return ActionFailedError(
        f"terraform {step} failed; nothing was changed. {_shorten(text)}",
        response_body=text,
        # Before the plan, backends, registries and providers fail; the plan checks the values.
        judged=classify_report(text, otherwise=REFUSED if step == "plan" else UNSENT),
    )


def locked(lock: dict[str, str]) -> ActionFailedError:
    """Return the error of a state that somebody else has locked."""
    identity = lock.get("id", "unknown")
    return ActionFailedError(
        f"The Terraform state is locked by {lock.get('who', 'somebody')} since "
        f"{lock.get('created', 'an unknown time')} ({lock.get('operation', 'unknown operation')}); "
        "nothing was changed. Wait until that run has ended, then retry. If it is gone, "
        f"unlock with: terraform force-unlock {identity}",
        judged=CONFLICT,
    )


def apply_failed(
    ended: CommandResult,
    events: Events,
    partial: list[PartialResource],
    *,
    lock: str = "",
    certain: bool = True,
) -> ActionFailedError | OutcomeUnknownError:
    """Return the error of an apply that failed; ``certain`` if the state shows what it changed.

    ``lock`` says what became of the lock of an apply that had to be killed.
    """
    if events.lock:
        return locked(events.lock)
    # A person who cancels knows the reason.
    silent = "" if ended.cut else "it gave no reason"
    text = "\n".join(events.errors) or ended.errors or silent
    why = f"{_end_sentence(ended)} {lock}".strip()
    if ended.killed or not certain:
        return OutcomeUnknownError(
            f"{why} What it has changed is not known for certain. A retry plans first and applies "
            "what is missing; if it finds the state locked, it says how to unlock it. "
            f"{_shorten(text)}".rstrip(),
            code=ErrorCode.ACTION_FAILED if ended.cut else None,
            response_body=text,
            # A person who cancels says nothing about the target.
            judged=NOT_READY
            if ended.cut
            else classify_report(text, otherwise=_default_class(ended)),
            partial=partial,
        )
    return ActionFailedError(
        f"{why} {_resources_sentence(partial)} A retry plans again and applies what is missing. "
        f"{_shorten(text)}".rstrip(),
        response_body=text,
        retryable=True,
        judged=NOT_READY if ended.cut else classify_report(text, otherwise=UNREADABLE),
        partial=partial,
        whole=True,
    )


def _default_class(ended: CommandResult) -> FailureClass:
    return INTERRUPTED if ended.late or ended.killed else UNREADABLE


def plugin_cache_kept() -> ActionFailedError:
    """Return the error of an action that did not get the plugin cache before its deadline."""
    return ActionFailedError(
        "Another action is still downloading providers to this machine's plugin cache, and this "
        "one's time is up. Nothing was changed. Retry when the download has ended; if it takes "
        "long, raise the action's timeout.",
        judged=NOT_READY,
    )


def cancelled_before_apply(why: str) -> ActionFailedError:
    """Return the error of an action that was stopped before it had changed anything."""
    return ActionFailedError(
        f"{why} Terraform was stopped before it had applied anything: this attempt has changed "
        "nothing. A retry starts again.",
        judged=NOT_READY,
    )


def cancelled_after_apply(why: str) -> OutcomeUnknownError:
    """Return the error of an action that was stopped during or after the apply."""
    return OutcomeUnknownError(
        f"{why} Terraform has been applying, and what it has changed could not be read any more. "
        "A retry plans first and applies what is missing.",
        code=ErrorCode.ACTION_FAILED,
        judged=NOT_READY,
    )


def outputs_unreadable(why: str) -> OutcomeUnknownError:
    """Return the error of an action that has applied, but whose outputs cannot be read."""
    return OutcomeUnknownError(
        f"Terraform has applied the plan, but its outputs cannot be read. {why} A retry finds "
        "everything in the state and reads them again.",
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
        judged=UNREADABLE,
    )


def _end_sentence(ended: CommandResult) -> str:
    if ended.cut and ended.killed:
        return "terraform apply was cancelled, did not stop in order and was killed."
    if ended.cut:
        return "terraform apply was cancelled and stopped in order."
    if ended.killed:
        return "terraform apply did not stop in order and was killed."
    if ended.late:
        return "terraform apply did not finish in time and was stopped in order."
    return "terraform apply failed."


def _resources_sentence(partial: list[PartialResource]) -> str:
    if not partial:
        return "Nothing that it made is in the state."
    names = ", ".join(resource.id or resource.type for resource in partial[:LIST_LIMIT])
    more = f" and {len(partial) - LIST_LIMIT} more" if len(partial) > LIST_LIMIT else ""
    return f"In the state are {len(partial)} resources: {names}{more}."


def _shorten(text: str) -> str:
    plain = text.replace("\u2502", " ").replace("\u2577", "").replace("\u2575", "")
    joined = " ".join(plain.split())
    return joined if len(joined) <= MESSAGE_LIMIT else f"{joined[:MESSAGE_LIMIT]}\u2026"
