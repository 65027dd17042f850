"""The rows of a request that completed at once, built by its submission without a query.

They equal what a reader finds; `tests/api/test_api_submission.py` compares them.
"""

from dataclasses import fields
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from sqlalchemy.orm.attributes import instance_dict, manager_of_class

from db.documents import storable
from db.models import Request, RequestAction
from db.repositories.requests import NewRequest, columns_of_new
from pao.core.documents import stored_value
from pao.core.payloads.actions import ActionState
from pao.core.payloads.plan import PlannedAction
from pao.core.payloads.requests import CompletedState
from pao.core.states import RequestStatus

R = TypeVar("R", Request, RequestAction)

_MOMENTS = ("started_at", "finished_at", "doubt_since")
_COPIED = [one.name for one in fields(ActionState) if one.name in RequestAction.model_fields]


def completed_rows(
    new: NewRequest, completed: CompletedState
) -> tuple[Request, list[RequestAction]]:
    """Return the rows of a request that was submitted and has completed."""
    columns = storable(columns_of_new(new))
    row = _row(
        Request,
        {name: columns[name] for name in columns if name in Request.model_fields}
        | {
            "id": UUID(columns["id"]),
            "correlation_id": UUID(columns["correlation_id"]),
            "created_at": datetime.fromisoformat(columns["created_at"]),
            "request_metadata": columns["metadata"],
            "status": RequestStatus.COMPLETED,
            "run_id": completed.run_id,
            "mirror_at": datetime.fromisoformat(completed.mirror_at),
            "mirror_seq": completed.mirror_seq,
            "updated_at": datetime.fromisoformat(completed.updated_at),
            "settled_at": datetime.fromisoformat(completed.mirror_at),
        },
    )
    plan = {one.id: one for one in new.plan}
    return row, [_action(row.id, plan[one.id], one) for one in completed.actions]


def _action(request_id: UUID, planned: PlannedAction, state: ActionState) -> RequestAction:
    values: dict[str, Any] = {name: stored_value(getattr(state, name)) for name in _COPIED}
    moments = {name: datetime.fromisoformat(values[name]) for name in _MOMENTS if values[name]}
    return _row(
        RequestAction,
        storable(values)
        | moments
        | {
            "request_id": request_id,
            "action_id": state.id,
            "action_index": state.index,
            "config": storable(planned.config),
            "ever_started": True,
        },
    )


def _row(model: type[R], values: dict[str, Any]) -> R:
    """Return a row as the ORM makes one that it has read, a tenth of what the constructor takes."""
    row: R = manager_of_class(model).new_instance()
    own = instance_dict(row)
    own.update(values)
    for name, one in model.model_fields.items():
        if name not in own:
            own[name] = one.get_default(call_default_factory=True)
    return row
