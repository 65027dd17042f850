"""The form of escalation tickets, and whether a JIRA would accept one; creates nothing."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from pao.clients.jira.client import JiraClient
from pao.clients.jira.create_fields import IssueType, ScreenField
from pao.clients.jira.jira_errors import JiraRefusedError
from pao.clients.jira.models import Deadline

# Set by every escalation, whatever is configured.
OWN_FIELDS = frozenset({"project", "issuetype", "summary", "description", "labels"})
# Without these a ticket would be empty, or not be found again.
_NEEDED_FIELDS = ("description", "labels")
# JIRA fills them itself.
_FILLED_BY_JIRA = frozenset({"reporter"})
_SHOWN = 12
_MOST_SECONDS = 20.0


@dataclass(frozen=True, slots=True)
class EscalationTarget:
    """The project and type of escalation tickets; ``priority`` None leaves it to JIRA.

    ``fields`` are further fields of the ticket by their JIRA ids; ``pages`` is the address of PAO's
    pages, for a link to the request.
    """

    project: str
    instance: str | None = None
    issue_type: str = "Incident"
    priority: str | None = "High"
    fields: Mapping[str, Any] = field(default_factory=dict)
    pages: str | None = None


async def escalation_problems(client: JiraClient, target: EscalationTarget) -> list[str]:
    """Return why an escalation would be refused, one sentence each that says what to change.

    Raises JiraError if JIRA does not answer.
    """
    deadline = Deadline.after(_MOST_SECONDS)
    try:
        types = await client.issue_types(target.project, deadline=deadline)
    except JiraRefusedError as refused:
        if refused.status not in {HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST}:
            raise
        types = []
    if not types:
        problem = (
            f"ESCALATION_PROJECT: {client.instance.title} has no project {target.project} in which "
            "this account may create tickets; correct the key, or give the account that permission"
        )
        return [problem]
    kind = _find_type(types, target.issue_type)
    if kind is None:
        problem = (
            f"ESCALATION_ISSUE_TYPE: {target.project} has no type {target.issue_type!r}; "
            f"it has: {_list_names(one.name for one in types if not one.subtask)}"
        )
        return [problem]
    fields = await client.screen_fields(target.project, kind, deadline=deadline)
    return [
        *_priority_problems(target, fields),
        *_field_problems(target, fields),
        *_missing_fields(target, fields),
    ]


def _find_type(types: Sequence[IssueType], name: str) -> IssueType | None:
    return next((one for one in types if one.name.casefold() == name.casefold()), None)


def _priority_problems(target: EscalationTarget, fields: Sequence[ScreenField]) -> Iterator[str]:
    if target.priority is None:
        return
    found = next((one for one in fields if one.id == "priority"), None)
    what = f"{target.issue_type} in {target.project}"
    if found is None:
        yield (
            f"ESCALATION_PRIORITY: {what} has no priority on its screen; write none, or add "
            "the field to it"
        )
    elif found.allowed is not None and not _is_allowed(target.priority, found.allowed):
        yield (
            f"ESCALATION_PRIORITY: {what} cannot have the priority {target.priority!r}; "
            f"possible: {_list_names(name for name in found.allowed if not name.isdecimal())}"
        )


def _field_problems(target: EscalationTarget, fields: Sequence[ScreenField]) -> Iterator[str]:
    known = {one.id: one for one in fields}
    what = f"{target.issue_type} in {target.project}"
    for name in _NEEDED_FIELDS:
        if name not in known:
            yield (
                f"ESCALATION_ISSUE_TYPE: {what} has no {name} on its screen; add it, "
                "or choose another type"
            )
    for name, value in target.fields.items():
        if name not in known:
            yield f"ESCALATION_FIELDS: {what} has no field {name} on its screen; leave it out"
            continue
        allowed = known[name].allowed
        for text in _choice_names(value):
            if allowed is not None and not _is_allowed(text, allowed):
                yield (
                    f"ESCALATION_FIELDS: {name} ({known[name].name}) cannot be {text!r}; "
                    f"possible: {_list_names(allowed)}"
                )


def _missing_fields(target: EscalationTarget, fields: Sequence[ScreenField]) -> Iterator[str]:
    given = OWN_FIELDS | target.fields.keys() | _FILLED_BY_JIRA
    if target.priority is not None:
        given |= {"priority"}
    for one in fields:
        if one.required and not one.filled and one.id not in given:
            yield (
                f"ESCALATION_FIELDS: {target.issue_type} in {target.project} needs {one.id} "
                f"({one.name}); give it a value there"
            )


def _choice_names(value: Any) -> Iterator[str]:
    """Yield the names by which a value chooses among those that are allowed."""
    for one in value if isinstance(value, list) else [value]:
        chosen = one if isinstance(one, Mapping) else {}
        yield from (str(chosen[key]) for key in ("name", "value", "key", "id") if key in chosen)


def _is_allowed(name: str, allowed: frozenset[str]) -> bool:
    return name.casefold() in {one.casefold() for one in allowed}


def _list_names(names: Any) -> str:
    found = sorted(names)
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
