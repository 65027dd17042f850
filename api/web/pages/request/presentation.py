"""What the page of a request shows: its steps with times, its fields in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from pydantic import ValidationError

from api.requests.history import HumanWait, UsualTimes
from api.requests.reading import StoredRequest
from api.requests.schemas import Action, Component
from api.requests.schemas import Request as Document
from api.web import times
from api.web.pages.request.diagram import Diagram, DiagramNode, diagram_of
from api.web.pages.request.keys import key_of
from api.web.pages.request.notes import advice_of, choices_of, labels_of, note_of
from api.web.pages.request.results import Result, results_of, web_address
from api.web.pages.request.waits import waits_by_step
from api.web.shown_values import shown_value
from api.web.words import STATES, _, after_state, ngettext
from catalog.forms.definition import FieldType, FormDefinition
from pao.core.names import MASK
from pao.core.states import TERMINAL, RequestStatus

LEAST_WIDTH = 0.6
_RUNNING = frozenset({"in_progress", "waiting"})
_ICONS = {
    RequestStatus.COMPLETED: "icon-good.svg",
    RequestStatus.FAILED: "icon-bad.svg",
    RequestStatus.ABORTED: "icon-bad.svg",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """A span of time, in percent of the request's."""

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
    waited: list[Bar]
    notes: list[str]
    error: str
    adopted: bool


@dataclass(frozen=True, slots=True)
class ComponentSteps:
    """The steps of a component of a bundle; without a name, those of the request itself."""

    steps: list[StepView]
    name: str = ""
    href: str = ""
    status: str = ""
    retrying: bool = False
    after: str = ""
    held: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestHistory:
    """The waits of a request, and how long requests of its item usually take."""

    waits: Sequence[HumanWait] = ()
    usual: UsualTimes | None = None
    usual_steps: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RequestView:
    """Everything of a request that changes while it runs."""

    document: Document
    live: bool
    sentence: str
    slow: bool
    parts: list[ComponentSteps]
    diagram: Diagram | None
    results: list[Result]
    action: str
    """What the reader may decide: `decide`, `approve`, or nothing."""
    icon: str
    choices: str
    """The text of the button that leads to the decision."""
    advice: str


def request_view(
    stored: StoredRequest, document: Document, now: datetime, past: RequestHistory
) -> RequestView:
    """Return what changes while a request runs."""
    request_times = _RequestTimes(document, now, past)
    names = {one.id: one.name for one in document.components or ()}
    states = {one.id: one.status for one in document.components or ()}
    parts = [
        _component_steps(one, names, states, request_times) for one in document.components or ()
    ]
    # A bundle's own steps follow its components.
    parts.append(
        ComponentSteps(
            steps=_steps(
                document.actions, None, request_times, labels_of(stored.row.item_definition)
            )
        )
    )
    running = _running(document)
    return RequestView(
        document=document,
        live=document.status not in TERMINAL,
        sentence=_sentence(document, running, now),
        slow=any(request_times.is_slow(one) for _number, one in running),
        parts=[one for one in parts if one.steps or one.name],
        diagram=diagram_of(_nodes(stored, document), chains=bool(document.components)),
        results=results_of(document),
        action=_possible_action(document),
        icon=_ICONS.get(document.status, "icon.svg"),
        choices=choices_of(document),
        advice=advice_of(document),
    )


def usual_words(usual: UsualTimes | None) -> str:
    """Return how such requests usually go; nothing where too few are known."""
    if usual is None:
        return ""
    words = {
        "median": times.span(timedelta(seconds=usual.median)),
        "most": times.span(timedelta(seconds=usual.most)),
        "helped": usual.helped_percent,
    }
    if not usual.helped_percent:
        return _("%(median)s, 90 %% within %(most)s") % words
    return _("%(median)s, 90 %% within %(most)s, %(helped)s %% needed a person") % words


