"""The action type jira-ticket: one JIRA ticket, found again by its label."""

import base64
import mimetypes
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Literal, Self

from pydantic import BaseModel, Field, field_validator, model_validator

from activities.action_errors import ActionFailedError
from activities.base import Action, ActionContext, CamelCaseConfig
from activities.config_values import Texts, is_empty, without_nulls
from activities.long_texts import beside, fit_custom, fit_description, fit_summary, one_line
from activities.tickets import (
    FilePart,
    LinkPart,
    PartsOf,
    cleanup,
    complete,
    left_behind,
    translate,
)
from catalog.forms.values import parse_data_url
from catalog.templating import Target, jira_escape
from pao.clients.jira import CreatedIssue, JiraClient, JiraError, JiraFlavour, TicketStatus
from pao.clients.jira.limits import LINE_LIMIT, first_units
from pao.core.judgement import BAD_CALL, NOT_SET
from pao.core.payloads.actions import ActionResult
from pao.core.payloads.waits import Pending


class TicketLink(CamelCaseConfig):
    """A link from the new ticket to one that exists."""

    key: str = Field(description="Key of the ticket to link to", examples=["PLATFORM-12"])
    type: str = Field(default="Relates", description="Name of the link type in JIRA")


class TicketAttachment(CamelCaseConfig):
    """A file that is attached to the ticket: a text, or what a field of type file holds."""

    name: str = Field(min_length=1, description="File name", examples=["request.json"])
    content_template: str | None = Field(default=None, description="The file's text, in UTF-8")
    data_url: str | None = Field(
        default=None,
        description="The value of a file field; if empty, nothing is attached",
        examples=["{{fields.certificateRequest}}"],
    )

    @model_validator(mode="after")
    def _has_one_content(self) -> Self:
        if len({"content_template", "data_url"} & self.model_fields_set) != 1:
            raise ValueError("give either contentTemplate or dataUrl")
        return self

    @field_validator("data_url")
    @classmethod
    def _a_file(cls, text: str | None) -> str | None:
        if text and parse_data_url(text) is None:
            raise ValueError("this is not a file: dataUrl takes the value of a file field")
        return text

    def file(self) -> FilePart | None:
        """Return the file, or None where a field that is its content has no value."""
        name = file_name(self.name)
        if self.content_template is not None:
            kind = mimetypes.guess_type(name)[0] or "text/plain"
            return FilePart(name, self.content_template.encode(errors="replace"), kind)
        if not self.data_url:
            return None
        found = parse_data_url(self.data_url)
        if found is None:
            raise ActionFailedError(
                f"Attachment {name!r} is no file: dataUrl must be the value of a file field.",
                judged=BAD_CALL,
            )
        content = base64.b64decode(self.data_url.partition(",")[2])
        return FilePart(name, content, found.media_type)


