"""What a request made: of each action its reference, then its other outputs. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from api.requests.schemas import Action, Request
from api.web.pages.request.keys import key_of
from api.web.words import _

_KINDS = {
    "jira-ticket": _("Ticket"),
    "github-workflow": _("Workflow run"),
    "git-commit": _("Commit"),
    "terraform": _("Infrastructure"),
    "rest-api": _("Call"),
    "webhook": _("Call"),
    "notification": _("Message"),
}
"""What people call what an action of a type makes."""


_RUN = frozenset({"status", "conclusion"})
"""What a workflow run says of itself: it is done, as the state of its step tells already."""


@dataclass(frozen=True, slots=True)
class Made:
    """Something that a request made: what it is, its value, where it is; ``step`` made it."""

    key: str
    label: str
    step: str
    value: str
    href: str | None


def made_by(document: Request) -> list[Made]:
    """Return what was made, by a bundle's components first."""
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
    step = " / ".join(filter(None, (part, action.name or action.id)))
    found = []
    if action.external_reference:
        href = web_address(action.url)
        kind = _KINDS.get(action.type, _("Reference"))
        found.append(Made(f"{key}-r", kind, step, action.external_reference, href))
    known = {action.external_reference, action.url}
    for number, (output, value) in enumerate((action.outputs or {}).items()):
        text = value if isinstance(value, str) else str(value)
        # The id of a ticket is of use to nobody who has its key.
        if text in known or (output == "id" and action.external_reference):
            continue
        if action.type == "github-workflow" and output in _RUN:
            continue
        found.append(Made(f"{key}-{number}", output, step, text, web_address(text)))
    return found


def web_address(text: str | None) -> str | None:
    """Return an address that may become a link: only of the web."""
    return text if text and text.startswith(("http://", "https://")) else None
