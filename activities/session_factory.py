"""Opens executions: fetches secrets, renders templates, validates the configuration."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol
from uuid import NAMESPACE_OID, UUID, uuid5

from activities.action_errors import ActionFailedError
from activities.base import Action, ActionContext, JiraClients
from activities.disclosure import Disclosure, place_of
from activities.former_calls import FormerCalls
from activities.log import ActionLog, LocalSink, LogSink
from activities.options import ActionOptions
from activities.outgoing import Network, Outgoing
from activities.progress import Progress
from activities.session import Session, validated
from activities.state_registry import StateRegistry
from catalog.action_rendering import render_action, render_cleanup, secret_names
from catalog.config_reads import config_reads
from catalog.scopes import ScopeContext
from catalog.secrets import open_fields
from catalog.templating import TemplateError
from pao.clients.jira import Deadline
from pao.clients.secret_store import SecretStore, SecretsUnavailableError
from pao.core.errors import ErrorCode
from pao.core.judgement import BAD_CALL, NOT_READY, NOT_SET
from pao.core.names import mark
from pao.core.payloads.actions import ActionInput, ActionResult, FollowInput
from pao.core.payloads.context import RequestContext
from pao.core.payloads.waits import Pending
from pao.runtime.crypto import SecretBox, SecretUnreadableError
from pao.runtime.masking import SecretMasks


class LogSinks(Protocol):
    """Opens the execution log of one execution."""

    def open(self, given: ActionInput) -> LogSink:
        """Return where the lines of this execution go."""
        ...


@dataclass(frozen=True, slots=True)
class Tools:
    """What the worker hands to executions.

    ``action_seconds`` bounds one execution's calls where neither document nor type says more.
    """

    box: SecretBox
    jira: JiraClients
    surroundings: ScopeContext
    action_seconds: float = 8.0
    options: ActionOptions = field(default_factory=ActionOptions)
    logs: LogSinks | None = None
    network: Network = field(default_factory=Network)
    secrets: SecretStore = field(default_factory=SecretStore)
    states: StateRegistry = field(default_factory=StateRegistry)


class SessionFactory:
    """Opens executions with the tools of a worker."""

    def __init__(self, tools: Tools) -> None:
        self._tools = tools

    def disclosure(self, given: ActionInput) -> Disclosure:
        """Return what masks and seals all that leaves this execution."""
        place = place_of(given.context.request_id, given.action.id)
        return Disclosure(SecretMasks(), self._tools.box, place)

    def cleanup(self, given: ActionInput, result: ActionResult) -> str | None:
        """Return the cleanup that the document writes for an action; None without one."""
        if given.action.cleanup is None:
            return None
        outputs = {**given.outputs, given.action.key: result.outputs}
        surroundings = self._tools.surroundings
        return render_cleanup(given.action.cleanup, given.context, surroundings, outputs=outputs)

    async def open(
        self,
        action: Action[Any],
        given: ActionInput,
        disclosure: Disclosure,
        *,
        progress: Progress | None = None,
        seconds: float | None = None,
    ) -> Session:
        """Open an execution: rendered and validated, with all that it may use."""
        rendered = await self.render(action, given, disclosure.secrets)
        config = validated(action, rendered)
        progress = progress or Progress()
        progress.guard(disclosure.sealed, disclosure.opened)
        earlier = given.pending if isinstance(given, FollowInput) else given.earlier
        context = self._context(
            action,
            given,
            disclosure.secrets,
            progress=progress,
            seconds=seconds,
            earlier=disclosure.pending(earlier) if earlier else None,
        )
        calls = FormerCalls(self._tools.box, given)
        return Session(action, given, config, context, disclosure, rendered, calls)

    async def render(
        self, action: Action[Any], given: ActionInput, secrets: SecretMasks
    ) -> dict[str, Any]:
        """Render an action's configuration; it is not judged yet."""
        opened = self._passwords(given.context)
        named = secret_names(given.action)
        kept = await self._kept(named)
        for value in (*opened.values(), *kept.values()):
            secrets.add(value)
        try:
            # A document's templates may take a while: the other actions of this worker go on.
            return await asyncio.to_thread(
                render_action,
                given.action,
                given.context,
                self._tools.surroundings,
                targets=action.targets,
                secrets=opened,
                kept=kept,
                outputs=given.outputs,
                published=given.published,
                learn=secrets.add,
            )
        except TemplateError as error:
            unset = _unset(named, kept)
            raise ActionFailedError(
                f"A template of this action failed: {error}{unset}",
                judged=NOT_SET if unset else BAD_CALL,
            ) from error

    async def _kept(self, names: list[str]) -> dict[str, str]:
        """Fetch the operator's secrets that the action names, at the moment of use."""
        try:
            return await self._tools.secrets.find(names) if names else {}
        except SecretsUnavailableError as error:
            raise ActionFailedError(
                str(error), code=ErrorCode.EXTERNAL_SERVICE_ERROR, judged=NOT_READY
            ) from error

    def _context(  # noqa: PLR0913 -- what an execution is given, each part named
        self,
        action: Action[Any],
        given: ActionInput,
        secrets: SecretMasks,
        *,
        progress: Progress,
        seconds: float | None,
        earlier: Pending | None,
    ) -> ActionContext:
        tools, request = self._tools, given.context
        allowed = given.action.timeout or action.default_timeout or tools.action_seconds
        deadline = Deadline.after(seconds or allowed)
        sink = tools.logs.open(given) if tools.logs else LocalSink()
        return ActionContext(
            request=request,
            attempt=given.attempt,
            mark=mark(request.request_id, given.action.id, given.moves),
            jira=tools.jira,
            deadline=deadline,
            idempotency_key=idempotency_key(request.request_id, given.action.id, given.moves),
            unclear=given.unclear,
            doubt_since=given.doubt_since,
            earlier=earlier,
            left=tuple(given.partial),
            http=Outgoing(tools.network, deadline, secrets),
            breakers=tools.network.breakers,
            log=ActionLog(sink, secrets),
            progress=progress,
            secrets=secrets,
            options=tools.options,
            states=tools.states,
            action_id=given.action.id,
            reads=partial(
                config_reads, given.action, request, tools.surroundings, tuple(given.outputs)
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


def _unset(named: list[str], kept: Mapping[str, str]) -> str:
    missing = [f"{name} (PAO_SECRET_{name.upper()})" for name in named if name not in kept]
    return f"; the operator has not set the secret {', '.join(missing)}" if missing else ""
