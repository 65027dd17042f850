"""Runs actions: looks for earlier effects, acts, follows, masks.

An action type knows nothing of this; Temporal knows nothing of action types.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import replace
from typing import Any

from pydantic import ValidationError
from temporalio import activity

from activities.action_errors import SHUTDOWN, ActionError, ActionFailedError, OutcomeUnknownError
from activities.base import Action
from activities.call_origin import acting_for
from activities.disclosure import Disclosure
from activities.earlier_attempts import EarlierCall, EarlierEffects, existing_effect_error
from activities.former_calls import with_secrets, without_secrets
from activities.heartbeats import heartbeats
from activities.progress import ActionProgress
from activities.resets import refuse_after_reset
from activities.session import (
    ActionSession,
    first_problem,
    internal_error,
    masked_error,
    masked_reason,
    unforeseen_as_action_errors,
    validate_config,
)
from activities.session_factory import SessionFactory, Tools
from pao.core.failure_classes import CANCELLED, NOT_READY, NOT_SET
from pao.core.names import (
    EVIDENCE_ACTIVITY,
    FOLLOW_ACTIVITY,
    LOOK_ACTIVITY,
    STOP_TARGET_ACTIVITY,
)
from pao.core.payloads.actions import ActionInput, ActionResult, FollowInput, FormerCall, LookResult
from pao.core.payloads.decisions import EvidenceAnswer, EvidenceInput
from pao.core.payloads.waits import Pending
from pao.runtime.crypto import SecretUnreadableError

# How long a cancelled wait may take to ask its target to stop.
CANCEL_SECONDS = 10.0


class Executor:
    """Executes actions for Temporal; safe to share between tasks."""

    def __init__(self, actions: Mapping[str, Action[Any]], tools: Tools) -> None:
        self._actions = actions
        self._sessions = SessionFactory(tools)

    def activities(self) -> list[Callable[..., Any]]:
        """Return the activities: one per action type, look, evidence, wait, stop of a target."""
        own = map(self._activity, self._actions.values())
        return [*own, self.look, self.evidence, self.resume_wait, self.stop_target]

    def _activity(self, action: Action[Any]) -> Callable[..., Any]:
        @activity.defn(name=action.type)
        async def run(action_input: ActionInput) -> ActionResult:
            refuse_after_reset(action_input.run_id)
            async with heartbeats():
                return await self.execute(action, action_input)

        return run

    async def execute(self, action: Action[Any], action_input: ActionInput) -> ActionResult:
        """Run one attempt: look first if asked, adopt what is found, else act."""
        with _acting_for_item(action, action_input):
            return await self._run_attempt(action, action_input)

    async def _run_attempt(self, action: Action[Any], action_input: ActionInput) -> ActionResult:
        async with self._session(action, action_input) as session:
            found = await self._find_earlier_effects(session) if action_input.look_first else None
            result = await (session.act() if found is None else session.adopt(found))
        result = await self._finish_result(session, result)
        if result.pending is not None:
            result = replace(result, sent=session.sent)
        return result

    async def _find_earlier_effects(self, session: "ActionSession") -> EarlierEffects | None:
        """Return the effects of earlier attempts; None if acting duplicates nothing."""
        seen = await session.look_for(await self._earlier_calls(session))
        if seen.contradicts(session.action) and not session.may_revise(seen):
            raise existing_effect_error(seen, session.action, session.action_input.action.name)
        going_on = seen.found is not None or session.may_revise(seen)
        return seen if going_on else None

    async def _earlier_calls(self, session: "ActionSession") -> list[EarlierCall]:
        """Return the calls to look for: what earlier attempts sent, else what is sent now."""
        own = EarlierCall(session.config, place=session.action.place(session.config))
        calls = [await self._restore_call(session, call) for call in session.action_input.former]
        if session.action.converges and all(call.place == own.place for call in calls):
            # It compares what exists with what is wanted, whatever values created it.
            return [own]
        return calls or [own]

    async def _restore_call(self, session: "ActionSession", call: FormerCall) -> EarlierCall:
        """Restore what an attempt sent, rendering again what was not stored."""
        action, given, secrets = session.action, session.action_input, session.context.secrets
        try:
            fields, kept = session.calls.unseal(call)
        except (SecretUnreadableError, ValueError) as error:
            raise ActionFailedError(str(error), retryable=True, judged=NOT_SET) from error
        now = replace(given, context=replace(given.context, fields=fields))
        rendered = await self._sessions.render(action, now, secrets)
        plain = without_secrets(given.action.config, rendered)
        changed = plain != without_secrets(given.action.config, session.rendered)
        config = validate_config(action, rendered if kept is None else with_secrets(kept, rendered))
        return EarlierCall(config, changed, action.place(config))

    @activity.defn(name=FOLLOW_ACTIVITY)
    async def resume_wait(self, follow_input: FollowInput) -> ActionResult:
        """Continue a wait where the last worker stopped, within Temporal's time limit."""
        progress = ActionProgress(_saved_details())
        async with heartbeats(progress, repeatable=True):
            return await self.follow(follow_input, progress, seconds=_time_limit())

    async def follow(
        self,
        follow_input: FollowInput,
        progress: ActionProgress | None = None,
        *,
        seconds: float | None = None,
    ) -> ActionResult:
        """Wait for an existing effect; a cancelled wait also cancels at the target."""
        action = self._actions[follow_input.action.type]
        with _acting_for_item(action, follow_input):
            return await self._run_wait(action, follow_input, progress, seconds)

    async def _run_wait(
        self,
        action: Action[Any],
        follow_input: FollowInput,
        progress: ActionProgress | None,
        seconds: float | None,
    ) -> ActionResult:
        async with self._session(
            action, follow_input, existing=True, progress=progress, seconds=seconds
        ) as session:
            pending = session.disclosure.restore_pending(follow_input.pending)
            try:
                result = await action.follow(session.config, session.context, pending)
            except asyncio.CancelledError:
                # Not if the worker shuts down, or Temporal has given the wait to another worker.
                if _was_cancelled():
                    await _ask_to_stop(session, pending)
                raise
        return await self._finish_result(session, result)

    @activity.defn(name=STOP_TARGET_ACTIVITY)
    async def stop_target(self, follow_input: FollowInput) -> None:
        """Ask the target of a cancelled wait to stop; raises what the wait would have raised.

        For a wait that no worker was running, or whose worker was lost before it could ask. The
        target may be asked twice.
        """
        refuse_after_reset(follow_input.run_id)
        action = self._actions[follow_input.action.type]
        with _acting_for_item(action, follow_input):
            async with (
                heartbeats(repeatable=True),
                self._session(action, follow_input, existing=True) as session,
            ):
                await _ask_to_stop(
                    session, session.disclosure.restore_pending(follow_input.pending)
                )
                raise OutcomeUnknownError(CANCELLED, judged=NOT_READY)

    @activity.defn(name=LOOK_ACTIVITY)
    async def look(self, action_input: ActionInput) -> LookResult:
        """Look for the action's effect, read-only; no answer of the target raises."""
        action = self._actions[action_input.action.type]
        with _acting_for_item(action, action_input):
            async with heartbeats():
                return await self._run_look(
                    action, action_input, self._sessions.disclosure(action_input)
                )

    async def _run_look(
        self, action: Action[Any], action_input: ActionInput, disclosure: Disclosure
    ) -> LookResult:
        try:
            with unforeseen_as_action_errors(disclosure):
                session = await self._sessions.open(action, action_input, disclosure)
                calls = await self._earlier_calls(session)
        except ActionError as error:
            return LookResult(answer="unknown", reason=await masked_reason(error, disclosure))
        about = LookResult(
            answer="unknown",
            changed=any(call.changed for call in calls),
            revisable=action.can_revise,
            moved=_moved_places(calls, action.place(session.config), disclosure),
            askable=action.in_doubt(session.config, session.context).askable,
        )
        try:
            seen = await session.look_for(calls)
        except ActionError as error:
            return replace(about, reason=await masked_reason(error, disclosure))
        about = replace(about, exists=seen.contradicts(action))
        if seen.repeat is not None and action.converges:
            about = replace(about, changed=False)
        if seen.found is not None:
            result = await self._finish_result(session, seen.found)
            return replace(about, answer="found", result=result)
        shown = seen.repeat or seen.part or next(iter(seen.left), None)
        reason = await masked_reason(shown, disclosure) if shown else None
        return replace(about, answer="unknown" if seen.repeat else "absent", reason=reason)

    @activity.defn(name=EVIDENCE_ACTIVITY)
    async def evidence(self, evidence_input: EvidenceInput) -> EvidenceAnswer:
        """Check the outputs that a person saw in the target, and build a result from them."""
        action = self._actions[evidence_input.about.action.type]
        disclosure = self._sessions.disclosure(evidence_input.about)
        try:
            with unforeseen_as_action_errors(disclosure):
                session = await self._sessions.open(action, evidence_input.about, disclosure)
            result = action.from_evidence(session.config, evidence_input.outputs)
            return EvidenceAnswer(result=await self._finish_result(session, result))
        except ActionError as error:
            return EvidenceAnswer(message=await masked_reason(error, disclosure))
        except ValidationError as error:
            return EvidenceAnswer(
                message=disclosure.mask_message(f"outputs.{first_problem(error)}")
            )
        except ValueError as error:
            return EvidenceAnswer(message=disclosure.mask_message(str(error)))

    @asynccontextmanager
    async def _session(
        self, action: Action[Any], action_input: ActionInput, *, existing: bool = False, **more: Any
    ) -> "AsyncIterator[ActionSession]":
        """Open an execution; whatever it raises reaches Temporal masked.

        Its log is stored before the activity ends. If its effect is ``existing``, an execution
        that cannot begin proves nothing.
        """
        disclosure = self._sessions.disclosure(action_input)
        session: ActionSession | None = None
        try:
            session = await self._sessions.open(action, action_input, disclosure, **more)
            yield session
        except ActionError as error:
            shown = _wait_error(error) if existing and session is None else error
            raise await asyncio.to_thread(masked_error, shown, session, disclosure) from None
        except asyncio.CancelledError:
            reason = SHUTDOWN if _ends_with_worker(existing=existing) else CANCELLED
            if session is None or not (reason == SHUTDOWN or _was_cancelled()):
                raise
            # Raised here and not in the workflow: only the action knows where a person has to look.
            stopped = OutcomeUnknownError(reason, judged=NOT_READY)
            raise await asyncio.to_thread(masked_error, stopped, session, disclosure) from None
        except Exception as error:  # noqa: BLE001 -- its text may hold a secret; history keeps it
            kind = OutcomeUnknownError if existing else ActionFailedError
            raised = internal_error(error, disclosure.secrets, kind)
            raise masked_error(raised, session, disclosure) from None
        finally:
            if session is not None:
                await session.context.log.flush()

    async def _finish_result(self, session: "ActionSession", result: ActionResult) -> ActionResult:
        """Return the result for history: complete, masked and truncated."""
        try:
            result = await asyncio.to_thread(session.disclosure.mask_result, result)
            result = replace(result, outputs=session.action.kept(result.outputs))
            written = await asyncio.to_thread(self._sessions.cleanup, session.action_input, result)
            cleanup = written or session.action.cleanup(result)
            cleanup = session.disclosure.mask_own_text(cleanup)
        except Exception as error:  # noqa: BLE001 -- as above; the effect exists
            raised = internal_error(error, session.context.secrets, OutcomeUnknownError)
            session.findings.found = result
            raise masked_error(raised, session, session.disclosure) from None
        return replace(result, cleanup=cleanup, resource_type=session.action.resource_type)