class Ticket(CamelCaseConfig):
    """The ticket to create; every text may be a template."""

    project: str | None = Field(default=None, description="Project key", examples=["PLATFORM"])
    issue_type: str = Field(default="Task", description="Name of the issue type")
    summary_template: str = Field(
        min_length=1,
        description="One line; cut at 255 characters after rendering, then also attached in full",
    )
    description_template: str = Field(
        default="",
        description="JIRA wiki markup; values in it are escaped. Cut at 32,767 characters after "
        "rendering, then also attached in full",
    )
    priority: str | None = Field(default=None, description="Name of the priority")
    labels: Texts = Field(default=(), description="Labels; spaces become hyphens")
    components: Texts = Field(default=(), description="Names of components")
    epic_key: str | None = Field(default=None, description="Key of the parent epic")
    assignee: str | None = Field(
        default=None, description="Account id on Cloud, user name on Data Center"
    )
    custom_fields: dict[str, Any] = Field(
        default_factory=dict, description="JIRA field id to value", examples=[{"customfield_1": 1}]
    )
    links: tuple[TicketLink, ...] = Field(default=(), description="Links to other tickets")
    attachments: tuple[TicketAttachment, ...] = Field(
        default=(), max_length=20, description="Files, attached after the ticket was created"
    )

    @field_validator("attachments")
    @classmethod
    def _have_names_of_their_own(
        cls, attachments: tuple[TicketAttachment, ...]
    ) -> tuple[TicketAttachment, ...]:
        # A retry tells by its name whether a file is attached already.
        if len({file_name(one.name) for one in attachments}) < len(attachments):
            raise ValueError("two attachments have the same name")
        return attachments

    @field_validator("links", mode="before")
    @classmethod
    def _leaves_out_links_to_nothing(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            return () if given is None else given
        return [one for one in given if not (isinstance(one, dict) and _names_no_ticket(one))]

    @field_validator("custom_fields", mode="before")
    @classmethod
    def _leaves_out_nulls(cls, given: Any) -> Any:
        return {} if given is None else without_nulls(given)

    @field_validator("custom_fields")
    @classmethod
    def _leaves_labels_alone(cls, fields: dict[str, Any]) -> dict[str, Any]:
        # A ticket whose mark was replaced would never be found again, and be made twice.
        if "labels" in fields:
            raise ValueError("write the labels under labels, not among the custom fields")
        return fields


class JiraTicketConfig(CamelCaseConfig):
    """Configuration of a jira-ticket action."""

    instance: str | None = Field(default=None, description="Name of a configured JIRA instance")
    ticket: Ticket
    wait_for: Literal["created", "resolved"] = Field(
        default="created",
        description="When the action is done: once the ticket is created, or once it is resolved",
    )


class JiraTicketOutputs(BaseModel):
    """What later actions may use."""

    key: str = Field(description="Key of the ticket", examples=["PLATFORM-123"])
    id: str = Field(description="JIRA's own id", examples=["10001"])
    url: str = Field(description="Page of the ticket for people")
    status: str | None = Field(default=None, description="With waitFor resolved: its last status")
    resolution: str | None = Field(
        default=None, description="With waitFor resolved: how it was resolved", examples=["Done"]
    )


class JiraTicketAction(Action[JiraTicketConfig]):
    """Creates one ticket. The label derived from request and action finds it again."""

    type = "jira-ticket"
    summary = "Creates a JIRA ticket; the way by which people fulfil a request."
    resource_type = "jira-ticket"
    config = JiraTicketConfig
    outputs = JiraTicketOutputs
    targets: ClassVar[Mapping[str, Target]] = {"ticket.descriptionTemplate": Target.JIRA}
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
        """Search the label, all over the instance: a moved ticket is found too."""
        client = _client(config, context)
        correlation_id, deadline = context.request.correlation_id, context.deadline
        try:
            issue = await client.find_by_label(
                context.mark,
                settles_in=context.settles_in(client.instance.index_lag),
                correlation_id=correlation_id,
                deadline=deadline,
            )
            if issue is None or config.wait_for == "created":
                return None if issue is None else _result(issue)
            status = await client.get_status(issue.key, correlation_id, deadline=deadline)
        except JiraError as error:
            translate(error)
        return _resolved(issue, status) if status.resolved else _waiting(issue, client)

    async def execute(self, config: JiraTicketConfig, context: ActionContext) -> ActionResult:
        """Create the ticket with its label, and then what hangs on it."""
        client = _client(config, context)
        wanted = _files(config.ticket, context)
        try:
            issue = await client.create_issue(
                issue_fields(config.ticket, context, client)
                | await _epic(config.ticket, context, client),
                context.request.correlation_id,
                deadline=context.deadline,
            )
        except JiraError as error:
            translate(error)
        await complete(client, _parts(issue.key, issue.url, config, wanted), context, fresh=True)
        return _result(issue) if config.wait_for == "created" else _waiting(issue, client)

    async def complete(
        self, config: JiraTicketConfig, context: ActionContext, found: ActionResult
    ) -> ActionResult:
        """Make the attachments and links that an earlier attempt did not come to."""
        key, url = str(found.outputs["key"]), str(found.outputs["url"])
        wanted = _parts(key, url, config, _files(config.ticket, context))
        await complete(_client(config, context), wanted, context)
        return found

    async def revise(
        self,
        config: JiraTicketConfig,
        context: ActionContext,
        found: ActionResult | None,
        former: JiraTicketConfig,
    ) -> ActionResult:
        """Edit what differs, say so in a comment, and make the parts that are missing."""
        if found is None:
            return await self.execute(config, context)
        client, key, url = _client(config, context), found.outputs["key"], found.outputs["url"]
        changes = await _differing(config, former, context, client)
        correlation_id, deadline = context.request.correlation_id, context.deadline
        try:
            if changes:
                await client.edit_issue(
                    key, changes, correlation_id=correlation_id, deadline=deadline
                )
                await client.add_comment(
                    key,
                    _corrected(config, former, changes),
                    correlation_id=correlation_id,
                    deadline=deadline,
                )
        except JiraError as error:
            translate(error)
        await context.log.info("The ticket was changed.", data={"fields": sorted(changes)})
        await complete(client, _parts(key, url, config, _files(config.ticket, context)), context)
        return replace(found, adopted=True)

    def place(self, config: JiraTicketConfig) -> str:
        """Return the instance and the project."""
        project = config.ticket.project or "the default project"
        return f"JIRA {config.instance or 'of that project'}, project {project}"

    def from_evidence(self, config: JiraTicketConfig, outputs: dict[str, Any]) -> ActionResult:
        """Return the ticket that a human has seen."""
        result = super().from_evidence(config, outputs)
        return replace(result, external_reference=outputs["key"], url=outputs["url"])

    def breaker(self, config: JiraTicketConfig, context: ActionContext) -> str:
        """Return the instance: what fails on one says nothing about another."""
        return f"jira:{_client(config, context).instance.name}"

    def cleanup(self, result: ActionResult) -> str:
        """Return what to do with the ticket of an abandoned request."""
        return cleanup(result.external_reference, result.url)


def issue_fields(ticket: Ticket, context: ActionContext, client: JiraClient) -> dict[str, Any]:
    """Return the ticket in JIRA's own field names, marked with this action's label."""
    custom, _ = fit_custom(ticket.custom_fields)
    fields: dict[str, Any] = {
        "project": {"key": ticket.project or client.instance.default_project},
        "issuetype": {"name": ticket.issue_type},
        "summary": fit_summary(ticket.summary_template).shown,
        "description": fit_description(ticket.description_template, _footer(context)).shown,
        "labels": [*map(_label, ticket.labels), context.mark],
    }
    if ticket.priority:
        fields["priority"] = {"name": ticket.priority}
    if ticket.components:
        fields["components"] = [{"name": name} for name in ticket.components]
    if ticket.assignee:
        cloud = client.instance.flavour == JiraFlavour.CLOUD
        fields["assignee"] = {"accountId" if cloud else "name": ticket.assignee}
    return fields | custom


async def _differing(
    config: JiraTicketConfig,
    former: JiraTicketConfig,
    context: ActionContext,
    client: JiraClient,
) -> dict[str, Any]:
    """Return JIRA's fields with other values than the ticket was made with; None empties one."""
    wanted, made = [
        issue_fields(one.ticket, context, client) | await _epic(one.ticket, context, client)
        for one in (config, former)
    ]
    names = [*wanted, *(name for name in made if name not in wanted)]
    return {name: wanted.get(name) for name in names if wanted.get(name) != made.get(name)}


def _corrected(
    config: JiraTicketConfig, former: JiraTicketConfig, changes: Mapping[str, Any]
) -> str:
    before, after = (one_line(one.ticket.summary_template) for one in (former, config))
    lines = [f"PAO has corrected this ticket: {', '.join(sorted(changes))}."]
    if before != after:
        lines.append(f"Summary before: {jira_escape(before)}")
    return "\n".join(lines)


def file_name(text: str) -> str:
    """Make a text a name that JIRA keeps as it is, so that the file is found again by it."""
    return one_line(re.sub(r'[/\\:*?"<>|]', "_", text)) or "attachment"


def _names_no_ticket(link: dict[str, Any]) -> bool:
    return "key" in link and is_empty(link["key"])


def _label(text: str) -> str:
    return first_units("-".join(text.split()), LINE_LIMIT)


def _client(config: JiraTicketConfig, context: ActionContext) -> JiraClient:
    try:
        return context.jira.instance(config.instance, config.ticket.project)
    except LookupError as error:
        raise ActionFailedError(str(error), judged=NOT_SET) from error


async def _epic(ticket: Ticket, context: ActionContext, client: JiraClient) -> dict[str, Any]:
    if not ticket.epic_key:
        return {}
    try:
        return await client.epic_fields(
            ticket.epic_key, context.request.correlation_id, deadline=context.deadline
        )
    except LookupError as error:
        raise ActionFailedError(str(error), judged=BAD_CALL) from error


def _footer(context: ActionContext) -> str:
    """Return what every description ends with."""
    request = context.request
    return f"----\nPAO request {request.request_id}, correlation id {request.correlation_id}"


def _files(ticket: Ticket, context: ActionContext) -> tuple[FilePart, ...]:
    """Return the files to attach: those of the ticket, and what is too long for its fields."""
    own = tuple(file for one in ticket.attachments if (file := one.file()) is not None)
    _, custom = fit_custom(ticket.custom_fields)
    described = fit_description(ticket.description_template, _footer(context)).file
    return beside(own, [fit_summary(ticket.summary_template).file, described, *custom])


def _parts(key: str, url: str, config: JiraTicketConfig, files: tuple[FilePart, ...]) -> PartsOf:
    links = tuple(LinkPart(link.key, link.type) for link in config.ticket.links)
    return PartsOf(key, url, files, links)


def _result(issue: CreatedIssue) -> ActionResult:
    return ActionResult(
        outputs={"key": issue.key, "id": issue.id, "url": issue.url},
        external_reference=issue.key,
        url=issue.url,
    )


def _waiting(issue: CreatedIssue, client: JiraClient) -> ActionResult:
    state = {"instance": client.instance.name, "key": issue.key, "url": issue.url}
    return replace(_result(issue), pending=Pending("resolution", state))


def _resolved(issue: CreatedIssue, status: TicketStatus) -> ActionResult:
    """Return the result of a ticket that was resolved; one that will not be done is a failure."""
    if status.refused:
        raise ActionFailedError(
            f"Ticket {issue.key} was resolved as {status.resolution or status.status}: what it "
            "asked for will not be done. Reopen it in JIRA and retry, or abort the request.",
            partial=(left_behind(issue.key, issue.url),),
            refused=True,
        )
    result = _result(issue)
    more = {"status": status.status, "resolution": status.resolution}
    return replace(result, outputs=result.outputs | more)


ACTION = JiraTicketAction()
