"""Approvals over HTTP: who may decide about a waiting action, and what the workflow is told."""

from typing import Any

from api.auth.principal import Principal
from api.requests.reading import Stored
from pao.core.errors import ErrorCode, PaoError
from pao.core.states import ActionStatus


def require_approver(stored: Stored, caller: Principal, action_id: str, *, asked: bool) -> None:
    """Refuse who is no approver of the action; what else speaks against it the workflow judges.

    ``asked`` says whether the caller was ever asked: of an approval that has ended, its approvers
    are told how it ended.
    """
    action = next((one for one in stored.actions if one.action_id == action_id), None)
    if action is None:
        waiting = [one.action_id for one in stored.actions if one.status == ActionStatus.WAITING]
        raise PaoError(
            ErrorCode.VALIDATION_ERROR,
            f"The request has no action of that id; waiting are: {', '.join(waiting) or 'none'}.",
        )
    people = (action.waiting or {}).get("approvers")
    if people is None and asked:
        return
    if people is None or not _is_approver(people, caller):
        named = _named(people) if people else "nobody, it waits for no approval"
        raise PaoError(ErrorCode.FORBIDDEN, f"{action_id} is decided by: {named}.")


def vote(stored: Stored, caller: Principal, action_id: str) -> dict[str, Any]:
    """Give what the signal says of the caller beside the reason: verified here, by the API."""
    action = next(one for one in stored.actions if one.action_id == action_id)
    people = (action.waiting or {}).get("approvers") or {}
    teams = sorted(set(caller.teams).intersection(people.get("teams") or ()))
    return {"actionId": action_id, "teams": teams, "email": caller.email}


def _is_approver(people: dict[str, Any], caller: Principal) -> bool:
    users, teams = people.get("users") or (), people.get("teams") or ()
    return caller.id in users or caller.email in users or not set(teams).isdisjoint(caller.teams)


def _named(people: dict[str, Any]) -> str:
    teams = [f"team {team}" for team in people.get("teams") or ()]
    return ", ".join([*(people.get("users") or ()), *teams])
