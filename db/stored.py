"""A stored request back in the shape that workflows and renderings work on. No queries here."""

from db.models import Request, RequestAction
from pao.core.payloads import (
    ActionInput,
    ItemSnapshot,
    PlannedAction,
    RequestContext,
    Requester,
    RequestInput,
    timestamp,
)


def context_of(row: Request) -> RequestContext:
    """Give the context of a stored request; passwords in it are sealed."""
    return RequestContext(
        request_id=str(row.id),
        correlation_id=str(row.correlation_id),
        submitted_at=timestamp(row.created_at),
        item=ItemSnapshot(
            id=row.catalog_item_id,
            version=row.catalog_item_version,
            name=row.catalog_item_name,
            owner_team=row.owner_team,
            git_sha=row.item_sha,
            definition=row.item_definition,
        ),
        requester=Requester(id=row.user_id, email=row.user_email, teams=list(row.user_teams)),
        fields=row.fields,
        metadata=row.request_metadata,
    )


def plan_of(row: Request) -> list[PlannedAction]:
    """Give the stored plan."""
    return [PlannedAction(**action) for action in row.plan]


def workflow_input(row: Request) -> RequestInput:
    """Give what the request's workflow is started with."""
    return RequestInput(context=context_of(row), plan=plan_of(row))


def action_input(row: Request, actions: list[RequestAction], action: RequestAction) -> ActionInput:
    """Give what an execution (or a look) of this action would be given now."""
    planned = plan_of(row)[action.action_index]
    return ActionInput(
        context=context_of(row),
        action=planned,
        attempt=action.attempt,
        look_first=True,
        outputs={one.action_id: one.outputs for one in actions if one.outputs is not None},
    )
