"""The events of requests in the worker's log, for operators: one line each.

They are logged when the mirror stores them, because only then is an event known to be new:
workflows are replayed, and their tasks executed again after a failure.
"""

import logging
from typing import Any

from db.repositories.mirror import WriteResult
from pao.core.payloads.mirror import AuditEvent, Snapshot, StreamEvent
from pao.core.states import RequestStatus
from pao.runtime.logging import log_fields

_log = logging.getLogger("pao.events")

# The execution log has the events of actions as well, as sentences.
_ACTION_PREFIX = "action."
_NOBODY = frozenset({"workflow", "unknown"})
_SENTENCES = {
    "request.in_progress": "the request is in progress",
    "request.completed": "the request is completed",
    "request.retry": "retry decided",
    "request.cancel": "cancel decided",
    "request.aborted": "abort decided; the request is aborted",
    "request.escalated": "escalate decided; the request is escalated",
    "request.fallback": "the manual way is taken",
    "request.resumed": "the request is resumed, and waits for a decision",
    "request.restored": "the request is written again",
    "escalation.failed": "the escalation failed; the request waits for a decision again",
    "signal.unknown": "a signal of an unknown name is ignored",
    "signal.ignored": "a signal is ignored",
    "approval.approve": "approved",
    "approval.reject": "rejected",
}


def log_events(snapshot: Snapshot, recorded: WriteResult) -> None:
    """Log what a write has added to a request's records, in order."""
    lines = [_audit_event(snapshot, one) for one in snapshot.audit if one.seq in recorded.lines]
    entries = [_stream_event(one) for one in snapshot.stream if one.seq in recorded.entries]
    events = sorted((one for one in lines + entries if one), key=lambda one: one[0])
    if not events:
        return
    with log_fields(requestId=snapshot.request_id, correlationId=recorded.correlation_id):
        for _, message, extra in events:
            _log.info("%s", message, extra={key: one for key, one in extra.items() if one})


_Event = tuple[int, str, dict[str, Any]]


def _audit_event(snapshot: Snapshot, line: AuditEvent) -> _Event | None:
    if line.event_type.startswith(_ACTION_PREFIX):
        return None
    if line.event_type == f"request.{RequestStatus.FAILED}":
        return line.seq, _failure_message(snapshot, line), {"event": line.event_type}
    decision = line.data.get("decision")
    message = _SENTENCES.get(line.event_type, line.event_type)
    if line.event_type == "decision.rejected":
        message = f"{decision or 'a decision'} is refused"
    by = None if line.actor in _NOBODY else line.actor
    if by:
        message += f", by {by}"
    if line.reason:
        message += f": {line.reason}"
    extra = {"event": line.event_type, "actionId": line.action_id, "decision": decision}
    return (
        line.seq,
        message,
        extra | {"by": by, "via": line.via if line.via != "workflow" else None},
    )


def _failure_message(snapshot: Snapshot, line: AuditEvent) -> str:
    """Return the message of a failed request: what it waits for; an action's line says why."""
    suggested = (snapshot.error_context or {}).get("suggestedDecision", {}).get("decision")
    known = {one.data.get("message", "") for one in snapshot.stream if one.kind == "log"}
    why = line.reason and not any(line.reason in one for one in known)
    message = f"the request failed{f': {line.reason}' if why else ''}"
    advice = f"; suggested: {suggested}" if suggested else ""
    return f"{message}; it waits for a decision: retry, abort or escalate{advice}"


def _stream_event(entry: StreamEvent) -> _Event | None:
    """Return the event of an action's log line; other entries are in the audit trail as well."""
    if entry.kind != "log" or not entry.data.get("actionId"):
        return None
    data = entry.data
    extra = {"event": "action", "actionId": data["actionId"], "attempt": data["attempt"]}
    return entry.seq, str(data["message"]), extra
