"""The action type jira-ticket: one JIRA ticket, found again by its label."""

import unicodedata
from collections.abc import Mapping
from typing import Any, ClassVar, Literal, NoReturn

from pydantic import BaseModel, Field, field_validator

from activities.base import Action, ActionConfig, ActionContext
from activities.errors import ActionFailedError, OutcomeUnknownError
from catalog.templating import Target
from pao.clients.jira import (
    CreatedIssue,
    JiraClient,
    JiraError,
    JiraFlavour,
    JiraOutcomeUnknown,
    JiraRefused,
)
from pao.core.errors import ErrorCode
from pao.core.payloads import ActionResult

SUMMARY_LIMIT = 255  # JIRA's own limit for a summary, in characters.
ELLIPSIS = "\u2026"


class TicketLink(ActionConfig):
    """A link from the new ticket to one that exists."""

    key: str = Field(description="Key of the ticket to link to", examples=["PLATFORM-12"])
    type: str = Field(default="Relates", description="Name of the link type in JIRA")


class Ticket(ActionConfig):
    """The ticket to create; every text may be a template."""

    project: str | None = Field(default=None, description="Project key", examples=["PLATFORM"])
    issueType: str = Field(default="Task", description="Name of the issue type")  # noqa: N815 -- the document's key
    summaryTemplate: str = Field(  # noqa: N815 -- the document's key
        min_length=1, description="One line; cut at 255 characters after rendering"
    )
    descriptionTemplate: str = Field(  # noqa: N815 -- the document's key
        default="", description="JIRA wiki markup; values in it are escaped"
    )
    priority: str | None = Field(default=None, description="Name of the priority")
    labels: tuple[str, ...] = Field(default=(), description="Labels; spaces become hyphens")
    components: tuple[str, ...] = Field(default=(), description="Names of components")
    epicKey: str | None = Field(default=None, description="Key of the parent epic")  # noqa: N815 -- the document's key
    assignee: str | None = Field(
        default=None, description="Account id on Cloud, user name on Data Center"
    )
    customFields: dict[str, Any] = Field(  # noqa: N815 -- the document's key
        default_factory=dict, description="JIRA field id to value", examples=[{"customfield_1": 1}]
    )
    links: tuple[TicketLink, ...] = Field(default=(), description="Links to other tickets")

    @field_validator("customFields")
    @classmethod
    def _leaves_labels_alone(cls, fields: dict[str, Any]) -> dict[str, Any]:
        # A ticket whose mark was replaced would never be found again, and be made twice.
        if "labels" in fields:
            raise ValueError("write the labels under labels, not among the custom fields")
        return fields


class JiraTicketConfig(ActionConfig):
    """Configuration of a jira-ticket action."""

    instance: str | None = Field(default=None, description="Name of a configured JIRA instance")
    ticket: Ticket
    waitFor: Literal["created"] = Field(  # noqa: N815 -- the document's key
        default="created", description="When the action is done"
    )


class JiraTicketOutputs(BaseModel):
    """What later actions may use."""

    key: str = Field(description="Key of the ticket", examples=["PLATFORM-123"])
    id: str = Field(description="JIRA's own id", examples=["10001"])
    url: str = Field(description="Page of the ticket for people")


class JiraTicketAction(Action[JiraTicketConfig]):
    """Creates one ticket. The label derived from request and action finds it again."""

    type = "jira-ticket"
    summary = "Creates a JIRA ticket; the way by which people fulfil a request."
    resource_type = "jira-ticket"
    config = JiraTicketConfig
    outputs = JiraTicketOutputs
    targets: ClassVar[Mapping[str, Target]] = {"ticket.descriptionTemplate": Target.JIRA}
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
            },
            "waitFor": "created",
        },
    )

    async def look(self, config: JiraTicketConfig, context: ActionContext) -> ActionResult | None:
        """Search the label, all over the instance: a moved ticket is found too."""
        client = _client(config, context)
        try:
            issue = await client.find_by_label(
                context.mark,
                correlation_id=context.request.correlation_id,
                deadline=context.deadline,
            )
        except JiraError as error:
            _translate(error)
        return None if issue is None else _result(issue)

    async def execute(self, config: JiraTicketConfig, context: ActionContext) -> ActionResult:
        """Create the ticket with its label."""
        client = _client(config, context)
        try:
            issue = await client.create_issue(
                issue_fields(config.ticket, context, client),
                context.request.correlation_id,
                deadline=context.deadline,
            )
        except JiraError as error:
            _translate(error)
        await _link(client, issue, config.ticket, context)
        return _result(issue)

    def cleanup(self, result: ActionResult) -> str:
        """Say what to do with the ticket of an abandoned request."""
        return (
            f"Close JIRA ticket {result.external_reference} as won't do ({result.url}), "
            "and undo by hand what was done for it already."
        )


