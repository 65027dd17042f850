"""Parses the arguments of signals. Whatever was sent, the result is a record, not an error."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from pao.core.components import BundleDecision
from pao.core.documents import from_document
from pao.core.names import MASK, PROOF, SEALED_PREFIX
from pao.core.passwords import passwords_of
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.tickets import Escalation
from pao.core.states import Decision
from workflows.options import MAX_DEPTH, MODES, OPTIONS, is_deeper_than, read_options

# The UUID namespace of decisions that come without an id.
DECISION_NAMESPACE = UUID("5f0c2f0e-0f3b-4c0a-9a43-9f0d6f7c1b52")
KNOWN_KEYS = {"by", "via", "reason", "decisionId", "fields", "mode", PROOF, *OPTIONS}
VOTE_KEYS = {"by", "via", "reason", "decisionId", "actionId", "teams", "email", PROOF}
MOST_TEAMS = 1_000
MAX_TEXT = 2_000
MAX_ID = 100
# Corrections are kept in history beside the fields that they change.
MAX_FIELDS = 128 * 1024
VOTE_SHAPE = 'one JSON object such as {"actionId": "approval-1", "by": "ann", "reason": "fine"}'
SHAPE = 'one JSON object such as {"by": "ann", "reason": "quota was raised"}'


def read_command(
    kind: str,
    args: tuple[Any, ...],
    *,
    at: str,
    fallback_id: str,
    bounds_evidence: Callable[[], bool] = lambda: True,
) -> tuple[DecisionRecord, dict[str, Any]]:
    """Turn a signal's arguments into a decision record and its corrected fields.

    Invalid input results in a record whose outcome is ``rejected`` and whose message shows a valid
    input. The API requires a reason; an operator may leave it out.
    ``bounds_evidence`` is asked, for evidence that is nested too deep only, whether to refuse it.
    """
    record = DecisionRecord(decision_id=fallback_id, decision=kind, at=at)
    payload, problem = _read_payload(args, SHAPE)
    problem = problem or _fill_record(record, payload, KNOWN_KEYS) or _check_fields(kind, payload)
    problem = problem or read_options(record, payload, bounds_evidence)
    if problem:
        record.outcome = "rejected"
        record.message = problem
    return record, payload.get("fields") or {}


def fallback_id(request_id: str, kind: str, args: tuple[Any, ...], number: int) -> str:
    """Return an id for a decision that came without one: the same when a reset replays its signal.

    ``number`` counts how often the same signal has come before.
    """
    try:
        content = json.dumps([request_id, kind, args, number], sort_keys=True, default=_as_text)
    except (RecursionError, TypeError, ValueError):
        content = json.dumps([request_id, kind, number])
    return str(uuid5(DECISION_NAMESPACE, content))


def _as_text(value: Any) -> str:
    """Serialize what JSON cannot; an unreadable payload as its bytes."""
    payload = getattr(value, "payload", None)
    return payload.SerializeToString().hex() if payload is not None else type(value).__name__


@dataclass(frozen=True)
class Voter:
    """Who an approval's signal claims to come from, and which action it is about."""

    action_id: str | None = None
    teams: tuple[str, ...] = ()
    email: str | None = None


def read_vote(
    kind: str, args: tuple[Any, ...], *, at: str, fallback_id: str
) -> tuple[DecisionRecord, Voter]:
    """Turn a signal's arguments into the record of an approval or a rejection, and its voter.

    Invalid input results in a record whose message shows a valid input.
    """
    record = DecisionRecord(decision_id=fallback_id, decision=kind, at=at)
    payload, problem = _read_payload(args, VOTE_SHAPE)
    record.message = problem or _fill_record(record, payload, VOTE_KEYS) or _check_voter(payload)
    if record.message:
        return record, Voter()
    teams = payload.get("teams") or []
    voter = Voter(payload.get("actionId"), tuple(teams[:MOST_TEAMS]), payload.get("email"))
    return record, voter


