"""Configuration and outputs of jira-ticket."""

import base64
import mimetypes
import re
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, Field, field_validator, model_validator

from activities.action_errors import ActionFailedError
from activities.base import CamelCaseConfig
from activities.config_values import Texts, is_empty, is_unresolved, without_nulls
from activities.long_texts import one_line
from activities.tickets import FilePart
from catalog.forms.values import parse_data_url
from pao.core.failure_classes import BAD_CALL

_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_]*-[0-9]+")


def _require_key(text: str) -> str:
    text = text.strip()
    if not _KEY.fullmatch(text) and not is_unresolved(text):
        raise ValueError("it is not the key of a ticket, such as PLATFORM-12")
    return text


TicketKey = Annotated[str, AfterValidator(_require_key)]


class TicketLink(CamelCaseConfig):
    """A link from the new ticket to one that exists."""

    key: TicketKey = Field(description="Key of the ticket to link to", examples=["PLATFORM-12"])
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
    def _require_one_content(self) -> Self:
        if len({"content_template", "data_url"} & self.model_fields_set) != 1:
            raise ValueError("give either contentTemplate or dataUrl")
        return self

    @field_validator("data_url")
    @classmethod
    def _require_file(cls, text: str | None) -> str | None:
        if text and parse_data_url(text) is None:
            raise ValueError("this is not a file: dataUrl takes the value of a file field")
        return text

    def file(self) -> FilePart | None:
        """Return the file, or None where the field with its content is empty."""
        name = file_name(self.name)
        if self.content_template is not None:
            kind = mimetypes.guess_type(name)[0] or "text/plain"
            return FilePart(name, self.content_template.encode(errors="replace"), kind)
        if not self.data_url:
            return None
        found = parse_data_url(self.data_url)
        if found is None:
            raise ActionFailedError(
                f"Attachment {name!r} is not a file: dataUrl must be the value of a file field.",
                judged=BAD_CALL,
            )
        content = base64.b64decode(self.data_url.partition(",")[2])
        return FilePart(name, content, found.media_type)


class TicketTemplate(CamelCaseConfig):
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

    @field_validator("summary_template")
    @classmethod
    def _require_summary(cls, summary: str) -> str:
        if not one_line(summary):
            raise ValueError("it is blank, but JIRA needs a summary")
        return summary

    @field_validator("epic_key")
    @classmethod
    def _require_epic_key(cls, key: str | None) -> str | None:
        return None if key is None or is_empty(key) else _require_key(key)

    @field_validator("attachments")
    @classmethod
    def _require_unique_names(
        cls, attachments: tuple[TicketAttachment, ...]
    ) -> tuple[TicketAttachment, ...]:
        # A retry recognizes an attached file by its name.
        if len({file_name(one.name) for one in attachments}) < len(attachments):
            raise ValueError("two attachments have the same name")
        return attachments

    @field_validator("links", mode="before")
    @classmethod
    def _drop_empty_links(cls, given: Any) -> Any:
        if not isinstance(given, list | tuple):
            return () if given is None else given
        return [one for one in given if not (isinstance(one, dict) and _names_no_ticket(one))]

    @field_validator("custom_fields", mode="before")
    @classmethod
    def _drop_nulls(cls, given: Any) -> Any:
        return {} if given is None else without_nulls(given)

    @field_validator("custom_fields")
    @classmethod
    def _refuse_labels(cls, fields: dict[str, Any]) -> dict[str, Any]:
        # A ticket without its mark would never be found again, and be created twice.
        if "labels" in fields:
            raise ValueError("write the labels under labels, not among the custom fields")
        return fields


class JiraTicketConfig(CamelCaseConfig):
    """Configuration of a jira-ticket action."""

    instance: str | None = Field(default=None, description="Name of a configured JIRA instance")
    ticket: TicketTemplate
    wait_for: Literal["created", "resolved"] = Field(
        default="created",
        description="When the action is done: once the ticket is created, or once it is resolved",
    )


class JiraTicketOutputs(BaseModel):
    """Outputs for later actions."""

    key: TicketKey = Field(description="Key of the ticket", examples=["PLATFORM-123"])
    id: str = Field(description="JIRA's own id", examples=["10001"])
    url: str = Field(description="Page of the ticket for people")
    status: str | None = Field(default=None, description="With waitFor resolved: its last status")
    resolution: str | None = Field(
        default=None, description="With waitFor resolved: how it was resolved", examples=["Done"]
    )


def file_name(text: str) -> str:
    """Return a file name that JIRA stores unchanged, so that the file can be found by it."""
    return one_line(re.sub(r'[/\\:*?"<>|]', "_", text)) or "attachment"


def _names_no_ticket(link: dict[str, Any]) -> bool:
    return "key" in link and is_empty(link["key"])
