"""The actions of listed requests, with only what a list shows of them."""

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col

from db.models import Request, RequestAction
from pao.core.states import ActionStatus

# Besides every ticket, a list shows what runs, waits or failed.
_LISTED_STATUSES = (ActionStatus.IN_PROGRESS, ActionStatus.WAITING, ActionStatus.FAILED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionSummary:
    """An action as its request's summary shows it."""

    request_id: UUID
    owner_team: str | None
    action_id: str
    type: str
    name: str
    status: ActionStatus
    external_reference: str | None
    outcome_unknown: bool
    waiting: dict[str, Any] | None
    ticket_status: dict[str, Any] | None


_ACTION_FIELDS = tuple(one.name for one in fields(ActionSummary) if one.name != "owner_team")
_COLUMNS = tuple(col(getattr(RequestAction, name)) for name in _ACTION_FIELDS)


class ActionSummariesRepository:
    """Reads the actions of a page of requests at once."""

    def __init__(self, session: AsyncSession) -> None:
        self._session = session

    async def of(self, request_ids: Sequence[str]) -> dict[str, list[ActionSummary]]:
        """Return the actions that run, wait, failed or have a ticket, in the order of each plan.

        Of a bundle the actions of its components follow its own.
        """
        if not request_ids:
            return {}
        ids = [UUID(one) for one in request_ids]
        ticket = and_(
            col(RequestAction.type) == "jira-ticket",
            col(RequestAction.external_reference).is_not(None),
        )
        query = (
            select(*_COLUMNS, col(Request.owner_team), col(Request.parent_id))
            .join(Request, col(Request.id) == col(RequestAction.request_id))
            .where(
                or_(col(Request.id).in_(ids), col(Request.parent_id).in_(ids)),
                or_(col(RequestAction.status).in_(_LISTED_STATUSES), ticket),
            )
            .order_by(
                col(Request.parent_id).is_not(None),
                col(Request.created_at),
                col(Request.id),
                col(RequestAction.action_index),
                col(RequestAction.action_id),
            )
        )
        summaries: dict[str, list[ActionSummary]] = {one: [] for one in request_ids}
        for row in (await self._session.execute(query)).mappings():
            step = ActionSummary(**{name: row[name] for name in row if name != "parent_id"})
            for request_id in (str(step.request_id), str(row["parent_id"])):
                if request_id in summaries:
                    summaries[request_id].append(step)
        return summaries


def action_summaries(request: Request, actions: Sequence[RequestAction]) -> list[ActionSummary]:
    """Return the same for actions that were read completely."""
    return [
        ActionSummary(
            owner_team=request.owner_team, **{name: getattr(one, name) for name in _ACTION_FIELDS}
        )
        for one in actions
    ]
