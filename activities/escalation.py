"""The escalation ticket: everything a human needs, rendered from the failure context."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from temporalio import activity

from activities.base import JiraClients
from activities.breakers import Breakers
from activities.errors import ActionError, ActionFailedError, told_to_temporal
from activities.heartbeats import heartbeats
from activities.resets import refuse_after_reset
from activities.tickets import told
from catalog.templating import jira_escape
from pao.clients.jira import CreatedIssue, Deadline, JiraClient, JiraError
from pao.core import names
from pao.core.judgement import NOT_SET
from pao.core.payloads import Escalation, EscalationInput, timestamp

ACTION_ID = "escalation"
SUMMARY_LIMIT = 255
# A search index may lag behind a ticket that an earlier try has made.
INDEX_LAG_SECONDS = 1.0


class Escalator:
    """Creates escalation tickets in one project; looks for each before it creates it."""

    def __init__(
        self,
        jira: JiraClients,
        *,
        project: str,
        instance: str | None = None,
        action_seconds: float = 8.0,
        breakers: Breakers | None = None,
    ) -> None:
        self._jira = jira
        self._breakers = breakers or Breakers()
        self._instance = instance
        self._project = project
        self._seconds = action_seconds

    def activities(self) -> list[Callable[..., Any]]:
        """Give the escalation activity."""

        @activity.defn(name=names.ESCALATE_ACTIVITY)
        async def escalate(given: EscalationInput) -> Escalation:
            refuse_after_reset(given.run_id)
            async with heartbeats():
                return await self.escalate(given)

        return [escalate]

    async def escalate(self, given: EscalationInput) -> Escalation:
        """Find or create the ticket; raises what Temporal is told when neither is possible."""
        try:
            issue = await self._find_or_create(given)
        except ActionError as error:
            raise told_to_temporal(error) from None
        return Escalation(
            ticket_key=issue.key,
            url=issue.url,
            escalated_at=timestamp(datetime.now(UTC)),
            escalated_by=given.by,
            reason=given.reason,
        )

    async def _find_or_create(self, given: EscalationInput) -> CreatedIssue:
        deadline = Deadline.after(self._seconds)
        mark = names.mark(given.context.request_id, ACTION_ID)
        try:
            client = self._jira.instance(self._instance, self._project)
        except LookupError as error:
            raise ActionFailedError(str(error), judged=NOT_SET) from error
        async with self._breakers.guard(f"jira:{client.instance.name}"):
            return await self._ask(client, given, mark=mark, deadline=deadline)

    async def _ask(
        self, client: JiraClient, given: EscalationInput, *, mark: str, deadline: Deadline
    ) -> CreatedIssue:
        context = given.context
        try:
            found = await client.find_by_label(
                mark,
                lag_seconds=INDEX_LAG_SECONDS if given.tried_before else 0,
                correlation_id=context.correlation_id,
                deadline=deadline,
            )
            return found or await client.create_issue(
                self._fields(given, mark), context.correlation_id, deadline=deadline
            )
        except JiraError as error:
            raise told(error) from error

    def _fields(self, given: EscalationInput, mark: str) -> dict[str, Any]:
        item = given.context.item
        summary = f"PAO escalation: {item.name} for {given.context.requester.id}"
        return {
            "project": {"key": self._project},
            "issuetype": {"name": "Incident"},
            "priority": {"name": "High"},
            "summary": " ".join(summary.split())[:SUMMARY_LIMIT],
            "description": describe(given),
            "labels": ["pao-escalation", mark],
        }


def describe(given: EscalationInput) -> str:
    """Write the ticket's text in wiki markup; values are escaped, secrets are masked already."""
    parts = [
        _request_part(given),
        *([_components_part(given.components)] if given.components else []),
        _actions_part(given),
        _error_part(given.error_context.get("error") or {}),
        _cleanup_part(given.error_context.get("cleanup") or []),
        _data_part(_data(given)),
    ]
    return "\n\n".join(parts)


def _request_part(given: EscalationInput) -> str:
    context = given.context
    rows = {
        "Request": context.request_id,
        "Item": f"{context.item.name} ({context.item.id} {context.item.version})",
        "Requester": context.requester.email or context.requester.id,
        "Submitted": context.submitted_at,
        "Correlation id": context.correlation_id,
        "Workflow": names.workflow_id(context.request_id),
        "Escalated by": given.by,
        "Reason": given.reason or "(none given)",
    }
    lines = [f"||{title}|{jira_escape(value)}|" for title, value in rows.items()]
    return "\n".join(["h2. Request", *lines])


def _actions_part(given: EscalationInput) -> str:
    lines = ["h2. Actions", "||Action||Status||Attempts||Resource||"]
    for state in given.actions:
        made = {"id": state.external_reference, "type": "address", "url": state.url}
        resource = _resource(made) if state.external_reference or state.url else "none"
        lines.append(f"|{jira_escape(state.name)}|{state.status}|{state.attempt}|{resource}|")
    return "\n".join(lines)


def _components_part(components: list[dict[str, Any]]) -> str:
    lines = ["h2. Components", "||Component||Item||Status||Request||Resources||"]
    for one in components:
        made = [_resource(resource) for resource in one.get("resources") or []]
        cells = [str(one.get(key) or "") for key in ("name", "item", "status", "requestId")]
        shown = "|".join(jira_escape(cell) for cell in cells)
        lines.append(f"|{shown}|{', '.join(made) or 'none'}|")
    return "\n".join(lines)


def _resource(resource: dict[str, Any]) -> str:
    name = jira_escape(str(resource.get("id") or resource.get("type")))
    return f"[{name}|{resource['url']}]" if resource.get("url") else name


def _data(given: EscalationInput) -> dict[str, Any]:
    """Give the data block: of a bundle also what failed, and each component with its resources."""
    request = given.error_context.get("request") or {}
    if not given.components:
        return request
    return {
        "bundle": {**request, "requestId": given.context.request_id},
        "failure": {
            "error": given.error_context.get("error"),
            "components": given.error_context.get("failedComponents"),
        },
        "components": {one["id"]: one for one in given.components},
    }


def _error_part(error: dict[str, Any]) -> str:
    unknown = "yes: look before anything is made again" if error.get("outcomeUnknown") else "no"
    return "\n".join(
        [
            "h2. Error",
            f"*Code:* {error.get('code')}",
            f"*HTTP status:* {error.get('httpStatus') or 'none'}",
            f"*Outcome unknown:* {unknown}",
            jira_escape(str(error.get("message") or "")),
        ]
    )


def _cleanup_part(entries: list[dict[str, Any]]) -> str:
    lines = [f"* {jira_escape(str(entry.get('instructions')))}" for entry in entries]
    return "\n".join(["h2. Cleanup required", *(lines or ["Nothing was created."])])


def _data_part(request: dict[str, Any]) -> str:
    text = json.dumps(request, indent=2, ensure_ascii=False).replace("{code", "\\u007bcode")
    return f"h2. Original request\n{{code:json}}\n{text}\n{{code}}"
