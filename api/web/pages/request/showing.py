"""What the page of a request shows: its steps with times, what it made, its fields in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from pydantic import ValidationError

from api.requests.reading import Stored
from api.requests.schemas import Action, Component, LogLine
from api.requests.schemas import Request as Document
from api.web import times
from api.web.pages.request.picture import Node, Picture, picture_of
from api.web.shown_values import shown_value
from api.web.words import _, after_state, ngettext
from catalog.forms.definition import FieldType, FormDefinition
from pao.core.names import MASK
from pao.core.states import TERMINAL, RequestStatus

LEAST_WIDTH = 0.6
_RUNNING = frozenset({"in_progress", "waiting"})


@dataclass(frozen=True, slots=True)
class Bar:
    """When a step ran, in percent of the request's time."""

    start: float
    width: float


@dataclass(frozen=True, slots=True)
class StepView:
    """An action as the page shows it."""

    key: str
    name: str
    status: str
    attempts: str
    reference: str
    url: str | None
    took: str
    since: str
    bar: Bar | None
    note: str
    error: str
    adopted: bool


@dataclass(frozen=True, slots=True)
class Part:
    """The steps of a component of a bundle; without a name, those of the request itself."""

    steps: list[StepView]
    name: str = ""
    href: str = ""
    status: str = ""
    retrying: bool = False
    after: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class Made:
    """Something that a request made: its name, its value, and where it is."""

    key: str
    label: str
    value: str
    href: str | None


@dataclass(frozen=True, slots=True)
class LogView:
    """The log of an action."""

    key: str
    name: str
    lines: list[LogLine]
    opened: bool


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything of a request that changes while it runs."""

    document: Document
    live: bool
    sentence: str
    parts: list[Part]
    picture: Picture | None
    made: list[Made]
    action: str
    """What the reader may decide: `decide`, `approve`, or nothing."""


def shown(stored: Stored, document: Document, now: datetime) -> Shown:
    """Return what changes while a request runs."""
    moments = _Moments(document, now)
    names = {one.id: one.name for one in document.components or ()}
    parts = [_part(one, names, moments) for one in document.components or ()]
    # A bundle's own steps follow its components.
    parts.append(Part(steps=_steps(document.actions, "", moments)))
    return Shown(
        document=document,
        live=document.status not in TERMINAL,
        sentence=_sentence(document, now),
        parts=[one for one in parts if one.steps or one.name],
        picture=picture_of(_nodes(stored, document)),
        made=_made(document),
        action=_may(document),
    )


def answers(stored: Stored, fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields in the form's order, with their labels and values in words."""
    definition = (stored.row.item_definition.get("presentation") or {}).get("form") or {}
    try:
        form = FormDefinition.model_validate(definition)
    except ValidationError:
        # Another version of PAO has stored it.
        return [(name, str(value)) for name, value in fields.items()]
    return [
        (one.label, MASK if one.type is FieldType.PASSWORD else shown_value(one, fields[one.id]))
        for one in form.fields
        if one.id in fields
    ]


def logs(document: Document, lines: Sequence[LogLine]) -> list[LogView]:
    """Return the log of every action, also of those that have said nothing yet."""
    boxes: list[tuple[str | None, Action]] = [
        (part.id, one) for part in document.components or () for one in part.actions
    ]
    boxes += [(None, one) for one in document.actions]
    names = {part.id: part.name for part in document.components or ()}
    return [
        LogView(
            key=key_of(component, action.id),
            name=" / ".join(filter(None, (names.get(component or ""), action.name or action.id))),
            lines=[
                line
                for line in lines
                if line.component == component and line.action_id == action.id
            ],
            opened=action.status in {"failed", "in_progress"},
        )
        for component, action in boxes
    ]


def key_of(component: str | None, action: str | None) -> str:
    """Return the id of an action's element; ids of actions may be any text."""
    text = f"{component or ''}/{action or ''}"
    return "a" + text.encode().hex()


class _Moments:
    """The time from the submission of a request to its end, or to now."""

    def __init__(self, document: Document, now: datetime) -> None:
        self.now = now
        self.start = times.read(document.created_at)
        actions = [*document.actions, *(a for c in document.components or () for a in c.actions)]
        ends = [self._end(one) for one in actions if one.started_at]
        end = max(ends, default=self.start)
        self.whole = max((end - self.start).total_seconds(), 0.001)

    def bar(self, action: Action) -> Bar | None:
        """Return when an action ran, in percent."""
        if not action.started_at:
            return None
        start = (times.read(action.started_at) - self.start).total_seconds()
        length = (self._end(action) - times.read(action.started_at)).total_seconds()
        left = min(max(100 * start / self.whole, 0.0), 100 - LEAST_WIDTH)
        width = min(max(100 * length / self.whole, LEAST_WIDTH), 100 - left)
        return Bar(round(left, 2), round(width, 2))

    def took(self, action: Action) -> str:
        """Return how long an action ran, or has been running."""
        if not action.started_at:
            return ""
        return times.span(self._end(action) - times.read(action.started_at))

    def _end(self, action: Action) -> datetime:
        return times.read(action.finished_at) if action.finished_at else self.now


