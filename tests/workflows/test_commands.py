"""Whatever a signal carries: a record, never an error."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from pao.core.names import MASK
from pao.core.payloads.decisions import DecisionRecord
from workflows.commands import (
    KNOWN_KEYS,
    MAX_FIELDS,
    MAX_ID,
    MAX_TEXT,
    fallback_id,
    read_command,
    unsealed_passwords,
)
from workflows.options import MAX_EVIDENCE

TEXT = st.text(st.characters(), max_size=30)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)
PAYLOAD = st.fixed_dictionaries({}, optional=dict.fromkeys(sorted(KNOWN_KEYS), JSON | TEXT))
KIND = st.sampled_from(["retry", "abort", "escalate"])


def read(kind: str, *args: Any) -> tuple[DecisionRecord, dict[str, Any]]:
    return read_command(kind, args, at="2026-03-01T12:00:00.000Z", fallback_id="made-up")


@given(kind=KIND, args=st.lists(JSON | PAYLOAD | st.binary(), max_size=3))
@example(kind="retry", args=[{"fields": {"a": float("nan")}}])
@example(kind="retry", args=[{"decisionId": ""}])
@example(kind="retry", args=[RawValue(Payload(data=b"\xff"))])
@example(kind="retry", args=[{1: "a key that is no text"}])
def test_anything_at_all_gives_a_record_within_bounds(kind: str, args: list[Any]) -> None:
    record, changes = read(kind, *args)
    assert record.outcome in {"open", "rejected"}
    assert (record.message is not None) == (record.outcome == "rejected")
    assert 0 < len(record.decision_id) <= MAX_ID
    assert 0 < len(record.by) <= MAX_ID
    assert len(record.reason or "") <= MAX_TEXT
    assert record.via in {"api", "temporal"}
    assert isinstance(changes, dict) or record.outcome == "rejected"
    json.dumps(record.__dict__)


@given(kind=KIND, payload=PAYLOAD)
def test_a_readable_signal_says_what_it_was_given(kind: str, payload: dict[str, Any]) -> None:
    record, changes = read(kind, payload)
    if record.outcome == "open":
        assert record.reason == payload.get("reason")
        assert changes == (payload.get("fields") or {})
        assert not changes or kind == "retry"


@pytest.mark.parametrize("args", [(), (None,), ({},)])
def test_no_input_is_a_decision_of_an_unknown_person(args: tuple[Any, ...]) -> None:
    record, changes = read("retry", *args)
    assert (record.outcome, record.by, record.via, record.decision_id, changes) == (
        "open",
        "unknown",
        "temporal",
        "made-up",
        {},
    )


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (({}, {}), "carried 2 inputs"),
        (("now",), "not an object"),
        (([],), "not an object"),
        (({"becuase": "x"},), "unknown keys: becuase; known are acceptUsed, attempt"),
        (({"by": 7, "reason": []},), "must be strings: by, reason"),
        (({"fields": []},), "fields must be an object"),
        (({"mode": "magic"},), "mode must be"),
        (({"attempt": "2"},), "attempt must be the number"),
        (({"attempt": True},), "attempt must be the number"),
        (({"acceptUsed": "yes"},), "acceptUsed must be true or false"),
        (({"evidence": "there"},), "evidence must be"),
        (({"evidence": {"present": True, "outputs": []}},), "must be an object"),
        (({"evidence": {"present": False, "outputs": {"a": 1}}},), "cannot have outputs"),
        (({"evidence": {"present": True, "outputs": {"a": "x" * 70_000}}},), "too large"),
        (({"fields": {"a": "x" * 600_000}},), "too large"),
    ],
)
def test_what_is_wrong_is_told(args: tuple[Any, ...], told: str) -> None:
    record, _ = read("retry", *args)
    assert record.outcome == "rejected"
    assert told in (record.message or "")


def test_only_a_retry_takes_corrected_fields() -> None:
    record, _ = read("abort", {"fields": {"size": 1}})
    assert record.message == "only a retry takes corrected fields"


@pytest.mark.parametrize("kind", ["retry", "abort"])
def test_options_are_kept_with_the_decision(kind: str) -> None:
    seen = {"present": True, "outputs": {"key": "NET-1"}, "actionId": "ticket"}
    options = {"acceptUsed": True, "leaveBehind": True, "evidence": seen}
    record, _ = read(kind, {"attempt": 2, "mode": "manual"} | options)
    if kind == "retry":
        assert (record.outcome, record.attempt, record.mode) == ("open", 2, "manual")
        assert (record.accept_used, record.leave_behind, record.evidence) == (True, True, seen)
    else:
        assert record.message == "only a retry takes a mode"
        record, _ = read(kind, {"attempt": 2} | options)
        assert record.message == "only a retry takes acceptUsed, evidence, leaveBehind"
        assert (record.accept_used, record.leave_behind, record.evidence) == (False, False, None)
        record, _ = read(kind, {"attempt": 0, "acceptUsed": False, "leaveBehind": None})
        assert (record.outcome, record.attempt) == ("open", 0)


@pytest.mark.parametrize("options", [{}, {"acceptUsed": None, "leaveBehind": None}])
def test_nothing_is_consented_to_that_is_not_said(options: dict[str, Any]) -> None:
    record, _ = read("retry", options)
    assert (record.outcome, record.accept_used, record.leave_behind) == ("open", False, False)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"attempt": -1}, "attempt must be the number"),
        ({"leaveBehind": 1}, "leaveBehind must be true or false"),
        ({"evidence": {"outputs": {}}}, "evidence must be"),
        ({"evidence": {"present": "yes"}}, "evidence must be"),
        ({"evidence": {"present": True, "colour": 1}}, "evidence must be"),
        ({"evidence": {"present": True, "actionId": 7}}, "actionId of evidence must be a string"),
        ({"mode": "m" * 200}, "mode must be one of automatic, manual, revise"),
        ({"decisionId": 7, "reason": ["x"]}, "these must be strings: reason, decisionId"),
        ({"via": 7, "mode": 7}, "these must be strings: via, mode"),
        (dict.fromkeys("edcbaf", 1), "unknown keys: a, b, c, d, e; known are"),
        ({"k" * 300: 1}, f"unknown keys: {'k' * 100}; known are"),
    ],
)
def test_what_else_is_wrong_is_told(given: dict[str, Any], told: str) -> None:
    record, _ = read("retry", given)
    assert record.outcome == "rejected"
    assert told in (record.message or "")


def test_evidence_and_corrections_are_read_up_to_their_bounds() -> None:
    def sized(size: int) -> dict[str, Any]:
        return {"a": "x" * (size - len('{"a": ""}'))}

    evidence = {"present": True, "outputs": {}}
    room = MAX_EVIDENCE - len(json.dumps(evidence)) + len("{}")
    for beyond, outcome in ((0, "open"), (1, "rejected")):
        assert read("retry", {"fields": sized(MAX_FIELDS + beyond)})[0].outcome == outcome
        told = evidence | {"outputs": sized(room + beyond)}
        assert read("retry", {"evidence": told})[0].outcome == outcome
    assert read("retry", {"evidence": {"present": False, "outputs": {}}})[0].outcome == "open"
    assert read("retry", {"decisionId": "d" * MAX_ID})[0].decision_id == "d" * MAX_ID


def test_a_refused_signal_keeps_who_sent_it_and_why() -> None:
    given = {"by": "ann", "reason": "why", "decisionId": "d-1", "mode": "manual", "what": 1}
    record, _ = read("retry", given)
    assert (record.by, record.reason, record.decision_id) == ("ann", "why", "d-1")
    assert read("retry", {"by": ""})[0].by == "unknown"


def test_long_texts_are_cut_and_who_sent_them_is_kept() -> None:
    record, _ = read("abort", {"by": "b" * 500, "reason": "r" * 5_000})
    assert (len(record.by), len(record.reason or "")) == (100, 2_000)


def test_nobody_but_the_api_is_taken_for_the_api() -> None:
    assert read("retry", {"via": "api"})[0].via == "api"
    assert read("retry", {"via": "API"})[0].via == "temporal"


DEFINITION = {
    "presentation": {
        "form": {
            "groups": [
                {"fields": [{"id": "token", "type": "password"}, {"id": "b", "type": "string"}]}
            ]
        }
    }
}


@given(value=JSON.filter(lambda value: value is not None))
def test_a_password_that_is_not_sealed_is_found(value: object) -> None:
    assert unsealed_passwords(DEFINITION, {"token": value, "b": "x"}) == ["token"]


@pytest.mark.parametrize(
    "changes",
    [{}, {"b": "clear"}, {"token": None}, {"token": "pao:enc:v1"}, {"token": MASK}],
)
def test_what_is_sealed_or_taken_away_or_no_password_may_pass(changes: dict[str, Any]) -> None:
    assert unsealed_passwords(DEFINITION, changes) == []


@pytest.mark.parametrize("definition", [{}, {"presentation": None}, {"presentation": {"form": {}}}])
def test_an_item_without_a_form_has_no_passwords(definition: dict[str, Any]) -> None:
    assert unsealed_passwords(definition, {"a": 1}) == []


def nested(depth: int) -> dict[str, Any]:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return {"title": value}


@pytest.mark.parametrize("depth", [64, 500, 5_000])
@pytest.mark.parametrize("within", ["fields", "evidence"])
def test_values_that_are_nested_too_deep_are_refused_without_recursion(
    depth: int, within: str
) -> None:
    # One object of its own around the fields, and one more around the outputs.
    for beyond, refused in ((0, depth > 64), (1, True)):
        value = nested(depth + beyond - (1 if within == "fields" else 2))
        given = value if within == "fields" else {"present": True, "outputs": value}
        record, _ = read("retry", {within: given})
        assert (record.outcome == "rejected") is refused
        assert ("nested deeper than 64 levels" in str(record.message)) is refused


def test_an_id_that_is_too_long_is_refused_and_not_cut() -> None:
    record, _ = read_command("abort", ({"decisionId": "d" * 101},), at="now", fallback_id="f")
    assert (record.outcome, record.decision_id) == ("rejected", "f")


def test_a_signal_without_an_id_gets_one_of_its_content() -> None:
    one = fallback_id("r", "retry", ({"by": "ann", "reason": "so"},), 0)
    assert one == fallback_id("r", "retry", ({"reason": "so", "by": "ann"},), 0)
    others = [
        fallback_id("r", "abort", ({"by": "ann", "reason": "so"},), 0),
        fallback_id("q", "retry", ({"by": "ann", "reason": "so"},), 0),
        fallback_id("r", "retry", ({"by": "bob", "reason": "so"},), 0),
        fallback_id("r", "retry", ({"by": "ann", "reason": "so"},), 1),
    ]
    assert len({one, *others}) == 5
