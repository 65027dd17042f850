"""The rules of the reconciler: how a row and its workflow diverge. Pure."""

from datetime import datetime, timedelta
from enum import StrEnum

from db.repositories.open_requests import OpenRequest
from pao.app.resumption import never_started
from pao.clients.inspection import WorkflowPresence, WorkflowState
from pao.core.states import RequestStatus


class Divergence(StrEnum):
    """How an open row and its workflow differ; also the names that are counted.

    ``behind``: the workflow lives and shows another state or run. ``ended``: it has carried the
    request to its end, and the row does not show it. ``lost``: it is gone.
    """

    AGREES = "agrees"
    BEHIND = "behind"
    ENDED = "ended"
    LOST = "lost"


def compare(
    row: OpenRequest, state: WorkflowState, *, now: datetime, memory: timedelta
) -> Divergence:
    """Return how a row diverges; ``memory`` is how long Temporal surely knows an id."""
    if state.presence == WorkflowPresence.UNKNOWN:
        young = row.created_at > now - memory
        # The sweeper starts a row that was never started, as long as that is safe.
        # A component that never began is started by its bundle, however long that takes.
        waits = never_started(row, state) and (row.is_component or young)
        return Divergence.AGREES if waits else Divergence.LOST
    if state.presence == WorkflowPresence.LOST:
        return Divergence.LOST
    if state.presence == WorkflowPresence.COMPLETED:
        return Divergence.ENDED
    waits_for_a_worker = row.run_id is None and state.status == RequestStatus.SUBMITTED
    same = row.status == state.status and row.run_id == state.run_id
    return Divergence.AGREES if same or waits_for_a_worker else Divergence.BEHIND
