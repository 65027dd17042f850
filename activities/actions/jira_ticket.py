"""The action type jira-ticket: one JIRA ticket, identified by its label."""

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, ClassVar

from activities.action_errors import ActionFailedError, NothingToAdoptError
from activities.actions.jira_ticket_config import (
    JiraTicketConfig,
    JiraTicketOutputs,
    TicketTemplate,
)
from activities.base import Action, ActionContext
from activities.long_texts import (
    add_files,
    fit_custom,
    fit_description,
    fit_summary,
    may_exceed_line,
    one_line,
)
from activities.tickets import (
    FilePart,
    LinkPart,
    WantedParts,
    cleanup,
    complete,
    corrected_names,
    partial_ticket,
    raise_action_error,
)
from catalog.templating import Escaping, jira_escape
from pao.clients.jira import CreatedIssue, JiraClient, JiraError, JiraFlavour, TicketStatus
from pao.clients.jira.limits import LINE_LIMIT, first_units
from pao.clients.jira.texts import RICH_FIELDS
from pao.core.failure_classes import BAD_CALL, NOT_SET
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.waits import Pending


class JiraTicketAction(Action[JiraTicketConfig]):
    """Creates one ticket, identified by a label derived from request and action."""

    type = "jira-ticket"
    summary = "Creates a JIRA ticket for people to fulfil."
    resource_type = "jira-ticket"
    config = JiraTicketConfig
    outputs = JiraTicketOutputs
    targets: ClassVar[Mapping[str, Escaping]] = {
        "ticket.descriptionTemplate": Escaping.JIRA,
        **{f"ticket.customFields.{name}": Escaping.JIRA for name in RICH_FIELDS},
    }
    can_revise = True
    examples = (
        {
            "ticket": {
                "project": "DB",
                "summaryTemplate": "PostgreSQL {{fields.instanceName}}",
                "descriptionTemplate": "*Size:* {{fields.storageSize}} GB",
            }
        },
        {
            "instance": "default",
            "ticket": {
                "project": "PLATFORM",
                "issueType": "Story",
                "summaryTemplate": "Namespace for {{request.user.email}}",
                "priority": "High",
                "labels": ["namespace"],
                "attachments": [
                    {"name": "fields.txt", "contentTemplate": "{{fields.namespace}}"},
                ],
            },
            "waitFor": "resolved",
        },
    )

    async def look(self, config: JiraTicketConfig, context: ActionContext) -> ActionResult | None:
        """Search for the label in the whole instance, so that a moved ticket is found."""
        client = _client(config, context)
        correlation_id, deadline = context.request.correlation_id, context.deadline
        try:
            issue = await client.find_by_label(
                context.mark,
                settles_in=context.settles_in(client.instance.index_lag),
                correlation_id=correlation_id,
                deadline=deadline,
            )
            if issue is None:
                _require_no_earlier_ticket(context)
                return None
            if config.wait_for == "created":
                return context.left_beside(_result(issue))
            status = await client.get_status(issue.key, correlation_id, deadline=deadline)
        except JiraError as error:
            raise_action_error(error)
        found = (
            _resolved_result(issue, status) if status.resolved else _waiting_result(issue, client)
        )
        return context.left_beside(found)

    async def execute(self, config: JiraTicketConfig, context: ActionContext) -> ActionResult:
        """Create the ticket with its label, then attachments and links."""
        client = _client(config, context)
        lines = await _text_lines(config.ticket, context, client)
        wanted = _wanted_files(config.ticket, context, lines)
        try:
            issue = await client.create_issue(
                issue_fields(config.ticket, context, client, lines)
                | await _epic_fields(config.ticket, context, client),
                context.request.correlation_id,
                deadline=context.deadline,
            )
        except JiraError as error:
            raise_action_error(error)
        await complete(
            client, _wanted_parts(issue.key, issue.url, config, wanted), context, fresh=True
        )
        waits = config.wait_for != "created"
        return context.left_beside(_waiting_result(issue, client) if waits else _result(issue))

    async def complete(
        self, config: JiraTicketConfig, context: ActionContext, found: ActionResult
    ) -> ActionResult:
        """Add the attachments and links that an earlier attempt did not reach."""
        key, url = str(found.outputs["key"]), str(found.outputs["url"])
        client = _client(config, context)
        lines = await _text_lines(config.ticket, context, client)
        wanted = _wanted_parts(key, url, config, _wanted_files(config.ticket, context, lines))
        await complete(client, wanted, context)
        return found

    async def revise(
        self,
        config: JiraTicketConfig,
        context: ActionContext,
        found: ActionResult | None,
        former: JiraTicketConfig,
    ) -> ActionResult:
        """Edit what differs, explain it in a comment, and add missing parts."""
        if found is None:
            return await self.execute(config, context)
        client, key, url = _client(config, context), found.outputs["key"], found.outputs["url"]
        changes = await _changed_fields(config, former, context, client)
        files, before = [
            _wanted_files(one.ticket, context, await _text_lines(one.ticket, context, client))
            for one in (config, former)
        ]
        renamed = corrected_names(files, before)
        correlation_id, deadline = context.request.correlation_id, context.deadline
        try:
            if changes:
                await client.edit_issue(
                    key, changes, correlation_id=correlation_id, deadline=deadline
                )
            if changes or renamed:
                await client.add_comment(
                    key,
                    _correction_comment(config, former, changes, renamed),
                    correlation_id=correlation_id,
                    deadline=deadline,
                )
        except JiraError as error:
            raise_action_error(error)
        await context.log.info("The ticket was changed.", data={"fields": sorted(changes)})
        files = tuple(replace(one, name=renamed.get(one.name, one.name)) for one in files)
        await complete(client, _wanted_parts(key, url, config, files), context)
        return replace(found, adopted=True)

    def place(self, config: JiraTicketConfig) -> str:
        """Return the instance and the project."""
        instance = f'JIRA "{config.instance}"' if config.instance else "JIRA"
        return f"{instance}, project {config.ticket.project or 'the default project'}"

    def from_evidence(self, config: JiraTicketConfig, outputs: dict[str, Any]) -> ActionResult:
        """Return the ticket that a person has seen."""
        result = super().from_evidence(config, outputs)
        return replace(result, external_reference=outputs["key"], url=outputs["url"])

    def breaker(self, config: JiraTicketConfig, context: ActionContext) -> str:
        """Return the instance: what fails on one says nothing about another."""
        return _client(config, context).instance.target

    def cleanup(self, result: ActionResult) -> str:
        """Return what to do with the ticket when the request is abandoned."""
        return cleanup(result.external_reference, result.url)


