"""Conditions for who may see a request and who may decide about it."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, literal, or_, true
from sqlmodel import col

from db.models import Request
from db.models.columns import WORDS
from db.repositories import approvers
from pao.core.states import RequestStatus


@dataclass(frozen=True, slots=True, kw_only=True)
class Visibility:
    """The person on whose behalf requests are read."""

    user_id: str
    teams: tuple[str, ...] = ()
    admin: bool = False
    email: str | None = None

    @property
    def asked(self) -> list[str]:
        """The viewers that stand for somebody who was asked to approve."""
        return approvers.viewers(self.user_id, self.email, self.teams)


def may_see(visibility: Visibility) -> ColumnElement[bool]:
    """Return the condition that a person may see a request."""
    if visibility.admin:
        return true()
    return or_(
        _is_own(visibility),
        teams_overlap(visibility.teams),
        approvers.is_among(visibility.asked),
    )


def may_decide(visibility: Visibility) -> ColumnElement[bool]:
    """Return the condition that a request waits for a decision that this person may make.

    About a failed one its submitter, the owning team and admins decide, about an approval those who
    are asked.
    """
    decides = true() if visibility.admin else _is_own(visibility)
    return or_(and_(is_failed(), decides), waits_for(visibility))


def is_failed() -> ColumnElement[bool]:
    """Return the condition that a request is failed and not retried."""
    return and_(col(Request.status) == RequestStatus.FAILED, col(Request.retrying).is_(False))


def waits_for(visibility: Visibility) -> ColumnElement[bool]:
    """Return the condition that a request waits for this person's approval."""
    asked = approvers.waits_for(visibility.user_id, visibility.email, visibility.teams)
    return and_(col(Request.waiting_since).is_not(None), asked)


def teams_overlap(teams: Sequence[str]) -> ColumnElement[bool]:
    """Return the condition that the submitter was in one of these teams."""
    return col(Request.user_teams).op("&&", is_comparison=True)(literal(list(teams), WORDS))


def _is_own(visibility: Visibility) -> ColumnElement[bool]:
    return or_(
        col(Request.user_id) == visibility.user_id,
        col(Request.owner_team).in_(visibility.teams),
    )