def answers(stored: StoredRequest, fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the fields in the form's order, with their labels and values in words."""
    form = form_of(stored)
    if form is None:
        return [(name, str(value)) for name, value in fields.items()]
    return [
        (one.label, MASK if one.type is FieldType.PASSWORD else shown_value(one, fields[one.id]))
        for one in form.fields
        if one.id in fields
    ]


def form_of(stored: StoredRequest) -> FormDefinition | None:
    """Return the form that was filled in; None where another version of PAO has stored it."""
    definition = (stored.row.item_definition.get("presentation") or {}).get("form") or {}
    try:
        return FormDefinition.model_validate(definition)
    except ValidationError:
        return None


class _RequestTimes:
    """The time from the submission of a request to its end, or to now."""

    def __init__(self, document: Document, now: datetime, past: RequestHistory) -> None:
        self.now, self.past = now, past
        self.said = document.error.message if document.error else ""
        self.start = times.read(document.created_at)
        self.notes = waits_by_step(document, past.waits, now)
        actions = [*document.actions, *(a for c in document.components or () for a in c.actions)]
        ends = [self._end(one) for one in actions if one.started_at]
        ends += [one.ended_at or now for one in past.waits]
        end = max(ends, default=self.start)
        self.whole = max((end - self.start).total_seconds(), 0.001)

    def bar(self, action: Action) -> Bar | None:
        """Return when an action ran last, in percent."""
        if not action.started_at:
            return None
        return self._bar(times.read(action.started_at), self._end(action))

    def waited(self, component: str | None, action: Action) -> list[Bar]:
        """Return when people were waited for after an action had failed, in percent."""
        return [
            self._bar(one.since, one.ended_at or self.now)
            for one in self.past.waits
            if (one.component, one.action_id) == (component, action.id)
        ]

    def took(self, action: Action) -> str:
        """Return how long an action ran, or has been running."""
        if not action.started_at:
            return ""
        return times.span(self._end(action) - times.read(action.started_at))

    def is_slow(self, action: Action) -> bool:
        """Return whether a running action takes longer than nine of ten others did."""
        usual = self.past.usual_steps.get(action.id)
        if usual is None or not action.started_at or action.finished_at:
            return False
        return (self.now - times.read(action.started_at)).total_seconds() > usual

    def error(self, action: Action) -> str:
        """Return why an action failed, unless the page says so above the steps already."""
        message = action.error.message if action.error else ""
        return "" if message in self.said else message

    def _bar(self, start: datetime, end: datetime) -> Bar:
        offset, length = (start - self.start).total_seconds(), (end - start).total_seconds()
        left = min(max(100 * offset / self.whole, 0.0), 100 - LEAST_WIDTH)
        width = min(max(100 * length / self.whole, LEAST_WIDTH), 100 - left)
        return Bar(round(left, 2), round(width, 2))

    def _end(self, action: Action) -> datetime:
        return times.read(action.finished_at) if action.finished_at else self.now


def _steps(
    actions: Sequence[Action],
    component: str | None,
    request_times: _RequestTimes,
    labels: Mapping[str, str] = MappingProxyType({}),
) -> list[StepView]:
    return [
        StepView(
            key=(key := key_of(component, one.id)),
            name=one.name or one.id,
            status=one.status,
            attempts=_("attempt %(n)s") % {"n": one.attempt} if one.attempt > 1 else "",
            reference=one.external_reference or "",
            url=web_address(one.url),
            took=request_times.took(one),
            since=one.started_at or "" if one.status in _RUNNING else "",
            bar=request_times.bar(one),
            waited=request_times.waited(component, one),
            notes=[*filter(None, [note_of(one, labels)]), *request_times.notes.get(key, ())],
            error=request_times.error(one),
            adopted=one.adopted,
        )
        for one in actions
    ]


def _component_steps(
    component: Component,
    names: Mapping[str, str],
    states: Mapping[str, RequestStatus],
    request_times: _RequestTimes,
) -> ComponentSteps:
    after = ", ".join(names.get(one, one) for one in component.depends_on)
    return ComponentSteps(
        name=component.name,
        href=f"/requests/{component.request_id}",
        status=component.status,
        retrying=component.retrying,
        after=_("after %(names)s") % {"names": after} if after else "",
        held=_blocked_by(component, names, states),
        error=_own_error(component),
        steps=_steps(component.actions, component.id, request_times),
    )


def _own_error(component: Component) -> str:
    """Return why a component failed, unless the step that failed says so already."""
    step_messages = {one.error.message for one in component.actions if one.error}
    message = component.error.message if component.error else ""
    return "" if message in step_messages else message


def _blocked_by(
    component: Component, names: Mapping[str, str], states: Mapping[str, RequestStatus]
) -> str:
    """Return why a component has not begun."""
    if component.status != RequestStatus.SUBMITTED:
        return ""
    waited = [
        f"{names.get(one, one)} ({STATES[states[one]].lower()})"
        for one in component.depends_on
        if states.get(one) not in {None, RequestStatus.COMPLETED}
    ]
    return (
        _("Held until this is completed: %(names)s.") % {"names": ", ".join(waited)}
        if waited
        else ""
    )


def _running(document: Document) -> list[tuple[int, Action]]:
    actions = [*document.actions, *(a for c in document.components or () for a in c.actions)]
    return [(n, one) for n, one in enumerate(actions, 1) if one.status == "in_progress"]


def _sentence(document: Document, running: list[tuple[int, Action]], now: datetime) -> str:
    if document.status == RequestStatus.COMPLETED:
        took = times.read(document.updated_at) - times.read(document.created_at)
        done = _("Done after %(span)s.") % {"span": times.span(took)}
        return " ".join(filter(None, (after_state(document.summary), done)))
    if len(running) == 1 and running[0][1].started_at:
        number, one = running[0]
        since = times.span(max(now - times.read(one.started_at or ""), timedelta()))
        component_actions = (component.actions for component in document.components or ())
        return _("Step %(n)s of %(all)s, %(name)s, has run for %(span)s.") % {
            "n": number,
            "all": len(document.actions) + sum(map(len, component_actions)),
            "name": one.name or one.id,
            "span": since,
        }
    if len(running) > 1:
        return ngettext("%(n)s step runs.", "%(n)s steps run.", len(running)) % {"n": len(running)}
    return after_state(document.summary)


def _possible_action(document: Document) -> str:
    if not document.may_decide:
        return ""
    return "decide" if document.status == RequestStatus.FAILED else "approve"


def _nodes(stored: StoredRequest, document: Document) -> list[DiagramNode]:
    if document.components:
        return [
            DiagramNode(one.id, one.name, one.status, tuple(one.depends_on))
            for one in document.components
        ]
    after = {one.get("id"): tuple(one.get("depends_on") or ()) for one in stored.row.plan}
    return [
        DiagramNode(one.id, one.name or one.id, one.status, after.get(one.id, ()))
        for one in document.actions
    ]
