"""What a person needs to know to decide, in whole sentences. Pure words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from api.requests.schemas import Look, Request, SimilarFailures
from api.requests.summary import team_name
from api.web import times
from api.web.pages.request.notes import is_cancelled, is_expired
from api.web.targets import capital, made_by, name_of
from api.web.words import _, ngettext
from pao.core.failure_classes import SUGGESTIONS, Cause
from pao.core.states import Decision, RequestStatus

_WHY = {
    Cause.ACCESS: _("%(target)s denied access"),
    Cause.QUOTA: _("a quota of %(target)s is used up"),
    Cause.INPUT: _("%(target)s refused the values"),
    Cause.TARGET_DOWN: _("%(target)s did not answer"),
    Cause.CONFLICT: _("it conflicts with something that exists in %(target)s"),
    Cause.OURS: _("PAO or this service is not set up for it"),
    Cause.DECLINED: _("it was rejected"),
    Cause.UNKNOWN: _("the cause is not known"),
}
_RETRY_ADVICE = {
    Cause.ACCESS: _("A retry fails again until the credentials or the rights are fixed."),
    Cause.QUOTA: _("A retry can help once the quota allows it."),
    Cause.INPUT: _("A retry with the same values would fail again; correct them first."),
    Cause.TARGET_DOWN: _("A retry can help: the values were not the problem."),
    Cause.CONFLICT: _("A retry can succeed once the conflict is gone, or with other values."),
    Cause.OURS: _("A retry fails again until PAO or the service is fixed."),
    Cause.DECLINED: _("A retry requests approval again."),
    Cause.UNKNOWN: _("There is no sign that a retry would succeed."),
}
_DID = {
    "retry": _("%(who)s retried this %(ago)s"),
    "abort": _("%(who)s aborted this %(ago)s"),
    "escalate": _("%(who)s escalated this %(ago)s"),
    "cancel": _("%(who)s cancelled this %(ago)s"),
    "approve": _("%(who)s approved this %(ago)s"),
    "reject": _("%(who)s rejected this %(ago)s"),
}


@dataclass(frozen=True, slots=True)
class LookWords:
    """The result of a look: a sentence, and the label of the retry button."""

    sentence: str
    retry: str
    is_good: bool


def target_of(document: Request) -> str:
    """Return the target of what has failed, as a sentence names it."""
    return name_of(document.waiting_action.type if document.waiting_action else "")


def failure_sentence(document: Request, now: datetime) -> str:
    """Return in a sentence what failed, when and why."""
    step = document.waiting_action.name if document.waiting_action else document.title
    since = times.read(document.waiting_since) if document.waiting_since else now
    error = document.error
    cause = Cause(document.cause) if document.cause in set(Cause) else Cause.UNKNOWN
    why = _WHY[cause] % {"target": target_of(document)}
    if is_cancelled(document):
        why = _("it was cancelled")
    elif is_expired(document):
        why = _("no one decided in time")
    if error is not None and error.outcome_unknown:
        why = _("it is not known whether %(target)s has done it") % {"target": target_of(document)}
    words = {"step": step, "ago": ago(since, now), "why": why, "n": document.attempt}
    if document.attempt > 1:
        return _("%(step)s failed %(ago)s, in attempt %(n)s: %(why)s.") % words
    return _("%(step)s failed %(ago)s: %(why)s.") % words


def suggestion_reason(document: Request) -> str:
    """Return why a decision is suggested, where that says more than whether a retry helps."""
    in_doubt = document.error is not None and document.error.outcome_unknown
    if document.suggestion is None or in_doubt or is_cancelled(document):
        return ""
    cause = Cause(document.cause) if document.cause in set(Cause) else Cause.UNKNOWN
    _decision, default = SUGGESTIONS[cause]
    return "" if document.suggestion.reason == default else document.suggestion.reason


def retry_advice(document: Request) -> str:
    """Return whether a retry can help, and why."""
    error = document.error
    if is_cancelled(document):
        return _("A retry starts this step again.")
    if error is not None and error.outcome_unknown:
        return _("A retry looks first, and adopts what exists.")
    if error is not None and error.retryable and document.cause in {Cause.UNKNOWN, Cause.OURS}:
        return _("A retry can help: the same call may succeed later.")
    return _RETRY_ADVICE[Cause(document.cause) if document.cause in set(Cause) else Cause.UNKNOWN]


def keeps_values(document: Request) -> bool:
    """Return whether the values were probably not the problem."""
    if document.error is not None and document.error.outcome_unknown:
        return True
    return document.cause in {Cause.TARGET_DOWN, Cause.ACCESS, Cause.QUOTA, Cause.OURS}


def look_words(
    document: Request, found: Look | None, unknown: str, zone: ZoneInfo, now: datetime
) -> LookWords:
    """Return the result of a look; without one, why there is none."""
    kind = document.waiting_action.type if document.waiting_action else ""
    words = {"target": capital(name_of(kind)), "time": times.short(now, zone, now)}
    if found is not None and found.answer == "found":
        what = found.would_adopt.external_reference if found.would_adopt else None
        words["what"] = what or _("its effect")
        return LookWords(
            _("Found %(what)s with this request's mark. Retry adopts it and creates nothing.")
            % words,
            _("Retry and adopt %(what)s") % {"what": what or _("what exists")},
            is_good=True,
        )
    if found is not None and found.answer == "absent":
        words["made"] = made_by(kind)
        if found.reason:
            words["reason"] = found.reason.rstrip(".")
            sentence = _("%(reason)s (%(time)s). Retry creates %(made)s.")
        else:
            sentence = _("%(target)s has nothing for it (%(time)s). Retry creates %(made)s.")
        label = _("Retry and create %(made)s") if kind in _CREATES else _("Retry")
        return LookWords(sentence % words, label % words, is_good=True)
    why = (found.reason if found else unknown) or _("%(target)s did not answer") % words
    sentence = _("%(why)s. A retry now would fail: nothing is created blindly.")
    return LookWords(sentence % {"why": capital(why.rstrip("."))}, _("Retry anyway"), is_good=False)


_CREATES = frozenset({"jira-ticket", "github-workflow", "git-commit"})


def last_decision(document: Request, now: datetime) -> str:
    """Return the last decision and the state of the request now; empty without a decision."""
    accepted = [one for one in document.decisions if one.accepted]
    if not accepted:
        return ""
    last = accepted[-1]
    words = {"who": capital(last.by), "ago": ago(times.read(last.at), now)}
    did = _DID.get(last.decision, _("%(who)s decided about this %(ago)s")) % words
    reason = _(": %(reason)s") % {"reason": last.reason.rstrip(".")} if last.reason else ""
    return f"{did}{reason}; {_status_words(document)}."


def _status_words(document: Request) -> str:
    if document.retrying:
        attempt = max((one.attempt for one in document.actions), default=1)
        return _("attempt %(n)s is running") % {"n": attempt}
    words = {
        RequestStatus.SUBMITTED: _("it has not started yet"),
        RequestStatus.IN_PROGRESS: _("it continues"),
        RequestStatus.COMPLETED: _("it is completed"),
        RequestStatus.FAILED: _("attempt %(n)s failed") % {"n": document.attempt},
        RequestStatus.ABORTED: _("it has ended"),
        RequestStatus.ESCALATED: _("a ticket has taken it over"),
    }
    return words[document.status]


def ago(moment: datetime, now: datetime) -> str:
    """Return how long ago something was, to the second: who decided last matters by seconds."""
    length = now - moment
    if length < timedelta(seconds=1):
        return _("just now")
    return _("%(span)s ago") % {"span": times.whole_span(length)}


def similar_words(found: SimilarFailures) -> list[str]:
    """Return how failures like this one went, one sentence each; nothing where there were none."""
    if not found.count:
        return []
    words = [
        ngettext(
            "%(n)s request failed in the same step for the same cause within 90 days.",
            "%(n)s requests failed in the same step for the same cause within 90 days.",
            found.count,
        )
        % {"n": found.count}
    ]
    outcomes = (
        (found.solved, _("%(n)s solved by a retry")),
        (found.escalated, _("%(n)s escalated")),
        (found.aborted, _("%(n)s aborted")),
    )
    outcome_words = [text % {"n": count} for count, text in outcomes if count]
    return [*words, capital(", ".join(outcome_words)) + "."] if outcome_words else words


def people_of(users: Sequence[str], teams: Sequence[str]) -> str:
    """Return who may decide."""
    return ", ".join([*users, *map(team_name, teams)])


def abort_words(left: int) -> str:
    """Return what an abort leaves, as its button is called."""
    if not left:
        return _("Abort, nothing to clean up")
    return ngettext("Abort and clean up %(n)s thing", "Abort and clean up %(n)s things", left) % {
        "n": left
    }


def first_decision(document: Request) -> str:
    """Return the decision that comes first: the suggested one, where it is possible."""
    suggestion = document.suggestion
    wanted = suggestion.decision if suggestion else Decision.RETRY.value
    if wanted == "evidence":
        wanted = Decision.RETRY.value
    possible = [one.value for one in document.possible_decisions]
    return wanted if wanted in possible else next(iter(possible), "")
