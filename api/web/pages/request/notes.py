"""Texts on why a step has not run, what it waits for, and what may be decided. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from api.requests.schemas import Action, Request
from api.web.words import _, condition_in_words
from catalog.forms.base import label_from_id
from pao.core.failure_classes import Cause
from pao.core.states import ApprovalVote, Decision

CANCEL = "cancel"
_NOT_TRUE = re.compile(r"when (.+): not true", re.DOTALL)
"""What the engine gives as the reason of an action whose condition does not hold."""


_CHOICES = {
    Decision.RETRY: _("retry"),
    Decision.ESCALATE: _("escalate"),
    Decision.ABORT: _("abort"),
}


def choices_of(document: Request) -> str:
    """Return the decisions that are possible: "Decide: retry, escalate or abort"."""
    possible = set(document.possible_decisions)
    if possible and document.components:
        # What failed is retried on the request of its component, where the page leads.
        possible.add(Decision.RETRY)
    *others, last = [words for one, words in _CHOICES.items() if one in possible] or [""]
    if not last:
        return _("Decide")
    if not others:
        return _("Decide: %(one)s") % {"one": last}
    return _("Decide: %(some)s or %(last)s") % {"some": ", ".join(others), "last": last}


def is_cancelled(document: Request) -> bool:
    """Return whether a person has stopped what failed."""
    return _last_decision(document) == CANCEL


def is_expired(document: Request) -> bool:
    """Return whether an approval has failed because its deadline passed without a vote against."""
    step = document.waiting_action
    declined = document.cause == Cause.DECLINED and not document.components
    of_people = step is not None and step.type == "approval"
    return declined and of_people and _last_decision(document) != ApprovalVote.REJECT


def _last_decision(document: Request) -> str:
    accepted = [one.decision for one in document.decisions if one.accepted]
    return accepted[-1] if accepted else ""


def advice_of(document: Request) -> str:
    """Return why a decision is suggested, unless the error says it already."""
    in_doubt = document.error is not None and document.error.outcome_unknown
    if in_doubt or not document.may_decide:
        return ""
    if is_cancelled(document):
        return _("It was cancelled. A retry starts this step again.")
    if is_expired(document):
        return _("No one decided in time. A retry requests approval again.")
    return document.suggestion.reason if document.suggestion else ""


def labels_of(definition: Mapping[str, Any]) -> dict[str, str]:
    """Return the names of the fields of a form, as an item's stored definition has them."""
    form = (definition.get("presentation") or {}).get("form") or {}
    fields = (one for group in form.get("groups") or () for one in group.get("fields") or ())
    return {one["id"]: one.get("name") or label_from_id(one["id"]) for one in fields}


def corrected_of(document: Request, labels: Mapping[str, str]) -> list[str]:
    """Return the names of the fields that accepted decisions have changed since the submission."""
    changed = (name for one in document.decisions if one.accepted for name in one.changes or {})
    return [labels.get(name, name) for name in dict.fromkeys(changed)]


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
