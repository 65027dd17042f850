"""The checks that JIRA makes before it creates a ticket, in its words."""

import re
from collections.abc import Mapping
from typing import Any

from sandbox.jira.adf_check import adf_text, is_adf
from sandbox.jira.settings import (
    CUSTOM_FIELDS,
    ISSUE_TYPES,
    MAX_SUMMARY,
    MAX_TEXT,
    PRIORITIES,
    ApiVersion,
    CustomField,
    JiraSandboxSettings,
    Screen,
    find_name,
)

_KNOWN = {
    "project",
    "issuetype",
    "summary",
    "description",
    "environment",
    "priority",
    "labels",
    "components",
    "assignee",
    "reporter",
    "duedate",
    "parent",
    "fixVersions",
    "versions",
    "security",
    "timetracking",
}
_CUSTOM = re.compile(r"customfield_[0-9]{5,}")


class InvalidAdfError(ValueError):
    """Cloud does not accept the document; it says no more than INVALID_INPUT."""


def check_fields(
    fields: Mapping[str, Any], version: ApiVersion, settings: JiraSandboxSettings
) -> dict[str, str]:
    """Return JIRA's error by field name; the ticket can be created if there is none.

    Raises InvalidAdfError for a description that is an object, but no valid document.
    """
    project = project_of(fields.get("project"), settings)
    screen = settings.screen(project) if project else Screen()
    found = {
        "project": _project(fields.get("project"), version, settings)
        or (None if screen.may_create else "You cannot create issues in this project."),
        "issuetype": _issue_type(fields.get("issuetype"), version, screen),
        "summary": _summary(fields.get("summary")),
        "priority": _priority(fields.get("priority"), screen),
        "labels": _labels(fields.get("labels")),
        "description": check_rich_text(fields.get("description"), version),
        "environment": check_rich_text(fields.get("environment"), version),
        "components": _components(fields.get("components")),
        "assignee": _assignee(fields.get("assignee"), version),
        "parent": _parent(fields.get("parent"), version),
        **{
            one.id: _custom_text(one, fields[one.id], version)
            for one in CUSTOM_FIELDS
            if one.id in fields
        },
        **{
            name: _cannot_be_set(name)
            for name in fields
            if not _is_known(name) or name in screen.without
        },
        **{one.id: f"{one.name} is required." for one in _missing(screen, fields)},
    }
    return {name: text for name, text in found.items() if text}


def project_of(value: Any, settings: JiraSandboxSettings) -> str | None:
    """Return the key of the project given by key or id, where there is one."""
    if not isinstance(value, dict):
        return None
    for number, key in enumerate(settings.projects, start=10000):
        if value.get("key") == key or str(value.get("id", "")) == str(number):
            return key
    return None


def _project(value: Any, version: ApiVersion, settings: JiraSandboxSettings) -> str | None:
    if project_of(value, settings):
        return None
    if version is ApiVersion.V3:
        return "Specify a valid project ID or key"
    return "valid project is required" if value else "project is required"


def _missing(screen: Screen, fields: Mapping[str, Any]) -> list[CustomField]:
    return [one for one in CUSTOM_FIELDS if one.id in screen.required and one.id not in fields]


def _custom_text(field: CustomField, value: Any, version: ApiVersion) -> str | None:
    if field.kind == "textarea":
        return check_rich_text(value, version)
    if field.kind == "textfield":
        if not isinstance(value, str):
            return "Operation value must be a string"
        return too_long(value, MAX_SUMMARY)
    return None


def _issue_type(value: Any, version: ApiVersion, screen: Screen) -> str | None:
    name = find_name(ISSUE_TYPES, value)
    if name and screen.types is not None and name not in screen.types:
        return "The issue type selected is invalid."
    if name:
        return None
    if version is ApiVersion.V3:
        return "Specify a valid issue type" if value else "Specify an issue type"
    return "valid issue type is required" if value else "issue type is required"


def _summary(value: Any) -> str | None:
    if value is not None and not isinstance(value, str):
        return "Operation value must be a string"
    if not value or not value.strip():
        return "You must specify a summary of the issue."
    if "\n" in value or "\r" in value:
        return "The summary is invalid because it contains newline characters."
    if too_long(value, MAX_SUMMARY):
        return f"Summary can't exceed {MAX_SUMMARY} characters."
    return None


def _priority(value: Any, screen: Screen) -> str | None:
    known = find_name(PRIORITIES, value)
    if known and screen.priorities is not None and known not in screen.priorities:
        return "The priority selected is invalid."
    if value is None or known:
        return None
    name = value.get("name") if isinstance(value, dict) else None
    return f"Priority name '{name}' is not valid" if name else "The priority selected is invalid."


def _labels(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(label, str) for label in value):
        return "Operation value must be an array of strings"
    for label in value:
        if re.search(r"\s", label) or not label:
            return f"The label '{label}' contains spaces which is invalid."
        if len(label) > MAX_SUMMARY:
            return f"The label '{label}' exceeds the maximum length of {MAX_SUMMARY} characters."
    return None


def _components(value: Any) -> str | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        return "Operation value must be an array"
    return None


def _assignee(value: Any, version: ApiVersion) -> str | None:
    if value is None:
        return None
    wanted = ("accountId", "id") if version is ApiVersion.V3 else ("name",)
    if isinstance(value, dict) and any(isinstance(value.get(key), str) for key in wanted):
        return None
    return f"expected an object with '{wanted[0]}'"


def _parent(value: Any, version: ApiVersion) -> str | None:
    """Check the epic: on Data Center a parent is for sub-tasks only, which do not exist here."""
    if value is None:
        return None
    if version is ApiVersion.V2:
        return "Field 'parent' cannot be set. It is not on the appropriate screen, or unknown."
    return None if isinstance(value, dict) and value.get("key") else "data was not an object"


def check_rich_text(value: Any, version: ApiVersion) -> str | None:
    """Return what is wrong with a text that is wiki markup in v2 and ADF in v3.

    Raises InvalidAdfError for an object that is no valid document.
    """
    if value is None:
        return None
    if version is ApiVersion.V2:
        if not isinstance(value, str):
            return "Operation value must be a string"
        return too_long(value, MAX_TEXT)
    if not isinstance(value, dict):
        return "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
    if not is_adf(value):
        raise InvalidAdfError
    return too_long(adf_text(value), MAX_TEXT)


def too_long(text: str, most: int) -> str | None:
    """Return JIRA's error for a text that is too long; it counts UTF-16 units, as Java does."""
    if len(text.encode("utf-16-le", "surrogatepass")) // 2 <= most:
        return None
    return f"The entered text is too long. It exceeds the allowed limit of {most:,} characters."


def _is_known(name: str) -> bool:
    return name in _KNOWN or _CUSTOM.fullmatch(name) is not None


def _cannot_be_set(name: str) -> str:
    return f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown."
