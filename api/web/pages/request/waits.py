"""When a request waited for people, and what they decided, as notes on its steps. Pure."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from api.requests.history import HumanWait
from api.requests.schemas import Action, DecisionRecord, Request
from api.web import times
from api.web.pages.request.keys import key_of
from api.web.words import DECISIONS, _, did

_APPROVAL = "approval"


def waits_by_step(
    document: Request, waits: Sequence[HumanWait], now: datetime
) -> dict[str, list[str]]:
    """Return by step what it waited for people: "Waited 3 h. Priya retried: quota raised."."""
    found: dict[str, list[str]] = defaultdict(list)
    for wait in waits:
        action = wait.action_id or _approval(document, wait)
        if action is not None:
            found[key_of(wait.component, action)].append(_wait_words(document, wait, now))
    return found


def _wait_words(document: Request, wait: HumanWait, now: datetime) -> str:
    if wait.ended_at is None:
        length = times.whole_span(now - wait.since)
        return _("Has waited for people for %(span)s.") % {"span": length}
    waited = _("Waited %(span)s.") % {"span": times.whole_span(wait.ended_at - wait.since)}
    decision = _decision(document, wait) if wait.component is None else None
    if decision is None:
        return waited
    decided = did(decision.decision, decision.by)
    return f"{waited} {decided}: {decision.reason}" if decision.reason else f"{waited} {decided}."


def _decision(document: Request, wait: HumanWait) -> DecisionRecord | None:
    """Return the last decision that was made while it waited, and ended that."""
    accepted = [
        one
        for one in document.decisions
        if one.accepted and wait.since <= times.read(one.at) and one.decision in DECISIONS
    ]
    later = [one for one in accepted if wait.ended_at and times.read(one.at) >= wait.ended_at]
    earlier = [one for one in accepted if one not in later]
    if wait.kind == _APPROVAL:
        return earlier[-1] if earlier else next(iter(later), None)
    # The wait ends when the decision is carried out, which may be at the same moment.
    return next(iter(earlier), None) or next(iter(later), None)


def _approval(document: Request, wait: HumanWait) -> str | None:
    """Return the approval that was asked for when a wait began."""
    actions: Sequence[Action] = document.actions
    if wait.component is not None:
        components = [one for one in document.components or () if one.id == wait.component]
        actions = components[0].actions if components else ()
    begun = [
        one
        for one in actions
        if one.type == _APPROVAL
        and one.started_at
        and int(times.read(one.started_at).timestamp()) <= wait.since.timestamp()
    ]
    return begun[-1].id if begun else None
