"""Opens executions: fetches secrets, renders templates, validates the configuration."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from uuid import NAMESPACE_OID, UUID, uuid5

from activities.action_errors import ActionFailedError
from activities.base import Action, ActionContext, JiraClients
from activities.disclosure import Disclosure, sealing_context
from activities.former_calls import FormerCalls
from activities.log import ActionLog, LocalSink, LogSink
from activities.options import ActionOptions
from activities.outgoing import ActionHttpClient, NetworkAccess
from activities.progress import ActionProgress
from activities.session import ActionSession, validate_config
from activities.state_registry import StateRegistry
from catalog.action_rendering import render_action, render_cleanup
from catalog.config_reads import config_reads
from catalog.scopes import ScopeContext
from catalog.secret_names import secret_names
from catalog.secrets import open_fields
from catalog.templating import TemplateError
from pao.clients.jira import Deadline
from pao.clients.secret_store import SecretStore, SecretsUnavailableError, SecretUnusableError
from pao.core.errors import ErrorCode
from pao.core.failure_classes import BAD_CALL, NOT_READY, NOT_SET
from pao.core.names import mark
from pao.core.payloads.actions import ActionInput, ActionResult, FollowInput
from pao.core.payloads.context import RequestContext
from pao.core.payloads.waits import Pending
from pao.runtime.crypto import SecretBox, SecretUnreadableError
from pao.runtime.masking import SecretMasks

UNNAMED = "this action"


class LogSinks(Protocol):
    """Opens the execution log of one execution."""

    def open(self, action_input: ActionInput) -> LogSink:
        """Return where the lines of this execution go."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What the worker hands to executions.

    ``action_seconds`` bounds one execution's calls where neither document nor type says more.
    """

    box: SecretBox
    jira: JiraClients
    scope_context: ScopeContext
    action_seconds: float = 8.0
    options: ActionOptions = field(default_factory=ActionOptions)
    logs: LogSinks | None = None
    network: NetworkAccess = field(default_factory=NetworkAccess)
    secrets: SecretStore = field(default_factory=SecretStore)
    states: StateRegistry = field(default_factory=StateRegistry)


class SessionFactory:
    """Opens executions with the tools of a worker."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def disclosure(self, action_input: ActionInput) -> Disclosure:
        """Return what masks and seals all that leaves this execution."""
        place = sealing_context(action_input.context.request_id, action_input.action.id)
        return Disclosure(SecretMasks(), self._tools.box, place)

    def cleanup(self, action_input: ActionInput, result: ActionResult) -> str | None:
        """Return the cleanup that the document writes for an action; None without one."""
        if action_input.action.cleanup is None:
            return None
        outputs = {**action_input.outputs, action_input.action.key: result.outputs}
        scope_context = self._tools.scope_context
        return render_cleanup(
            action_input.action.cleanup, action_input.context, scope_context, outputs=outputs
        )

    async def open(  # noqa: PLR0913 -- what an execution is given, each part named
        self,
        action: Action[Any],
        action_input: ActionInput,
        disclosure: Disclosure,
        *,
        progress: ActionProgress | None = None,
        seconds: float | None = None,
        called: str = UNNAMED,
    ) -> ActionSession:
        """Open an execution: rendered and validated, with all that it may use.

        ``called`` is its name for people, if it is not an action.
        """
        rendered = await self.render(action, action_input, disclosure.secrets, called=called)
        config = validate_config(action, rendered)
        progress = progress or ActionProgress()
        progress.guard(disclosure.seal, disclosure.unseal)
        earlier = (
            action_input.pending if isinstance(action_input, FollowInput) else action_input.earlier
        )
        context = self._context(
            action,
            action_input,
            disclosure.secrets,
            progress=progress,
            seconds=seconds,
            earlier=disclosure.restore_pending(earlier) if earlier else None,
        )
        calls = FormerCalls(self._tools.box, action_input)
        return ActionSession(action, action_input, config, context, disclosure, rendered, calls)

    async def render(
        self,
        action: Action[Any],
        action_input: ActionInput,
        secrets: SecretMasks,
        *,
        called: str = UNNAMED,
    ) -> dict[str, Any]:
        """Render an action's configuration, without validating it."""
        opened = self._passwords(action_input.context)
        named = secret_names(action_input.action.config)
        kept = await self._fetch_secrets(named)
        for value in (*opened.values(), *kept.values()):
            secrets.add(value)
        try:
            # In a thread: a document's templates may take a while.
            return await asyncio.to_thread(
                render_action,
                action_input.action,
                action_input.context,
                self._tools.scope_context,
                targets=action.targets,
                secrets=opened,
                kept=kept,
                outputs=action_input.outputs,
                published=action_input.published,
                learn=secrets.add,
            )
        except TemplateError as error:
            unset = _missing_secrets(named, kept)
            raise ActionFailedError(
                _template_problem(called, error, unset), judged=NOT_SET if unset else BAD_CALL
            ) from error

    async def _fetch_secrets(self, names: list[str]) -> dict[str, str]:
        """Fetch the operator's secrets that the action names, at the moment of use."""
        try:
            return await self._tools.secrets.find(names) if names else {}
        except SecretUnusableError as error:
            raise ActionFailedError(str(error), judged=NOT_SET) from error
        except SecretsUnavailableError as error:
            raise ActionFailedError(
                str(error), code=ErrorCode.EXTERNAL_SERVICE_ERROR, judged=NOT_READY
            ) from error

    def _context(  # noqa: PLR0913 -- what an execution is given, each part named
        self,
        action: Action[Any],
        action_input: ActionInput,
        secrets: SecretMasks,
        *,
        progress: ActionProgress,
        seconds: float | None,
        earlier: Pending | None,
    ) -> ActionContext:
        tools, request = self._tools, action_input.context
        allowed = action_input.action.timeout or action.default_timeout or tools.action_seconds
        deadline = Deadline.after(seconds or allowed)
        sink = tools.logs.open(action_input) if tools.logs else LocalSink()
        return ActionContext(
            request=request,
            attempt=action_input.attempt,
            mark=mark(request.request_id, action_input.action.id, action_input.moves),
            jira=tools.jira,
            deadline=deadline,
            idempotency_key=idempotency_key(
                request.request_id, action_input.action.id, action_input.moves
            ),
            unclear=action_input.unclear,
            doubt_since=action_input.doubt_since,
            earlier=earlier,
            left=tuple(action_input.partial),
            http=ActionHttpClient(tools.network, deadline, secrets),
            breakers=tools.network.breakers,
            log=ActionLog(sink, secrets),
            progress=progress,
            secrets=secrets,
            options=tools.options,
            states=tools.states,
            action_id=action_input.action.id,
            reads=partial(
                config_reads,
                action_input.action,
                request,
                tools.scope_context,
                tuple(action_input.outputs),
            ),
        )

    def _passwords(self, context: RequestContext) -> dict[str, str]:
        try:
            return open_fields(self._tools.box, context)
        except SecretUnreadableError as error:
            raise ActionFailedError(str(error), retryable=True, judged=NOT_SET) from error


def idempotency_key(request_id: str, action_id: str, moves: int = 0) -> str:
    """Return an action's idempotency key, the same on every attempt."""
    if moves:
        action_id = f"{action_id}\n{moves}"
    try:
        namespace = UUID(request_id)
    except ValueError:
        namespace = uuid5(NAMESPACE_OID, request_id)
    return str(uuid5(namespace, action_id))


def _missing_secrets(named: list[str], kept: Mapping[str, str]) -> str:
    missing = [f"{name} (PAO_SECRET_{name.upper()})" for name in named if name not in kept]
    return f"the operator has not set the secret {', '.join(missing)}" if missing else ""


def _template_problem(called: str, error: TemplateError, unset: str) -> str:
    if unset and error.message.startswith("secrets"):
        return f"A secret of {called} is missing: {unset}"
    return f"A template of {called} failed: {error}" + (f"; {unset}" if unset else "")
