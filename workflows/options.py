"""Parses a decision's options: the attempt, consents, evidence."""

import json
from collections.abc import Callable
from typing import Any

from pao.core.payloads.decisions import DecisionRecord
from pao.core.states import Decision

OPTIONS = frozenset({"attempt", "acceptUsed", "leaveBehind", "evidence"})
FLAGS = ("acceptUsed", "leaveBehind")
MODES = ("automatic", "manual", "revise")
EVIDENCE_KEYS = frozenset({"present", "outputs", "actionId"})
MAX_EVIDENCE = 64 * 1024
MAX_DEPTH = 64
"""How deep a sent value may be nested; code that reads and writes it recurses."""
EVIDENCE_SHAPE = '{"present": true, "outputs": {...}} or {"present": false}'


def read_options(
    record: DecisionRecord, payload: dict[str, Any], bounds_evidence: Callable[[], bool]
) -> str | None:
    """Copy the options into the record; return what is wrong with them."""
    given = {key: payload[key] for key in OPTIONS if payload.get(key) is not None}
    problem = (
        _check_attempt(given) or _check_flags(given) or _check_evidence(given, bounds_evidence)
    )
    problem = problem or _check_kind(record, given)
    if problem:
        return problem
    record.attempt = given.get("attempt")
    record.accept_used = given.get("acceptUsed", False)
    record.leave_behind = given.get("leaveBehind", False)
    record.evidence = given.get("evidence")
    return None


def _check_attempt(payload: dict[str, Any]) -> str | None:
    attempt = payload.get("attempt", 0)
    if isinstance(attempt, bool) or not isinstance(attempt, int) or attempt < 0:
        return "attempt must be the number of the attempt that the decision is about"
    return None


def _check_flags(payload: dict[str, Any]) -> str | None:
    wrong = [key for key in FLAGS if not isinstance(payload.get(key, False), bool)]
    return f"{wrong[0]} must be true or false" if wrong else None


def _check_evidence(payload: dict[str, Any], is_bounded: Callable[[], bool]) -> str | None:
    evidence = payload.get("evidence")
    if evidence is None:
        return None
    is_well_formed = isinstance(evidence, dict) and isinstance(evidence.get("present"), bool)
    if not is_well_formed or evidence.keys() - EVIDENCE_KEYS:
        return f"evidence must be {EVIDENCE_SHAPE}"
    if is_deeper_than(MAX_DEPTH, evidence) and is_bounded():
        return f"the evidence is nested deeper than {MAX_DEPTH} levels"
    if len(json.dumps(evidence, default=str)) > MAX_EVIDENCE:
        return f"the evidence is too large: more than {MAX_EVIDENCE} bytes of JSON"
    return _check_evidence_parts(evidence)


def _check_evidence_parts(evidence: dict[str, Any]) -> str | None:
    outputs, action = evidence.get("outputs"), evidence.get("actionId")
    if outputs is not None and not isinstance(outputs, dict):
        return f"the outputs of evidence must be an object: {EVIDENCE_SHAPE}"
    if action is not None and not isinstance(action, str):
        return "the actionId of evidence must be a string"
    if outputs and not evidence["present"]:
        return "evidence that there was no effect cannot have outputs"
    return None


def _check_kind(record: DecisionRecord, payload: dict[str, Any]) -> str | None:
    if record.decision == Decision.RETRY:
        return None
    wrong = sorted(key for key in payload if key != "attempt" and payload[key] is not False)
    return f"only a retry takes {', '.join(wrong)}" if wrong else None


def is_deeper_than(depth: int, value: Any) -> bool:
    """Return whether a value is nested deeper; a hostile one would overflow the stack."""
    level = [value]
    for _ in range(depth + 1):
        level = [member for one in level for member in _members(one)]
        if not level:
            return False
    return True


def _members(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
