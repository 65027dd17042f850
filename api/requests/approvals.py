"""Approvals over HTTP: who may decide about a waiting action, and what is sent to the workflow."""

from typing import Any

from api.auth.principal import Principal
from api.requests.reading import StoredRequest
from db.models import RequestAction
from pao.core.errors import ErrorCode, PaoError
from pao.core.payloads.waits import Approvers, OpenApproval, read_wait
from pao.core.states import ActionStatus


def require_approver(
    stored: StoredRequest, caller: Principal, action_id: str, *, was_asked: bool
) -> None:
    """Refuse callers who are not approvers of the action; the workflow checks everything else.

    ``was_asked`` says whether the caller was ever asked: approvers of an approval that has ended
    are told how it ended.
    """
    action = next((one for one in stored.actions if one.action_id == action_id), None)
    if action is None:
        waiting = [one.action_id for one in stored.actions if one.status == ActionStatus.WAITING]
        raise PaoError(
            ErrorCode.VALIDATION_ERROR,
            f"The request has no such action. Waiting actions: {', '.join(waiting) or 'none'}.",
        )
    people = _approvers(action)
    if people is None and was_asked:
        return
    if people is None or not _is_approver(people, caller):
        people_words = (
            _people_words(people) if people else "nobody, because it is not waiting for an approval"
        )
        raise PaoError(ErrorCode.FORBIDDEN, f"{action_id} is decided by: {people_words}.")


def vote(stored: StoredRequest, caller: Principal, action_id: str) -> dict[str, Any]:
    """Return what the signal says about the caller besides the reason: verified here, by the API.

    A requester who has another id in another source is recognized by e-mail address; the workflow
    compares it exactly, so it gets the spelling of the requester's own address.
    """
    action = next(one for one in stored.actions if one.action_id == action_id)
    people = _approvers(action) or Approvers()
    teams = sorted(set(caller.teams).intersection(people.teams))
    address, own = caller.email, stored.row.user_email
    if address and own and address.casefold() == own.casefold() and not _allows_self(action):
        address = own
    return {"actionId": action_id, "teams": teams, "email": address}


def _approvers(action: RequestAction) -> Approvers | None:
    """Return who decides about the approval that an action waits for; None where it does not."""
    wait = read_wait(action.waiting)
    return wait.approvers if isinstance(wait, OpenApproval) else None


def _allows_self(action: RequestAction) -> bool:
    wait = read_wait(action.waiting)
    return isinstance(wait, OpenApproval) and wait.allow_self


def _is_approver(people: Approvers, caller: Principal) -> bool:
    is_named = caller.id in people.users or caller.email in people.users
    return is_named or not set(people.teams).isdisjoint(caller.teams)


def _people_words(people: Approvers) -> str:
    return ", ".join([*people.users, *(f"team {team}" for team in people.teams)])
