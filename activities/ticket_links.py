"""Links the tickets of a bundle's components; checks first, so it can be repeated."""

from collections.abc import Sequence
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from temporalio import activity

from activities.action_errors import ActionError, ActionFailedError, application_error
from activities.breakers import Breakers
from activities.heartbeats import heartbeats
from activities.long_texts import one_line
from activities.search_lag import settles_in
from activities.tickets import action_error, cleanup, partial_ticket
from pao.clients.jira import CreatedIssue, Deadline, JiraClient, JiraError
from pao.clients.jira.instances import JiraInstances, TicketReference
from pao.core import names
from pao.core.components import TICKET_LINKS
from pao.core.failure_classes import NOT_SET
from pao.core.payloads.actions import ActionInput, ActionResult

RELATES = "Relates"
TicketDocument = dict[str, Any]


@dataclass(frozen=True, slots=True)
class TicketLinker:
    """Creates missing links, and a parent ticket where one is configured."""

    jira: JiraInstances
    _: KW_ONLY
    seconds: float = 8.0
    breakers: Breakers = field(default_factory=Breakers)

    @activity.defn(name=TICKET_LINKS)
    async def link(self, action_input: ActionInput) -> ActionResult:
        """Create the missing links; raises ApplicationError if JIRA refuses."""
        try:
            async with heartbeats():
                return await self._link(action_input, Deadline.after(self.seconds))
        except ActionError as error:
            raise application_error(error) from None

    async def _link(self, action_input: ActionInput, deadline: Deadline) -> ActionResult:
        config = action_input.action.config
        kind = _link_type(str(config.get("linkType") or "blocks"))
        tickets = {key: _first_ticket(one) for key, one in action_input.context.components.items()}
        made = 0
        for earlier, later in config.get("pairs") or ():
            first, second = tickets.get(earlier), tickets.get(later)
            if first and second:
                made += await self._link_pair(
                    first, second, kind, action_input=action_input, deadline=deadline
                )
        if not config.get("parentTicket"):
            return ActionResult(outputs={"links": made})
        return await self._link_to_parent(
            [one for one in tickets.values() if one], action_input, deadline
        )

    async def _link_pair(
        self,
        earlier: TicketDocument,
        later: TicketDocument,
        kind: str,
        *,
        action_input: ActionInput,
        deadline: Deadline,
    ) -> int:
        """Link two tickets unless they are linked; return how many links were created.

        Tickets of two JIRAs cannot be linked.
        """
        client = self._client(earlier)
        if client is not self._client(later):
            return 0
        correlation_id = action_input.context.correlation_id
        async with self.breakers.guard(client.instance.target):
            try:
                known = await client.get_parts(earlier["key"], correlation_id, deadline=deadline)
                if (kind.casefold(), later["key"]) in known.links:
                    return 0
                await client.link_issues(
                    earlier["key"],
                    later["key"],
                    link_type=kind,
                    correlation_id=correlation_id,
                    deadline=deadline,
                )
            except JiraError as error:
                raise action_error(error) from error
        return 1

    async def _link_to_parent(
        self, tickets: Sequence[TicketDocument], action_input: ActionInput, deadline: Deadline
    ) -> ActionResult:
        """Find or create the parent ticket, and link it to each component's ticket."""
        try:
            client = self._client(tickets[0]) if tickets else self.jira.instance(None)
        except LookupError as error:
            raise ActionFailedError(str(error), judged=NOT_SET) from error
        issue = await self._find_or_create(client, action_input, deadline)
        top = {"key": issue.key, "url": issue.url}
        try:
            for ticket in tickets:
                await self._link_pair(
                    top, ticket, RELATES, action_input=action_input, deadline=deadline
                )
        except ActionError as error:
            error.partial = (partial_ticket(issue.key, issue.url), *error.partial)
            raise
        return ActionResult(
            outputs={"key": issue.key, "id": issue.id, "url": issue.url},
            external_reference=issue.key,
            url=issue.url,
            cleanup=cleanup(issue.key, issue.url),
            resource_type="jira-ticket",
        )

    async def _find_or_create(
        self, client: JiraClient, action_input: ActionInput, deadline: Deadline
    ) -> CreatedIssue:
        context = action_input.context
        mark = names.mark(context.request_id, action_input.action.id)
        unclear = action_input.look_first and action_input.unclear
        lag = client.instance.index_lag
        async with self.breakers.guard(client.instance.target):
            try:
                found = await client.find_by_label(
                    mark,
                    settles_in=settles_in(lag, unclear=unclear, since=action_input.doubt_since),
                    correlation_id=context.correlation_id,
                    deadline=deadline,
                )
                if found is not None:
                    return found
                fields = _fields(client, action_input, mark)
                return await client.create_issue(fields, context.correlation_id, deadline=deadline)
            except JiraError as error:
                raise action_error(error) from error

    def _client(self, ticket: TicketDocument) -> JiraClient:
        try:
            return self.jira.for_ticket(TicketReference(ticket["key"], ticket.get("url")))
        except LookupError as error:
            raise ActionFailedError(str(error), judged=NOT_SET) from error


def _first_ticket(component: dict[str, Any]) -> TicketDocument | None:
    tickets = component.get("tickets") or []
    return tickets[0] if tickets else None


def _link_type(name: str) -> str:
    """Return JIRA's name of a link type; documents also write it as ``blocks``."""
    return "Blocks" if name.casefold() == "blocks" else name


def _fields(client: JiraClient, action_input: ActionInput, mark: str) -> dict[str, Any]:
    context = action_input.context
    return {
        "project": {"key": client.instance.default_project},
        "issuetype": {"name": "Task"},
        "summary": one_line(f"{context.subject} for {context.requester.id}"),
        "description": "The tickets of this bundle's components are linked to this one.\n\n----\n"
        f"PAO request {context.request_id}, correlation id {context.correlation_id}",
        "labels": [mark],
    }
