"""What a JIRA requires for a new ticket: the types of a project, and the fields of each.

Read from the paged "createmeta" of Cloud and of Data Center since 8.4, else from the older one,
which Data Center 9 no longer has.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from typing import Any

from pao.clients.jira.answers import JiraResponse, read_object
from pao.clients.jira.dialects import Dialect
from pao.clients.jira.jira_errors import JiraRefusedError

_MOST_PAGES = 40

Ask = Callable[[str, Callable[[Dialect], Any]], Awaitable[JiraResponse]]
"""Makes a call that only reads; the text completes "could not ..."."""


@dataclass(frozen=True, slots=True)
class IssueType:
    """A type that a new ticket of a project may have."""

    id: str
    name: str
    subtask: bool = False


@dataclass(frozen=True, slots=True)
class ScreenField:
    """A field that can be set at creation; ``allowed`` are its names or values, None: any.

    ``filled`` says that JIRA has a default for it.
    """

    id: str
    name: str
    required: bool = False
    filled: bool = False
    allowed: frozenset[str] | None = None


async def issue_types(ask: Ask, project: str) -> list[IssueType]:
    """Return the types of a project; JiraRefusedError 404 means that none may be created."""
    doing = f"say which tickets {project} takes"
    try:
        found = await _pages(ask, doing, lambda start, jira: jira.issue_types(project, start))
    except JiraRefusedError as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            raise
        found = _objects((await _legacy_meta(ask, project, refused)).get("issuetypes"))
    return [
        IssueType(str(one.get("id")), str(one.get("name")), subtask=bool(one.get("subtask")))
        for one in found
    ]


async def screen_fields(ask: Ask, project: str, kind: IssueType) -> list[ScreenField]:
    """Return the fields that a new ticket of a type can be given."""
    doing = f"say what a {kind.name} in {project} needs"
    try:
        found = await _pages(
            ask, doing, lambda start, jira: jira.issue_fields(project, kind.id, start)
        )
    except JiraRefusedError as refused:
        if refused.status != HTTPStatus.NOT_FOUND:
            raise
        types = _objects((await _legacy_meta(ask, project, refused)).get("issuetypes"))
        named = next((one for one in types if str(one.get("id")) == kind.id), {})
        fields = named.get("fields")
        by_id = fields if isinstance(fields, Mapping) else {}
        found = [{"fieldId": name, **one} for name, one in by_id.items() if isinstance(one, dict)]
    return [_field(one) for one in found]


async def _pages(
    ask: Ask, doing: str, question: Callable[[int, Dialect], Any]
) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = []
    for _ in range(_MOST_PAGES):
        start = len(found)
        page = read_object(await ask(doing, partial(question, start)))
        # Data Center calls the list values, Cloud by what is in it.
        listed: list[Any] = next((one for name in _LISTS if (one := page.get(name))), [])
        found += _objects(listed)
        total = page.get("total")
        more = page.get("isLast") is False or (isinstance(total, int) and len(found) < total)
        if not listed or not more:
            break
    return found


_LISTS = ("values", "issueTypes", "fields", "results")


async def _legacy_meta(ask: Ask, project: str, refused: JiraRefusedError) -> Mapping[str, Any]:
    """Return the older "createmeta" of a project; raises ``refused`` if there is none."""
    try:
        page = read_object(
            await ask(f"say what {project} needs", lambda jira: jira.legacy_create_meta(project))
        )
    except JiraRefusedError:
        raise refused from None
    projects = _objects(page.get("projects"))
    if not projects:
        raise refused
    return projects[0]


def _field(given: Mapping[str, Any]) -> ScreenField:
    allowed = given.get("allowedValues")
    names = [
        str(text)
        for one in _objects(allowed)
        for key in ("name", "value", "key", "id")
        if (text := one.get(key)) is not None
    ]
    return ScreenField(
        id=str(given.get("fieldId") or given.get("key") or ""),
        name=str(given.get("name") or ""),
        required=bool(given.get("required")),
        filled=bool(given.get("hasDefaultValue")),
        allowed=frozenset(names) if isinstance(allowed, list) and allowed else None,
    )


def _objects(value: Any) -> list[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []
