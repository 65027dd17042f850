"""What a request made: of each action its reference, then its other outputs. Pure."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from api.requests.schemas import Action, Request
from api.web.pages.request.keys import key_of
from api.web.words import _

_TERRAFORM = "terraform"
_KINDS = {
    "jira-ticket": _("Ticket"),
    "github-workflow": _("Workflow run"),
    "git-commit": _("Commit"),
    _TERRAFORM: _("Infrastructure"),
    "rest-api": _("Call"),
    "webhook": _("Call"),
    "notification": _("Message"),
}
"""What people call what an action of a type makes."""


_RUN = frozenset({"status", "conclusion"})
"""Outputs of a workflow run that only repeat the state of its step."""


@dataclass(frozen=True, slots=True)
class Result:
    """Something that a request made: what it is, its value, where it is; ``step`` made it."""

    key: str
    label: str
    step: str
    value: str
    href: str | None


def results_of(document: Request) -> list[Result]:
    """Return what was made, by a bundle's components first."""
    parts: list[tuple[str, str | None, Sequence[Action]]] = [
        (one.name, one.id, one.actions) for one in document.components or ()
    ]
    parts.append(("", None, document.actions))
    return [
        result
        for component_name, component, actions in parts
        for action in actions
        for result in _of_action(action, component_name, key_of(component, action.id))
    ]


def _of_action(action: Action, component_name: str, key: str) -> list[Result]:
    step = " / ".join(filter(None, (component_name, action.name or action.id)))
    found = []
    if action.external_reference:
        href = web_address(action.url)
        kind = _KINDS.get(action.type, _("Reference"))
        found.append(Result(f"{key}-r", kind, step, action.external_reference, href))
    if words := plan_words(action):
        found.append(Result(f"{key}-p", _("Plan"), step, words, None))
    own = {action.external_reference, action.url}
    read_outputs = _terraform if action.type == _TERRAFORM else dict
    for number, (output, value) in enumerate(read_outputs(action.outputs or {}).items()):
        text = _text(value)
        # The id of a ticket is of no use beside its key.
        if text in own or (output == "id" and action.external_reference):
            continue
        if action.type == "github-workflow" and output in _RUN:
            continue
        found.append(Result(f"{key}-{number}", output, step, text, web_address(text)))
    return found


def plan_words(action: Action) -> str:
    """Return what Terraform adds, changes and destroys, or nothing where it has not planned."""
    outputs = action.outputs or {}
    plan = outputs.get("plan") if action.type == _TERRAFORM else None
    if not isinstance(plan, Mapping):
        return ""
    counts = {name: plan.get(name, 0) for name in ("add", "change", "destroy")}
    if not any(counts.values()):
        return _("Nothing to change")
    if outputs.get("applied") is False:
        return _("%(add)s to add, %(change)s to change, %(destroy)s to destroy") % counts
    return _("%(add)s added, %(change)s changed, %(destroy)s destroyed") % counts


def _terraform(outputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a terraform action for people: the module's own under their names."""
    own = outputs.get("values")
    inner = {"plan", "values", "pin", "applied"}
    left = {name: one for name, one in outputs.items() if name not in inner}
    return (dict(own) if isinstance(own, Mapping) else {}) | left


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def web_address(text: str | None) -> str | None:
    """Return an address that may become a link: only of the web."""
    return text if text and text.startswith(("http://", "https://")) else None
