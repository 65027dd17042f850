"""The escalation ticket: created once, even if JIRA refuses a part of it."""

import contextlib
import logging
from dataclasses import KW_ONLY, dataclass, field, replace
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from temporalio import activity

from activities.action_errors import ActionError, ActionFailedError, application_error
from activities.base import JiraClients
from activities.breakers import Breakers
from activities.escalation_text import FILE, SHORT, fit_text, full_text
from activities.heartbeats import heartbeats
from activities.long_texts import one_line
from activities.resets import refuse_after_reset
from activities.search_lag import settles_in
from activities.tickets import action_error
from db.repositories.cleanups import CleanupsRepository
from db.session import Database
from pao.clients.jira import CreatedIssue, Deadline, JiraClient, JiraError, JiraRefusedError
from pao.clients.jira.escalation import EscalationTarget
from pao.core import names
from pao.core.errors import PaoError
from pao.core.failure_classes import NOT_SET
from pao.core.payloads.tickets import Escalation, EscalationInput
from pao.core.timestamps import timestamp

_log = logging.getLogger(__name__)

ACTION_ID = "escalation"
# The next, simpler one is only sent after a refusal.
MOST_CREATIONS = 5


@dataclass(frozen=True, slots=True)
class Escalator:
    """Creates escalation tickets in one project, after looking for an existing one."""

    jira: JiraClients
    _: KW_ONLY
    target: EscalationTarget
    seconds: float = 8.0
    breakers: Breakers = field(default_factory=Breakers)
    database: Database | None = None

    @activity.defn(name=names.ESCALATE_ACTIVITY)
    async def escalate(self, escalation_input: EscalationInput) -> Escalation:
        """Find or create the ticket; raises ApplicationError if neither is possible."""
        refuse_after_reset(escalation_input.run_id)
        escalation_input = await self._add_cleanup_status(escalation_input)
        try:
            async with heartbeats():
                issue = await self._find_or_create(escalation_input)
        except ActionError as error:
            raise application_error(error) from None
        return Escalation(
            ticket_key=issue.key,
            url=issue.url,
            escalated_at=timestamp(datetime.now(UTC)),
            escalated_by=escalation_input.by,
            reason=escalation_input.reason,
        )

    async def _add_cleanup_status(self, escalation_input: EscalationInput) -> EscalationInput:
        """Add to the cleanup entries who has done them; without Postgres, return them unchanged."""
        entries = escalation_input.error_context.get("cleanup") or []
        if self.database is None or not entries:
            return escalation_input
        own = escalation_input.context.request_id
        try:
            async with self.database.reading() as session:
                done = await CleanupsRepository(session).done(
                    {str(one.get("requestId") or own) for one in entries}
                )
        except PaoError as error:
            _log.warning("the cleanups that are done could not be read: %s", error.code)
            return escalation_input
        cleanup = []
        for one in entries:
            row = done.get((str(one.get("requestId") or own), str(one.get("entryId"))))
            text = one.get("instructions")
            if row is not None:
                text = f"Done by {row.done_by}, {timestamp(row.done_at)}: {row.note} (was: {text})"
            cleanup.append({**one, "instructions": text})
        return replace(
            escalation_input, error_context={**escalation_input.error_context, "cleanup": cleanup}
        )

    async def _find_or_create(self, escalation_input: EscalationInput) -> CreatedIssue:
        deadline = Deadline.after(self.seconds)
        mark = names.mark(escalation_input.context.request_id, ACTION_ID)
        try:
            client = self.jira.instance(self.target.instance, self.target.project)
        except LookupError as error:
            raise ActionFailedError(str(error), judged=NOT_SET) from error
        async with self.breakers.guard(client.instance.target):
            return await self._search_then_create(
                client, escalation_input, mark=mark, deadline=deadline
            )

    async def _search_then_create(
        self,
        client: JiraClient,
        escalation_input: EscalationInput,
        *,
        mark: str,
        deadline: Deadline,
    ) -> CreatedIssue:
        context = escalation_input.context
        try:
            found = await client.find_by_label(
                mark,
                settles_in=settles_in(
                    client.instance.index_lag,
                    unclear=escalation_input.tried_before,
                    since=escalation_input.tried_at,
                ),
                correlation_id=context.correlation_id,
                deadline=deadline,
            )
            issue = found or await self._create(
                client, escalation_input, mark=mark, deadline=deadline
            )
        except JiraError as error:
            raise action_error(error) from error
        await self._attach_full_text(client, escalation_input, issue, deadline=deadline)
        return issue

    async def _create(
        self,
        client: JiraClient,
        escalation_input: EscalationInput,
        *,
        mark: str,
        deadline: Deadline,
    ) -> CreatedIssue:
        """Create the ticket; drop or simplify the fields that JIRA refuses."""
        fields = self._fields(escalation_input, mark)
        correlation_id = escalation_input.context.correlation_id
        for _ in range(MOST_CREATIONS - 1):
            try:
                return await client.create_issue(fields, correlation_id, deadline=deadline)
            except JiraRefusedError as refused:
                plainer = await self._simplify_fields(
                    client, escalation_input, fields, refused, deadline=deadline
                )
                if plainer is None:
                    raise
                _log.warning(
                    "the escalation ticket is created without %s, which JIRA refused",
                    ", ".join(sorted(refused.errors)),
                )
                fields = plainer
        return await client.create_issue(fields, correlation_id, deadline=deadline)

    async def _simplify_fields(
        self,
        client: JiraClient,
        escalation_input: EscalationInput,
        fields: dict[str, Any],
        refused: JiraRefusedError,
        *,
        deadline: Deadline,
    ) -> dict[str, Any] | None:
        """Return the fields without the refused ones; None if that does not help."""
        if refused.status != HTTPStatus.BAD_REQUEST:
            return None
        optional = {"priority", *self.target.fields} & fields.keys() & refused.errors.keys()
        plainer = {name: value for name, value in fields.items() if name not in optional}
        if "description" in refused.errors:
            pages = self.target.pages
            plainer["description"] = fit_text(escalation_input, most=SHORT, pages=pages)
        if "issuetype" in refused.errors:
            plainer["issuetype"] = await self._fallback_type(client, fields, deadline=deadline)
        return None if plainer == fields else plainer

    async def _fallback_type(
        self, client: JiraClient, fields: dict[str, Any], *, deadline: Deadline
    ) -> Any:
        """Return a type that the project has; the same one if JIRA does not list them."""
        with contextlib.suppress(JiraError):
            types = await client.issue_types(self.target.project, deadline=deadline)
            usable = [one for one in types if not one.subtask]
            if usable:
                task = next((one for one in usable if one.name.casefold() == "task"), usable[0])
                return {"name": task.name}
        return fields["issuetype"]

    async def _attach_full_text(
        self,
        client: JiraClient,
        escalation_input: EscalationInput,
        issue: CreatedIssue,
        *,
        deadline: Deadline,
    ) -> None:
        """Attach the full text if it was truncated; a failure does not affect the ticket."""
        pages = self.target.pages
        whole = full_text(escalation_input, pages=pages)
        if fit_text(escalation_input, pages=pages) == whole:
            return
        content = whole.encode(errors="replace")
        correlation_id = escalation_input.context.correlation_id
        try:
            known = await client.get_parts(issue.key, correlation_id, deadline=deadline)
            if (FILE, len(content)) in known.attachments:
                return
            file = (FILE, content, "text/plain")
            await client.attach(issue.key, file, correlation_id=correlation_id, deadline=deadline)
        except JiraError as error:
            _log.warning("%s could not be attached to %s: %s", FILE, issue.key, error.message)
            with contextlib.suppress(JiraError):
                await client.add_comment(
                    issue.key,
                    f"{FILE} could not be attached. All of it is in PAO, in the request "
                    f"{escalation_input.context.request_id}.",
                    correlation_id=correlation_id,
                    deadline=deadline,
                )

    def _fields(self, escalation_input: EscalationInput, mark: str) -> dict[str, Any]:
        context, target = escalation_input.context, self.target
        priority = {"priority": {"name": target.priority}} if target.priority else {}
        return {
            **priority,
            **target.fields,
            "project": {"key": target.project},
            "issuetype": {"name": target.issue_type},
            "summary": one_line(f"PAO escalation: {context.subject} for {context.requester.id}"),
            "description": fit_text(escalation_input, pages=self.target.pages),
            "labels": ["pao-escalation", mark],
        }