def issue_fields(
    ticket: TicketTemplate, context: ActionContext, client: JiraClient, lines: Collection[str] = ()
) -> dict[str, Any]:
    """Return the ticket in JIRA's own field names, marked with this action's label.

    ``lines`` are the custom fields that hold a single line.
    """
    custom, _ = fit_custom(ticket.custom_fields, lines)
    fields: dict[str, Any] = {
        "project": {"key": ticket.project or client.instance.default_project},
        "issuetype": {"name": ticket.issue_type},
        "summary": fit_summary(ticket.summary_template).shown,
        "description": fit_description(ticket.description_template, _footer(context)).shown,
        "labels": [*map(_normalize_label, ticket.labels), context.mark],
    }
    if ticket.priority:
        fields["priority"] = {"name": ticket.priority}
    if ticket.components:
        fields["components"] = [{"name": name} for name in ticket.components]
    if ticket.assignee:
        cloud = client.instance.flavour == JiraFlavour.CLOUD
        fields["assignee"] = {"accountId" if cloud else "name": ticket.assignee}
    return fields | custom


async def _changed_fields(
    config: JiraTicketConfig,
    former: JiraTicketConfig,
    context: ActionContext,
    client: JiraClient,
) -> dict[str, Any]:
    """Return JIRA's fields whose values have changed; None empties one."""
    wanted, made = [
        issue_fields(one.ticket, context, client, await _text_lines(one.ticket, context, client))
        | await _epic_fields(one.ticket, context, client)
        for one in (config, former)
    ]
    names = [*wanted, *(name for name in made if name not in wanted)]
    return {name: wanted.get(name) for name in names if wanted.get(name) != made.get(name)}