def _moved_places(
    calls: list[EarlierCall], place: str | None, disclosure: Disclosure
) -> list[str] | None:
    """Return the former and the present place if a correction moves the action; else None."""
    for call in calls:
        if call.place != place:
            return [disclosure.mask_own_text(str(one or "no place")) for one in (call.place, place)]
    return None


def _acting_for_item(
    action: Action[Any], action_input: ActionInput
) -> AbstractContextManager[None]:
    return acting_for(action_input.context.item.id, action_input.action.config, action.breaker_keys)


def _wait_error(error: ActionError) -> ActionError:
    return OutcomeUnknownError(
        f"Waiting for the target cannot continue: {error.message}",
        code=error.code,
        http_status=error.http_status,
        response_body=error.response_body,
        judged=error.judged,
    )


async def _ask_to_stop(session: ActionSession, pending: Pending) -> None:
    """Ask the target of a cancelled wait to stop; the result is logged."""
    action, log = session.action, session.context.log
    try:
        async with asyncio.timeout(CANCEL_SECONDS):
            await action.cancel(session.config, session.context, pending)
    except (ActionError, TimeoutError) as error:
        reason = str(error) or f"no answer within {CANCEL_SECONDS:.0f} s"
        await log.warning("The target could not be asked to stop.", data={"reason": reason})
        return
    if type(action).cancel is not Action.cancel:
        await log.info("The target was asked to stop.")


def _ends_with_worker(*, existing: bool) -> bool:
    """Return whether the worker's shutdown ends this execution.

    Another worker continues a wait for an existing effect.
    """
    return not existing and activity.in_activity() and activity.is_worker_shutdown()


def _was_cancelled() -> bool:
    """Return whether this activity was cancelled by request."""
    details = activity.cancellation_details() if activity.in_activity() else None
    return details is not None and details.cancel_requested


def _saved_details() -> Mapping[str, Any]:
    details = activity.info().heartbeat_details
    return details[0] if details and isinstance(details[0], dict) else {}


def _time_limit() -> float | None:
    """Return the time limit of a wait's execution, slightly below Temporal's."""
    limit = activity.info().start_to_close_timeout
    return max(limit.total_seconds() - 2.0, 1.0) if limit else None
