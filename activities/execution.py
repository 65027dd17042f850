"""How any action is executed: secrets opened, templates rendered, looked for, acted, masked.

An action type knows nothing of this; Temporal knows nothing of action types.
"""

import logging
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from temporalio import activity
from temporalio.exceptions import ApplicationError

from activities.base import Action, ActionContext, JiraClients
from activities.errors import ActionError, ActionFailedError, OutcomeUnknownError, told_to_temporal
from activities.heartbeats import heartbeats
from activities.masking import hide_in_error, hide_secrets
from activities.resets import refuse_after_reset
from catalog.planning import render_action, render_cleanup
from catalog.scopes import Surroundings
from catalog.secrets import open_fields
from catalog.templating import TemplateError
from pao.clients.jira import Deadline
from pao.core.errors import ErrorCode
from pao.core.names import LOOK_ACTIVITY, mark
from pao.core.payloads import ActionInput, ActionResult, LookResult, RequestContext
from pao.crypto import SecretBox, SecretUnreadableError

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Tools:
    """What the worker hands to executions; ``action_seconds`` bounds one execution's calls."""

    box: SecretBox
    jira: JiraClients
    surroundings: Surroundings
    action_seconds: float = 8.0


class Executor:
    """Executes actions for Temporal; safe to share between tasks."""

    def __init__(self, actions: Mapping[str, Action[Any]], tools: Tools) -> None:
        self._actions = actions
        self._tools = tools

    def activities(self) -> list[Callable[..., Any]]:
        """Give one activity per action type, named like it, and the look."""
        return [*map(self._activity, self._actions.values()), self._look_activity()]

    def _activity(self, action: Action[Any]) -> Callable[..., Any]:
        @activity.defn(name=action.type)
        async def run(given: ActionInput) -> ActionResult:
            refuse_after_reset(given.run_id)
            async with heartbeats():
                return await self.execute(action, given)

        return run

    def _look_activity(self) -> Callable[..., Any]:
        @activity.defn(name=LOOK_ACTIVITY)
        async def look(given: ActionInput) -> LookResult:
            return await self.look(given)

        return look

    async def execute(self, action: Action[Any], given: ActionInput) -> ActionResult:
        """Run one attempt: look first where told, adopt what is found, else act."""
        secrets = self._open(given.context)
        try:
            config, context = self._prepare(action, given, secrets)
            found = await self._looked_for(action, config, context) if given.look_first else None
            result = found or await self._act(action, config, context, secrets)
        except ActionError as error:
            raise told_to_temporal(hide_in_error(error, secrets.values())) from None
        except Exception as error:  # noqa: BLE001 -- its text may hold a secret; history keeps it
            raise told_to_temporal(_bug(error, secrets, ActionFailedError)) from None
        try:
            result.cleanup = self._cleanup(given, result) or action.cleanup(result)
        except Exception as error:  # noqa: BLE001 -- as above; the effect exists
            raise told_to_temporal(_bug(error, secrets, OutcomeUnknownError)) from None
        result.resource_type = action.resource_type
        return result

    def _cleanup(self, given: ActionInput, result: ActionResult) -> str | None:
        if given.action.cleanup is None:
            return None
        outputs = {**given.outputs, given.action.id: result.outputs}
        surroundings = self._tools.surroundings
        return render_cleanup(given.action.cleanup, given.context, surroundings, outputs=outputs)

    async def look(self, given: ActionInput) -> LookResult:
        """Look for the action's effect, read-only; never raises for what the target answers."""
        action = self._actions[given.action.type]
        secrets = self._open(given.context)
        try:
            config, context = self._prepare(action, given, secrets)
            found = await self._looked_for(action, config, context)
        except ActionError as error:
            return LookResult(
                answer="unknown", reason=hide_in_error(error, secrets.values()).message
            )
        if found is None:
            return LookResult(answer="absent")
        return LookResult(answer="found", result=found)

    async def _looked_for(
        self, action: Action[Any], config: Any, context: ActionContext
    ) -> ActionResult | None:
        found = await action.look(config, context)
        if found is not None:
            found.adopted = True
        return found

    async def _act(
        self, action: Action[Any], config: Any, context: ActionContext, secrets: Mapping[str, str]
    ) -> ActionResult:
        """Act; an error that the type did not foresee says nothing about the effect."""
        try:
            return await action.execute(config, context)
        except ActionError:
            raise
        except Exception as error:
            raise _bug(error, secrets, OutcomeUnknownError) from error

    def _prepare(
        self, action: Action[Any], given: ActionInput, secrets: Mapping[str, str]
    ) -> tuple[Any, ActionContext]:
        context = given.context
        try:
            rendered = render_action(
                given.action,
                context,
                self._tools.surroundings,
                targets=action.targets,
                secrets=secrets,
                outputs=given.outputs,
            )
            config = action.config.model_validate(rendered)
        except TemplateError as error:
            raise ActionFailedError(f"A template of this action failed: {error}") from error
        except ValidationError as error:
            raise ActionFailedError(
                f"The rendered configuration is wrong: {_first(error)}"
            ) from error
        return config, ActionContext(
            request=context,
            attempt=given.attempt,
            mark=mark(context.request_id, given.action.id),
            jira=self._tools.jira,
            deadline=Deadline.after(self._tools.action_seconds),
        )

    def _open(self, context: RequestContext) -> dict[str, str]:
        try:
            return open_fields(self._tools.box, context)
        except SecretUnreadableError as error:
            raise ApplicationError(
                str(error),
                {"code": ErrorCode.ACTION_FAILED, "retryable": True},
                type=ActionFailedError.type_name,
                non_retryable=True,
            ) from error


def _bug(error: Exception, secrets: Mapping[str, str], kind: type[ActionError]) -> ActionError:
    """Give an error of our own code as a failure; the log shows where, the text is masked."""
    where = "".join(traceback.format_tb(error.__traceback__))
    _log.error("an action ended by %s, a bug:\n%s", type(error).__name__, where)
    text = hide_secrets(f"{type(error).__name__}: {error}", secrets.values())
    return kind(f"The action could not be carried out, by a fault of PAO: {text}")


def _first(error: ValidationError) -> str:
    problem = error.errors(include_input=False, include_url=False)[0]
    where = ".".join(str(part) for part in problem["loc"])
    return f"{where}: {problem['msg']}"
