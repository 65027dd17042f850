"""Conditions for approvers: which requests ask somebody to approve."""

from sqlalchemy import ColumnElement, and_, exists, func, literal, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import col

from db.models import Request, RequestAction, RequestAudience
from db.models.columns import WORDS
from pao.core.states import ActionStatus

PREFIX = "approver"


def viewers(user_id: str, email: str | None, teams: tuple[str, ...]) -> list[str]:
    """Return the viewers of the audience that stand for somebody who was asked to approve."""
    users = [user_id, email] if email else [user_id]
    return [*(f"approver:{user}" for user in users), *(f"approvers:{team}" for team in teams)]


def is_among(viewers_asked: list[str]) -> ColumnElement[bool]:
    """Return the condition that one of these viewers was asked for an approval of a request."""
    return exists(
        select(col(RequestAudience.request_id)).where(
            col(RequestAudience.request_id) == col(Request.id),
            col(RequestAudience.viewer).in_(viewers_asked),
        )
    )


def waits_for(user_id: str, email: str | None, teams: tuple[str, ...]) -> ColumnElement[bool]:
    """Return the condition that a request or a component of it waits for this person's approval."""
    own = aliased(Request)
    waiting = col(RequestAction.waiting)
    users = literal([user_id, email] if email else [user_id], WORDS)
    by_name = waiting["approvers"]["users"].has_any(users)
    by_team = waiting["approvers"]["teams"].has_any(literal(list(teams), WORDS))
    own_address = func.lower(func.coalesce(col(Request.user_email), ""))
    is_other = and_(col(Request.user_id) != user_id, own_address != (email or "-").lower())
    others = or_(is_other, waiting["allowSelf"].astext == "true")
    return exists(
        select(col(RequestAction.request_id))
        .join(own, col(own.id) == col(RequestAction.request_id))
        .where(
            or_(col(own.id) == col(Request.id), col(own.parent_id) == col(Request.id)),
            col(RequestAction.status) == ActionStatus.WAITING,
            or_(by_name, by_team) if teams else by_name,
            others,
        )
    )