def issue_fields(ticket: Ticket, context: ActionContext, client: JiraClient) -> dict[str, Any]:
    """Give the ticket in JIRA's own field names, marked with this action's label."""
    request = context.request
    footer = f"----\nPAO request {request.request_id}, correlation id {request.correlation_id}"
    fields: dict[str, Any] = {
        "project": {"key": ticket.project or client.instance.default_project},
        "issuetype": {"name": ticket.issueType},
        "summary": one_line(ticket.summaryTemplate),
        "description": f"{ticket.descriptionTemplate.rstrip()}\n\n{footer}".lstrip(),
        "labels": [*map(_label, ticket.labels), context.mark],
    }
    if ticket.priority:
        fields["priority"] = {"name": ticket.priority}
    if ticket.components:
        fields["components"] = [{"name": name} for name in ticket.components]
    if ticket.epicKey:
        fields["parent"] = {"key": ticket.epicKey}
    if ticket.assignee:
        cloud = client.instance.flavour == JiraFlavour.CLOUD
        fields["assignee"] = {"accountId" if cloud else "name": ticket.assignee}
    return fields | ticket.customFields


def one_line(text: str) -> str:
    """Make a text a summary that JIRA takes: one line, no control characters, 255 characters."""
    shown = "".join(" " if unicodedata.category(char) == "Cc" else char for char in text)
    line = " ".join(shown.split())
    return line if len(line) <= SUMMARY_LIMIT else line[: SUMMARY_LIMIT - 1].rstrip() + ELLIPSIS


def _label(text: str) -> str:
    return "-".join(text.split())[:SUMMARY_LIMIT]


def _client(config: JiraTicketConfig, context: ActionContext) -> JiraClient:
    try:
        return context.jira.instance(config.instance, config.ticket.project)
    except LookupError as error:
        raise ActionFailedError(str(error)) from error


async def _link(
    client: JiraClient, issue: CreatedIssue, ticket: Ticket, context: ActionContext
) -> None:
    """Make the links; the ticket exists by now, so a failure here must not pass for none."""
    try:
        for link in ticket.links:
            await client.link_issues(
                issue.key,
                link.key,
                link_type=link.type,
                correlation_id=context.request.correlation_id,
                deadline=context.deadline,
            )
    except JiraError as error:
        raise OutcomeUnknownError(
            f"Ticket {issue.key} was created, but not all of its links: {error.message} "
            "A retry adopts the ticket as it is; make the links by hand.",
            code=ErrorCode.EXTERNAL_SERVICE_ERROR,
            http_status=error.status,
            response_body=error.body,
            retryable=True,
        ) from error


def _result(issue: CreatedIssue) -> ActionResult:
    return ActionResult(
        outputs={"key": issue.key, "id": issue.id, "url": issue.url},
        external_reference=issue.key,
        url=issue.url,
    )


def _translate(error: JiraError) -> NoReturn:
    if isinstance(error, JiraOutcomeUnknown):
        raise OutcomeUnknownError(
            error.message, code=ErrorCode.EXTERNAL_SERVICE_ERROR, retryable=True
        ) from error
    refused = isinstance(error, JiraRefused)
    raise ActionFailedError(
        error.message,
        code=ErrorCode.ACTION_FAILED if refused else ErrorCode.EXTERNAL_SERVICE_ERROR,
        http_status=error.status,
        response_body=error.body,
        retryable=error.retryable,
    ) from error


ACTION = JiraTicketAction()