def _correction_comment(
    config: JiraTicketConfig,
    former: JiraTicketConfig,
    changes: Mapping[str, Any],
    renamed: Mapping[str, str],
) -> str:
    before, after = (one_line(one.ticket.summary_template) for one in (former, config))
    corrected = ", ".join([*sorted(changes), *map(jira_escape, renamed)])
    lines = [f"PAO has corrected this ticket: {corrected}."]
    lines += [
        f"If {jira_escape(old)} is attached, {jira_escape(new)} replaces it."
        for old, new in renamed.items()
    ]
    if before != after:
        lines.append(f"Summary before: {jira_escape(before)}")
    return "\n".join(lines)


def _normalize_label(text: str) -> str:
    return first_units("-".join(text.split()), LINE_LIMIT)


def _client(config: JiraTicketConfig, context: ActionContext) -> JiraClient:
    try:
        return context.jira.instance(config.instance, config.ticket.project)
    except LookupError as error:
        raise ActionFailedError(str(error), judged=NOT_SET) from error


async def _epic_fields(
    ticket: TicketTemplate, context: ActionContext, client: JiraClient
) -> dict[str, Any]:
    if not ticket.epic_key:
        return {}
    try:
        return await client.epic_fields(
            ticket.epic_key, context.request.correlation_id, deadline=context.deadline
        )
    except LookupError as error:
        raise ActionFailedError(str(error), judged=BAD_CALL) from error


async def _text_lines(
    ticket: TicketTemplate, context: ActionContext, client: JiraClient
) -> Collection[str]:
    """Return the custom fields that hold a single line, if a text is too long for one."""
    if not may_exceed_line(ticket.custom_fields):
        return ()
    try:
        return await client.text_lines(
            correlation_id=context.request.correlation_id, deadline=context.deadline
        )
    except JiraError as error:
        raise_action_error(error)


def _footer(context: ActionContext) -> str:
    """Return the lines that end every description."""
    request = context.request
    text = f"----\nPAO request {request.request_id}, correlation id {request.correlation_id}"
    pages = context.options.pages
    return f"{text}\n{pages}/requests/{request.request_id}" if pages else text


def _wanted_files(
    ticket: TicketTemplate, context: ActionContext, lines: Collection[str]
) -> tuple[FilePart, ...]:
    """Return the files to attach: those of the ticket, and what is too long for its fields."""
    own = tuple(file for one in ticket.attachments if (file := one.file()) is not None)
    _, custom = fit_custom(ticket.custom_fields, lines)
    described = fit_description(ticket.description_template, _footer(context)).file
    return add_files(own, [fit_summary(ticket.summary_template).file, described, *custom])


def _wanted_parts(
    key: str, url: str, config: JiraTicketConfig, files: tuple[FilePart, ...]
) -> WantedParts:
    links = tuple(LinkPart(link.key, link.type) for link in config.ticket.links)
    return WantedParts(key, url, files, links)


def _require_no_earlier_ticket(context: ActionContext) -> None:
    """Raise if an earlier attempt has opened a ticket: the search may just not show it."""
    if context.left:
        named = ", ".join(one.id or one.type for one in context.left)
        raise NothingToAdoptError(
            f"No ticket was found, although an earlier attempt had opened {named}. A retry opens "
            "another one.",
            partial=context.left,
        )


def _result(issue: CreatedIssue) -> ActionResult:
    return ActionResult(
        outputs={"key": issue.key, "id": issue.id, "url": issue.url},
        external_reference=issue.key,
        url=issue.url,
    )


def _waiting_result(issue: CreatedIssue, client: JiraClient) -> ActionResult:
    state = {"instance": client.instance.name, "key": issue.key, "url": issue.url}
    return replace(_result(issue), pending=Pending("resolution", state))


def _resolved_result(issue: CreatedIssue, status: TicketStatus) -> ActionResult:
    """Return the result of a resolved ticket; raises if it was resolved as not done."""
    if status.refused:
        raise ActionFailedError(
            f"Ticket {issue.key} was resolved as {status.resolution or status.status}: what it "
            "asked for will not be done. Reopen it in JIRA and retry, or abort the request.",
            partial=(partial_ticket(issue.key, issue.url),),
            refused=True,
        )
    result = _result(issue)
    more = {"status": status.status, "resolution": status.resolution}
    return replace(result, outputs=result.outputs | more)


ACTION = JiraTicketAction()