def read_bundle_decision(
    args: tuple[Any, ...],
) -> tuple[dict[str, Any], Escalation | None, str | None]:
    """Parse what a bundle sends: a person's decision, the bundle's ticket, a problem."""
    try:
        decision = from_document(BundleDecision, args[0] if len(args) == 1 else None)
    except ValueError as error:
        return {}, None, f"this is not a decision about a bundle: {error}"
    command = {
        "decision": decision.decision,
        "decisionId": decision.decision_id,
        "by": decision.by,
        "via": decision.via,
        "reason": decision.reason,
    }
    ticket = decision.escalation
    if decision.decision not in (Decision.ABORT, Decision.ESCALATE, Decision.CANCEL):
        return {}, None, "only abort, escalate and cancel come from a bundle"
    if (command["decision"] == Decision.ESCALATE) != (ticket is not None):
        return {}, None, "an escalation comes with the bundle's ticket, anything else without"
    return command, ticket, None


def _check_voter(payload: dict[str, Any]) -> str | None:
    for key in ("actionId", "email"):
        value = payload.get(key)
        if value is not None and not (isinstance(value, str) and len(value) <= MAX_TEXT):
            return f"{key} must be a string"
    teams = payload.get("teams") or []
    if not isinstance(teams, list) or not all(isinstance(team, str) for team in teams):
        return "teams must be a list of names"
    return None


def _read_payload(args: tuple[Any, ...], shape: str) -> tuple[dict[str, Any], str | None]:
    if not args or (len(args) == 1 and args[0] is None):
        return {}, None
    if len(args) > 1:
        return {}, f"the signal carried {len(args)} inputs; send {shape}"
    if not isinstance(args[0], dict):
        return {}, f"the signal's input is not an object; send {shape}"
    return args[0], None


def _fill_record(record: DecisionRecord, payload: dict[str, Any], keys: set[str]) -> str | None:
    unknown = sorted(str(key)[:MAX_ID] for key in payload if key not in keys)
    wrong = [
        key
        for key in ("by", "via", "reason", "decisionId", "mode")
        if payload.get(key) is not None and not isinstance(payload[key], str)
    ]
    given_id = payload.get("decisionId")
    too_long = isinstance(given_id, str) and len(given_id) > MAX_ID
    if isinstance(given_id, str) and given_id and not too_long:
        record.decision_id = given_id
    if isinstance(payload.get("by"), str):
        record.by = payload["by"][:MAX_ID] or record.by
    if isinstance(payload.get("reason"), str):
        record.reason = payload["reason"][:MAX_TEXT]
    if payload.get("via") == "api":
        record.via = "api"
    if isinstance(payload.get("mode"), str):
        record.mode = payload["mode"][:MAX_ID]
    if unknown:
        known = ", ".join(sorted(keys - {"via", PROOF}))
        return f"unknown keys: {', '.join(unknown[:5])}; known are {known}"
    if too_long:
        return f"decisionId is longer than {MAX_ID} characters"
    if wrong:
        return f"these must be strings: {', '.join(wrong)}"
    return None


def _check_fields(kind: str, payload: dict[str, Any]) -> str | None:
    fields = payload.get("fields")
    if fields is not None and not isinstance(fields, dict):
        return "fields must be an object of field ids and values"
    if fields and is_deeper_than(MAX_DEPTH, fields):
        return f"the corrected fields are nested deeper than {MAX_DEPTH} levels"
    if fields and len(json.dumps(fields, default=str)) > MAX_FIELDS:
        return f"the corrected fields are too large: more than {MAX_FIELDS} bytes of JSON"
    if fields and kind != Decision.RETRY:
        return "only a retry takes corrected fields"
    return _check_mode(kind, payload.get("mode"))


def _check_mode(kind: str, mode: Any) -> str | None:
    if mode is not None and mode not in MODES:
        return f"mode must be one of {', '.join(MODES)}"
    return "only a retry takes a mode" if mode and kind != Decision.RETRY else None


def unsealed_passwords(definition: dict[str, Any], changes: dict[str, Any]) -> list[str]:
    """Return the password fields whose new value is not sealed, which history must not contain.

    The mask that is shown for a password may be sent: it leaves the password as it is.
    """
    return sorted(
        path
        for path, value in passwords_of(definition).values_in(changes).items()
        if not (isinstance(value, str) and (value == MASK or value.startswith(SEALED_PREFIX)))
    )
