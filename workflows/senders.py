"""Checks who sent a signal: without PAO's proof it came through Temporal, whatever it claims."""

from typing import Any

from temporalio import workflow
from temporalio.exceptions import FailureError

from pao.core import names
from pao.core.payloads.decisions import SenderAnswer, SenderQuery
from workflows import policies

UNPROVEN_VOTE = (
    "an approval counts only if it is sent through PAO's API (pao request approve or reject); one "
    "sent as a Temporal signal counts only if the operator has set PAO_TEMPORAL_APPROVALS"
)


async def ask_sender(request_id: str, signal: str, args: tuple[Any, ...]) -> SenderAnswer:
    """Return whether PAO has sent this signal to this request."""
    payload = args[0] if len(args) == 1 and isinstance(args[0], dict) else {}
    try:
        answer: SenderAnswer = await workflow.execute_local_activity(
            names.CHECK_SENDER_ACTIVITY,
            SenderQuery(request_id, signal, payload),
            result_type=SenderAnswer,
            summary=f"who sent {signal}?",
            **policies.SENDER,
        )
    except FailureError:
        return SenderAnswer()
    return answer


async def prove(request_id: str, signal: str, payload: dict[str, Any]) -> dict[str, Any]:
    """Return the payload with PAO's proof of origin, or without one if no worker makes it."""
    try:
        proven: dict[str, Any] = await workflow.execute_local_activity(
            names.PROVE_ACTIVITY,
            SenderQuery(request_id, signal, payload),
            result_type=dict,
            summary=f"prove {signal}",
            **policies.SENDER,
        )
    except FailureError:
        return payload
    return proven