def _steps(actions: Sequence[Action], component: str, moments: _Moments) -> list[StepView]:
    return [
        StepView(
            key=key_of(component, one.id),
            name=one.name or one.id,
            status=one.status,
            attempts=_("attempt %(n)s") % {"n": one.attempt} if one.attempt > 1 else "",
            reference=one.external_reference or "",
            url=web_address(one.url),
            took=moments.took(one),
            since=one.started_at or "" if one.status in _RUNNING else "",
            bar=moments.bar(one),
            note=_note(one),
            error=one.error.message if one.error else "",
            adopted=one.adopted,
        )
        for one in actions
    ]


def _part(component: Component, names: Mapping[str, str], moments: _Moments) -> Part:
    after = ", ".join(names.get(one, one) for one in component.depends_on)
    return Part(
        name=component.name,
        href=f"/requests/{component.request_id}",
        status=component.status,
        retrying=component.retrying,
        after=_("after %(names)s") % {"names": after} if after else "",
        error=component.error.message if component.error else "",
        steps=_steps(component.actions, component.id, moments),
    )


def _note(action: Action) -> str:
    if action.status == "skipped":
        return action.reason or ""
    wait = action.waiting
    if wait is None:
        return ""
    if wait.kind == "approval":
        people = [*getattr(wait, "approvers").users, *getattr(wait, "approvers").teams]  # noqa: B009 -- of this kind of wait only
        return _("Waits for an approval by %(people)s.") % {"people": ", ".join(people)}
    return _("Waits for its ticket.") if wait.kind == "resolution" else _("Waits for its target.")


def _sentence(document: Document, now: datetime) -> str:
    if document.status == RequestStatus.COMPLETED:
        took = times.read(document.updated_at) - times.read(document.created_at)
        return _("Done after %(span)s.") % {"span": times.span(took)}
    actions = [*document.actions, *(a for c in document.components or () for a in c.actions)]
    running = [(n, one) for n, one in enumerate(actions, 1) if one.status == "in_progress"]
    if len(running) == 1 and running[0][1].started_at:
        number, one = running[0]
        since = times.span(max(now - times.read(one.started_at or ""), timedelta()))
        return _("Step %(n)s of %(all)s, %(name)s, has run for %(span)s.") % {
            "n": number,
            "all": len(actions),
            "name": one.name or one.id,
            "span": since,
        }
    if len(running) > 1:
        return ngettext("%(n)s step runs.", "%(n)s steps run.", len(running)) % {"n": len(running)}
    return after_state(document.summary)


def _may(document: Document) -> str:
    if not document.may_decide:
        return ""
    return "decide" if document.status == RequestStatus.FAILED else "approve"


def _nodes(stored: Stored, document: Document) -> list[Node]:
    if document.components:
        return [
            Node(one.id, one.name, one.status, tuple(one.depends_on)) for one in document.components
        ]
    after = {one.get("id"): tuple(one.get("depends_on") or ()) for one in stored.row.plan}
    return [
        Node(one.id, one.name or one.id, one.status, after.get(one.id, ()))
        for one in document.actions
    ]


def _made(document: Document) -> list[Made]:
    """Return what was made: of each action its reference, then its other outputs."""
    parts: list[tuple[str, str | None, Sequence[Action]]] = [
        (one.name, one.id, one.actions) for one in document.components or ()
    ]
    parts.append(("", None, document.actions))
    return [
        made
        for part, component, actions in parts
        for action in actions
        for made in _of_action(action, part, key_of(component, action.id))
    ]


def _of_action(action: Action, part: str, key: str) -> list[Made]:
    name = " / ".join(filter(None, (part, action.name or action.id)))
    found = []
    if action.external_reference:
        found.append(Made(f"{key}-r", name, action.external_reference, web_address(action.url)))
    known = {action.external_reference, action.url}
    for number, (output, value) in enumerate((action.outputs or {}).items()):
        text = value if isinstance(value, str) else str(value)
        # The id of a ticket is of use to nobody who has its key.
        if text in known or (output == "id" and action.external_reference):
            continue
        found.append(Made(f"{key}-{number}", f"{name}: {output}", text, web_address(text)))
    return found


def web_address(text: str | None) -> str | None:
    """Return an address that may become a link: only of the web."""
    return text if text and text.startswith(("http://", "https://")) else None
