"""Resumes a request whose earlier workflow is lost: what was running, and what is open.

Only bookkeeping: nothing is carried out here, and the request waits in ``failed`` afterwards.
"""

from pao.core.components import COMPONENT
from pao.core.errors import ErrorCode
from pao.core.payloads.actions import ActionState
from pao.core.payloads.failures import ActionFailure
from pao.core.payloads.requests import Resumption
from pao.core.states import ActionStatus
from workflows.ledger import Ledger
from workflows.open_decisions import OpenDecisions
from workflows.snapshots import Snapshots

RUNNING = frozenset({ActionStatus.IN_PROGRESS, ActionStatus.WAITING})


def resume(
    ledger: Ledger,
    open_decisions: OpenDecisions,
    *,
    snapshots: Snapshots,
    resumption: Resumption,
) -> None:
    """Fill a new run's records from the mirror; decisions, attempts and outputs are kept."""
    snapshots.continue_after(resumption.mirror_at, resumption.mirror_seq)
    ledger.resume(resumption)
    # A component is a separate request: it reports its state itself.
    running = [state for state in ledger.states if state.status in RUNNING]
    interrupted = [state for state in running if state.type != COMPONENT]
    for state in interrupted:
        _fail_interrupted(ledger, state, resumption.reason)
    if not interrupted and ledger.failure is None:
        ledger.record_stop(resumption.reason)
    for record in resumption.decisions:
        open_decisions.adopt(record, gone=resumption.reason)


def _fail_interrupted(ledger: Ledger, state: ActionState, reason: str) -> None:
    """Close an action that was running: its effect may exist, and a retry looks for it first."""
    message = (
        f"{reason} {state.name!r} was running; it may have taken effect. A retry checks first."
    )
    failure = ActionFailure(
        code=ErrorCode.EXTERNAL_SERVICE_ERROR,
        message=message,
        retryable=True,
        outcome_unknown=True,
    )
    ledger.fail(state, failure)
