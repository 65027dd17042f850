"""Executes an action without Temporal, with a network that reaches this machine."""

from collections.abc import Mapping
from typing import Any

from activities.base import Action
from activities.breakers import Breakers
from activities.configuration_validators import action_models
from activities.execution import Executor
from activities.outgoing import NetworkAccess
from activities.session_factory import Tools
from catalog.configuration_checks import ValueProblem, check_configurations
from catalog.document_kinds import parse_definition
from catalog.scopes import ScopeContext
from pao.clients.jira.instances import JiraInstances
from pao.clients.outgoing import ConnectionOptions, EgressRules, HttpClient
from pao.clients.secret_store import EnvironmentSecrets, SecretStore
from pao.core.payloads.actions import ActionInput, ActionResult, FollowInput
from pao.core.payloads.waits import Pending
from pao.runtime.crypto import SecretBox, generate_key
from tests.support.requests import Request, new_request, ticket

BOX = SecretBox(f"k1:{generate_key()}")


def loopback_network(**rules: Any) -> NetworkAccess:
    """Return a network that may call this machine."""
    allow = rules.get("allow", ("127.0.0.0/8",))
    return NetworkAccess(
        client=HttpClient(ConnectionOptions(rules=EgressRules.parse(allow))),
        breakers=rules.get("breakers") or Breakers(),
    )


class ActionRunner:
    """Executes one action type, as a worker would."""

    def __init__(
        self,
        action: Action[Any],
        *,
        secrets: Mapping[str, str] | None = None,
        jira: JiraInstances | None = None,
        **more: Any,
    ) -> None:
        self.action = action
        self.network = more.pop("network", None) or loopback_network()
        environ = {f"PAO_SECRET_{name.upper()}": value for name, value in (secrets or {}).items()}
        self.tools = Tools(
            box=BOX,
            jira=jira or JiraInstances([]),
            scope_context=ScopeContext(),
            network=self.network,
            secrets=SecretStore([EnvironmentSecrets(environ)]),
            **more,
        )
        self.executor = Executor({action.type: action}, self.tools)

    def request(self, config: Mapping[str, Any], **fields: Any) -> Request:
        """Return a request for the action with this configuration."""
        made = new_request(ticket("act"), box=BOX, **fields)
        made.plan[0].type, made.plan[0].config = self.action.type, dict(config)
        return made

    async def execute(self, request: Request, **more: Any) -> ActionResult:
        """Run one attempt."""
        given = ActionInput(context=request.context, action=request.plan[0], **more)
        return await self.executor.execute(self.action, given)

    async def again(self, request: Request, *, unclear: bool = True) -> ActionResult:
        """Run a second attempt, which looks first."""
        return await self.execute(request, attempt=2, look_first=True, unclear=unclear)

    async def look(self, request: Request, **more: Any) -> Any:
        """Look, as for a person who decides."""
        given = ActionInput(context=request.context, action=request.plan[0], **more)
        return await self.executor.look(given)

    async def follow(self, request: Request, pending: Pending) -> ActionResult:
        """Wait until the target is done."""
        given = FollowInput(context=request.context, action=request.plan[0], pending=pending)
        return await self.executor.follow(given, seconds=30)

    async def close(self) -> None:
        """Close the network."""
        await self.network.client.close()


def validate_config(
    action: Action[Any], config: Mapping[str, Any], **fields: Any
) -> list[ValueProblem]:
    """Return the problems of the action's configuration in a submission with these fields."""
    request = ActionRunner(action).request(config, **fields)
    return check_configurations(
        parse_definition(request.context.item.definition),
        request.plan,
        request.context,
        action_models({action.type: action}, ScopeContext()),
        secrets={},
    )
