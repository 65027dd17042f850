"""Why a step has not run, or what it waits for, in words. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from api.requests.schemas import Action
from api.web.words import _, condition_in_words
from catalog.forms.base import label_from_id

_NOT_TRUE = re.compile(r"when (.+): not true", re.DOTALL)
"""What the engine gives as the reason of an action whose condition does not hold."""


def labels_of(definition: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the fields of a form, as an item's stored definition has them."""
    form = (definition.get("presentation") or {}).get("form") or {}
    fields = (one for group in form.get("groups") or () for one in group.get("fields") or ())
    return {one["id"]: one.get("name") or label_from_id(one["id"]) for one in fields}


def note_of(action: Action, labels: Mapping[str, str]) -> str:
    """Return what is said beneath a step."""
    if action.status == "skipped":
        return _why_skipped(action.reason or "", labels)
    wait = action.waiting
    if wait is None:
        return ""
    if wait.kind == "approval":
        people = [*getattr(wait, "approvers").users, *getattr(wait, "approvers").teams]  # noqa: B009 -- of this kind of wait only
        return _("Waits for an approval by %(people)s.") % {"people": ", ".join(people)}
    return _("Waits for its ticket.") if wait.kind == "resolution" else _("Waits for its target.")


def _why_skipped(reason: str, labels: Mapping[str, str]) -> str:
    """Return why an action did not run; the engine writes "when fields.public: not true"."""
    found = _NOT_TRUE.fullmatch(reason)
    if found is None:
        return reason
    return _("It runs only when %(condition)s.") % {
        "condition": condition_in_words(found[1], labels)
    }
