"""The stand-in's settings, and its statuses, issue types, priorities and link types."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

MAX_SUMMARY = 255
MAX_TEXT = 32_767
# The scope key by which a fault sets how many seconds the searches of a call are behind.
LATE_INDEX = "jira_sandbox.late_index"
PROJECTS = ("PLATFORM", "DB", "NET", "SEC", "OPS", "ORCHESTRATION")


class ApiVersion(StrEnum):
    """The REST versions: 2 speaks wiki markup as Data Center does, 3 speaks ADF as Cloud does."""

    V2 = "2"
    V3 = "3"


@dataclass(frozen=True, slots=True)
class CustomField:
    """A field that a company has added; ``kind`` is the last part of JIRA's own name of it."""

    id: str
    name: str
    kind: str
    options: tuple[str, ...] = ()

    @property
    def schema(self) -> dict[str, Any]:
        """What JIRA says about its type."""
        number = int(self.id.rpartition("_")[2])
        values = {"textarea": "string", "textfield": "string", "select": "option"}
        custom = f"com.atlassian.jira.plugin.system.customfieldtypes:{self.kind}"
        return {"type": values[self.kind], "custom": custom, "customId": number}


CUSTOM_FIELDS = (
    CustomField("customfield_10200", "Justification", "textarea"),
    CustomField("customfield_10201", "Cost center", "textfield"),
    CustomField("customfield_10202", "Environment", "select", ("Production", "Test")),
)


@dataclass(frozen=True, slots=True)
class Screen:
    """What a project accepts for a new ticket; None for the types is every one that exists.

    ``without`` are fields that are not on its screen, ``required`` those it insists on besides.
    """

    types: tuple[str, ...] | None = None
    without: frozenset[str] = frozenset()
    required: tuple[str, ...] = ()
    priorities: tuple[str, ...] | None = None
    may_create: bool = True


@dataclass(frozen=True, slots=True)
class JiraSandboxSettings:
    """How the stand-in behaves.

    ``screens`` are those of projects that differ from the default. ``old_meta`` and ``paged_meta``
    say which ways to ask for them there are: Data Center 9 has the second only, before 8.4 there
    was the first. ``attachments`` is whether files are taken.

    ``search_lag_seconds`` is how long a new ticket stays unknown to searches, as behind the index
    of a real JIRA; 0 finds it at once.
    """

    projects: tuple[str, ...] = PROJECTS
    username: str = "pao"
    token: str = "sandbox-token"  # noqa: S105 -- made up, and printed by `pao up`
    search_lag_seconds: float = 0.0
    client_id: str = "pao-client"
    client_secret: str = "sandbox-client-secret"  # noqa: S105 -- as the token
    access_token_seconds: int = 3600
    token_auth: str = "any"  # noqa: S105 -- which form of RFC 6749 counts: any, basic or post
    screens: Mapping[str, Screen] = field(default_factory=dict)
    old_meta: bool = True
    paged_meta: bool = True
    meta_page: int = 50
    attachments: bool = True

    def screen(self, project: str) -> Screen:
        """Return what a project accepts for a new ticket."""
        return self.screens.get(project, Screen())


@dataclass(frozen=True, slots=True)
class StatusCategory:
    """A status category; programs go by its key."""

    id: int
    key: str
    name: str
    color: str

    def document(self) -> dict[str, Any]:
        """Return it in JIRA's shape."""
        return {"id": self.id, "key": self.key, "name": self.name, "colorName": self.color}


@dataclass(frozen=True, slots=True)
class WorkflowStatus:
    """A status of the one workflow, and the transition that leads to it from everywhere."""

    id: str
    name: str
    category: StatusCategory
    transition_id: str
    resolution: str | None = None

    def document(self) -> dict[str, Any]:
        """Return it in JIRA's shape."""
        return {"id": self.id, "name": self.name, "statusCategory": self.category.document()}


NEW = StatusCategory(2, "new", "To Do", "blue-gray")
INDETERMINATE = StatusCategory(4, "indeterminate", "In Progress", "yellow")
DONE = StatusCategory(3, "done", "Done", "green")
CATEGORIES = (NEW, INDETERMINATE, DONE)

STATUSES = (
    WorkflowStatus("10000", "To Do", NEW, "11"),
    WorkflowStatus("3", "In Progress", INDETERMINATE, "21"),
    WorkflowStatus("10001", "In Review", INDETERMINATE, "31"),
    WorkflowStatus("10002", "Done", DONE, "41", "Done"),
    WorkflowStatus("10003", "Won't Do", DONE, "51", "Won't Do"),
)
FIRST_STATUS = STATUSES[0]
STATUS_BY_NAME = {status.name: status for status in STATUSES}

ISSUE_TYPES = (
    ("10001", "Task"),
    ("10002", "Story"),
    ("10003", "Bug"),
    ("10004", "Incident"),
    ("10005", "Service Request"),
    ("10006", "Change"),
    ("10007", "Epic"),
)
PRIORITIES = (
    ("1", "Highest"),
    ("2", "High"),
    ("3", "Medium"),
    ("4", "Low"),
    ("5", "Lowest"),
)
DEFAULT_PRIORITY = "Medium"
EPIC_LINK = "customfield_10100"  # Data Center's field for what Cloud calls the parent.
LINK_TYPES = (
    ("10000", "Blocks", "is blocked by", "blocks"),
    ("10001", "Cloners", "is cloned by", "clones"),
    ("10002", "Duplicate", "is duplicated by", "duplicates"),
    ("10003", "Relates", "relates to", "relates to"),
)


def find_name(known: tuple[tuple[str, str], ...], given: Any) -> str | None:
    """Return the name of a value given as ``{"name": ...}`` or ``{"id": ...}``, if it exists."""
    if not isinstance(given, dict):
        return None
    for number, name in known:
        if given.get("id") == number or str(given.get("name", "")).lower() == name.lower():
            return name
    return None


def id_of(known: tuple[tuple[str, str], ...], name: str) -> str:
    """Return the id of a value that exists."""
    return next(number for number, known_name in known if known_name == name)
