"""One execution of an action: rendered, with its context and its findings."""

import asyncio
import logging
import traceback
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError
from temporalio.exceptions import ApplicationError

from activities.action_errors import (
    MESSAGE_LIMIT,
    ActionError,
    ActionFailedError,
    OutcomeUnknownError,
    application_error,
)
from activities.base import Action, ActionContext
from activities.configuration_validators import problems_of
from activities.disclosure import Disclosure
from activities.earlier_attempts import EarlierCall, EarlierEffects, look_for_effects
from activities.former_calls import FormerCalls
from activities.look_findings import LookFindings
from pao.core.answers import shorten
from pao.core.failure_classes import BAD_CALL, NOT_SET
from pao.core.payloads.actions import ActionInput, ActionResult
from pao.runtime.masking import SecretMasks

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class ActionSession:
    """One execution: its rendered configuration, and all that it may use."""

    action: Action[Any]
    action_input: ActionInput
    config: Any
    context: ActionContext
    disclosure: Disclosure
    rendered: dict[str, Any]
    calls: FormerCalls
    findings: LookFindings = field(default_factory=LookFindings)

    @property
    def sent(self) -> str | None:
        """What this execution sends, sealed; None where it is too large to be kept."""
        return self.calls.seal(self.action_input.context.fields, self.rendered)

    @property
    def digest(self) -> str:
        """A keyed digest; equal calls have the same."""
        return self.calls.digest(self.action_input.context.fields, self.rendered)

    async def look_for(self, calls: list[EarlierCall]) -> EarlierEffects:
        """Look for the effects of earlier calls, and note what was found."""
        seen = await look_for_effects(calls, self._look)
        if seen.part is not None:
            self.findings.note_part(seen.part)
        elif seen.repeat is None or seen.found is not None:
            self.findings.note_answer(seen.found)
        for error in seen.left:
            self.findings.note_left(error)
        return seen

    async def _look(self, config: Any) -> ActionResult | None:
        async with self._guard(config):
            found = await self.action.look(config, self.context)
        return replace(found, adopted=True) if found is not None else None

    def may_revise(self, seen: EarlierEffects) -> bool:
        """Return whether what exists may be changed to the current values."""
        there = seen.found is not None or seen.part is not None
        return self.action_input.revise and self.action.can_revise and seen.is_changed and there

    async def adopt(self, seen: EarlierEffects) -> ActionResult:
        """Complete an effect that was found, or revise it if a person decided so."""
        if self.may_revise(seen) and seen.call is not None:
            return await self._revise(seen, seen.call)
        if seen.found is None:
            return await self.act()
        self.findings.acted = True
        result = await self.action.complete(self.config, self.context, seen.found)
        return replace(result, adopted=True)

    async def _revise(self, seen: EarlierEffects, call: EarlierCall) -> ActionResult:
        self.findings.acted = True
        try:
            async with self._guard():
                return await self.action.revise(self.config, self.context, seen.found, call.config)
        except ActionError:
            raise
        except Exception as error:
            raise internal_error(error, self.context.secrets, OutcomeUnknownError) from error

    async def act(self) -> ActionResult:
        """Execute the action; after an unforeseen error the outcome is unknown."""
        self.findings.acted = True
        try:
            async with self._guard():
                return await self.action.execute(self.config, self.context)
        except ActionError:
            raise
        except Exception as error:
            raise internal_error(error, self.context.secrets, OutcomeUnknownError) from error

    @asynccontextmanager
    async def _guard(self, config: Any = None) -> AsyncIterator[None]:
        target = self.action.breaker(config or self.config, self.context)
        if target is None:
            yield
            return
        async with self.context.breakers.guard(target, self.context.secrets):
            yield


def masked_error(
    error: ActionError, session: ActionSession | None, disclosure: Disclosure
) -> ApplicationError:
    """Return the error for Temporal, masked, with the findings of this attempt's look."""
    if session is not None:
        session.findings.add_to(error, session.action)
    masked = disclosure.mask_error(error)
    if session is not None:
        doubt = session.action.in_doubt(session.config, session.context)
        if masked.askable is None:
            masked.askable = doubt.askable
        masked.retry, masked.by_hand = map(disclosure.mask_own_text, (doubt.retry, doubt.by_hand))
        if session.findings.acted and (isinstance(error, OutcomeUnknownError) or error.partial):
            masked.sent, masked.digest = session.sent, session.digest
    return application_error(masked)


def validate_config(action: Action[Any], rendered: Mapping[str, Any]) -> Any:
    """Return the configuration as the type reads it."""
    try:
        return action.config.model_validate(rendered)
    except ValidationError as error:
        raise ActionFailedError(
            f"The rendered configuration is invalid: {first_problem(error)}", judged=BAD_CALL
        ) from error


def internal_error(error: Exception, secrets: SecretMasks, kind: type[ActionError]) -> ActionError:
    """Return an unforeseen error as a masked failure; its traceback is logged."""
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error("an action ended by %s, a bug:\n%s", type(error).__name__, where)
    text = secrets.hide(f"{type(error).__name__}: {error}")
    message = f"The action could not be carried out because of an internal error: {text}"
    return kind(message, judged=NOT_SET)


@contextmanager
def unforeseen_as_action_errors(disclosure: Disclosure) -> Iterator[None]:
    """Turn an unforeseen error into a masked one of an action: its text may hold a secret."""
    try:
        yield
    except ActionError:
        raise
    except Exception as error:  # noqa: BLE001 -- as its docstring says
        raise internal_error(error, disclosure.secrets, ActionFailedError) from None


async def masked_reason(error: ActionError, disclosure: Disclosure) -> str:
    """Return the message of an error, masked and then truncated."""
    masked = await asyncio.to_thread(disclosure.mask_error, error)
    return shorten(masked.message, MESSAGE_LIMIT)


def first_problem(error: ValidationError) -> str:
    """Return the first problem in short."""
    problem = problems_of(error)[0]
    return f"{'.'.join(map(str, problem.place))}: {problem.message}"
