"""For the tests of a package with an action type: executes it as a worker would, without Temporal.

Secrets and templates are rendered, addresses judged, texts masked as in a real execution; only this
machine can be reached. docs/adding-an-action.md shows a test.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self
from uuid import uuid4

from activities.base import Action
from activities.execution import Executor
from activities.outgoing import NetworkAccess
from activities.session_factory import Tools
from catalog.scopes import ScopeContext
from pao.clients.jira.instances import JiraInstances
from pao.clients.outgoing import ConnectionOptions, EgressRules, HttpClient
from pao.clients.secret_store import EnvironmentSecrets, SecretStore
from pao.core.payloads.actions import ActionInput, ActionResult, LookResult
from pao.core.payloads.context import ItemSnapshot, RequestContext, Requester
from pao.core.payloads.plan import PlannedAction
from pao.core.timestamps import timestamp
from pao.runtime.crypto import SecretBox, generate_key

__all__ = ["ActionHarness"]


class ActionHarness:
    """One request with one action of the type; ``async with`` closes its connections.

    A failure is raised as Temporal would be told it: its ``type`` is ``ActionFailed`` or
    ``OutcomeUnknown``, its text is the message for people.
    """

    def __init__(
        self,
        action: Action[Any],
        config: Mapping[str, Any],
        *,
        fields: Mapping[str, Any] | None = None,
        secrets: Mapping[str, str] | None = None,
    ) -> None:
        self._action = action
        planned = PlannedAction("act", 0, action.type, action.summary, config=dict(config))
        self._given = ActionInput(context=_context(planned, fields or {}), action=planned)
        rules = EgressRules.parse(["127.0.0.0/8", "::1"])
        self._client = HttpClient(ConnectionOptions(rules=rules))
        environ = {f"PAO_SECRET_{name.upper()}": value for name, value in (secrets or {}).items()}
        tools = Tools(
            box=SecretBox(f"k1:{generate_key()}"),
            jira=JiraInstances([]),
            scope_context=ScopeContext(),
            network=NetworkAccess(client=self._client),
            secrets=SecretStore([EnvironmentSecrets(environ)]),
        )
        self._executor = Executor({action.type: action}, tools)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._client.close()

    async def execute(self) -> ActionResult:
        """Run the first attempt."""
        return await self._executor.execute(self._action, self._given)

    async def retry(self) -> ActionResult:
        """Run an attempt after one whose outcome is not known: it looks first."""
        given = replace(self._given, attempt=2, look_first=True, unclear=True)
        return await self._executor.execute(self._action, given)

    async def look(self) -> LookResult:
        """Look, as a person does before a decision."""
        return await self._executor.look(self._given)


def _context(planned: PlannedAction, fields: Mapping[str, Any]) -> RequestContext:
    definition = _item(planned, fields)
    return RequestContext(
        request_id=str(uuid4()),
        correlation_id=str(uuid4()),
        submitted_at=timestamp(datetime.now(UTC)),
        item=ItemSnapshot(id="trial", version="1.0.0", name="ActionHarness", definition=definition),
        requester=Requester(id="dana"),
        fields=dict(fields),
    )


def _item(planned: PlannedAction, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the document of an item with this one action; templates are judged by its fields."""
    asked = [{"id": name, "name": name, "type": _kind(value)} for name, value in fields.items()]
    asked = asked or [{"id": "nothing", "name": "Nothing", "type": "string"}]
    return {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": {
            "id": "trial",
            "name": "ActionHarness",
            "version": "1.0.0",
            "category": "trial",
            "owner": {"team": "team-trial"},
        },
        "presentation": {"form": {"groups": [{"id": "main", "name": "Main", "fields": asked}]}},
        "fulfillment": {
            "strategy": {"mode": "automatic"},
            "automatic": {"actions": [{"id": planned.id, "type": planned.type}]},
        },
    }


def _kind(value: object) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number"}
    return kinds.get(type(value), "string")
