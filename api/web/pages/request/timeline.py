"""What happened to a request, as one list: its steps, and what people decided. Pure words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from api.requests.history import TimelineEvent
from api.requests.schemas import Request
from api.web import times
from api.web.pages.request.results import web_address
from api.web.shown_values import shown_value
from api.web.words import STATES, _
from catalog.forms.definition import FieldDefinition, FieldType
from catalog.forms.writing import WRITE_ONLY
from pao.core.states import RequestStatus

_STEP = {
    "in_progress": _("%(name)s began, attempt %(attempt)s"),
    "completed": _("%(name)s is completed"),
    "failed": _("%(name)s failed in attempt %(attempt)s"),
    "skipped": _("%(name)s was skipped"),
    "waiting": _("%(name)s waits"),
}

DID = {
    "retry": _("retried"),
    "abort": _("aborted it"),
    "escalate": _("escalated it"),
    "cancel": _("cancelled it"),
    "approve": _("approved"),
    "reject": _("rejected"),
}
SHORT = 60
"""So long a value may be to stand in a line."""
_NAMED_ONLY = WRITE_ONLY | {FieldType.JSON, FieldType.LIST}


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One line of the list; ``who`` is empty where no person did it."""

    at: datetime
    text: str
    about: str
    who: str = ""
    href: str | None = None
    refused: bool = False


def timeline(
    document: Request, events: Sequence[TimelineEvent], fields: Mapping[str, FieldDefinition]
) -> list[TimelineLine]:
    """Return everything in the order of its time, decisions with who made them and why.

    ``fields`` are those of the form, by which corrected values are named.
    """
    names = {("", one.id): one.name or one.id for one in document.actions}
    for component in document.components or ():
        names |= {
            (component.id, one.id): f"{component.name} / {one.name or one.id}"
            for one in component.actions
        }
    lines = [
        TimelineLine(times.read(document.created_at), _("submitted it"), "", document.user.id),
        *(_step(one, names) for one in events if one.kind == "action"),
        *(_state(one, document) for one in events if one.kind == "state" and _is_listed(one)),
    ]
    for decision in document.decisions:
        changed = ", ".join(
            _change_words(name, change, fields.get(name))
            for name, change in (decision.changes or {}).items()
        )
        reason = (decision.reason or "").rstrip(".")
        parts = [reason, _("changed %(fields)s") % {"fields": changed} if changed else ""]
        if not decision.accepted:
            parts.append(_("refused: %(why)s") % {"why": decision.message or decision.outcome})
        lines.append(
            TimelineLine(
                times.read(decision.at),
                DID.get(decision.decision, decision.decision),
                "; ".join(filter(None, parts)),
                decision.by,
                refused=not decision.accepted,
            )
        )
    return sorted(lines, key=lambda one: one.at)


def _change_words(name: str, change: Any, field: FieldDefinition | None) -> str:
    """Return which value was corrected, and from what to what where that is short."""
    if field is None:
        return name
    if field.type in _NAMED_ONLY or not isinstance(change, Mapping):
        return field.label
    old, new = (shown_value(field, change.get(side)) for side in ("old", "new"))
    if len(old) > SHORT or len(new) > SHORT or "\n" in old + new:
        return field.label
    return _("%(label)s from %(old)s to %(new)s") % {"label": field.label, "old": old, "new": new}


def _step(one: TimelineEvent, names: Mapping[tuple[str, str], str]) -> TimelineLine:
    data: Mapping[str, Any] = one.data
    action = str(data.get("id") or "")
    words = {
        "name": names.get((one.component or "", action), action),
        "attempt": data.get("attempt") or 1,
    }
    text = _STEP.get(str(data.get("status")), _("%(name)s")) % words
    error = (data.get("error") or {}).get("message") or ""
    reference = data.get("externalReference") or ""
    return TimelineLine(
        one.at,
        text,
        error or data.get("note") or reference,
        href=None if error else web_address(data.get("url")),
    )


def _is_listed(one: TimelineEvent) -> bool:
    """Return whether a state is worth a line: how a request begins is said by its steps."""
    return one.data.get("status") not in {RequestStatus.SUBMITTED, RequestStatus.IN_PROGRESS}


def _state(one: TimelineEvent, document: Request) -> TimelineLine:
    names = {component.id: component.name for component in document.components or ()}
    retrying = one.data.get("retrying")
    status = _("Retrying") if retrying else STATES.get(str(one.data.get("status")), "")
    what = names.get(one.component or "", _("The request"))
    return TimelineLine(one.at, _("%(what)s: %(state)s") % {"what": what, "state": status}, "")
