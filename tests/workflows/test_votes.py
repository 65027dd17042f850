"""What signals carry besides decisions about the request: votes, and what a bundle sends."""

from typing import Any

import pytest
from temporalio.api.common.v1 import Payload
from temporalio.common import RawValue

from pao.core.documents import to_document
from pao.core.payloads.tickets import Escalation
from workflows.commands import MOST_TEAMS, Voter, fallback_id, read_bundle_decision, read_vote


def vote(*args: Any) -> tuple[Any, Voter]:
    return read_vote("approve", args, at="now", fallback_id="made-up")


def test_a_vote_names_its_action_and_who_votes() -> None:
    record, voter = vote(
        {
            "by": "ann",
            "via": "api",
            "reason": "fine",
            "decisionId": "d-1",
            "actionId": "gate",
            "teams": ["ops"],
            "email": "ann@example.com",
        }
    )
    assert (record.decision, record.decision_id, record.at) == ("approve", "d-1", "now")
    assert (record.by, record.via, record.reason, record.message) == ("ann", "api", "fine", None)
    assert voter == Voter("gate", ("ops",), "ann@example.com")


@pytest.mark.parametrize("args", [(), (None,), ({},)])
def test_a_vote_may_say_nothing(args: tuple[Any, ...]) -> None:
    record, voter = vote(*args)
    assert (record.by, record.decision_id, record.message) == ("unknown", "made-up", None)
    assert voter == Voter()


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (({}, {}), 'carried 2 inputs; send one JSON object such as {"actionId": "approval-1"'),
        (("yes",), 'is not an object; send one JSON object such as {"actionId": "approval-1"'),
        (
            ({"fields": {}},),
            "unknown keys: fields; known are actionId, by, decisionId, email, reason, teams",
        ),
        (({"by": 7},), "these must be strings: by"),
        (({"actionId": 7},), "actionId must be a string"),
        (({"actionId": "a" * 2_001},), "actionId must be a string"),
        (({"email": ["ann"]},), "email must be a string"),
        (({"teams": "ops"},), "teams must be a list of names"),
        (({"teams": ["ops", 7]},), "teams must be a list of names"),
    ],
)
def test_a_vote_that_is_unreadable_counts_for_nobody(args: tuple[Any, ...], told: str) -> None:
    record, voter = vote(*args)
    assert told in record.message
    assert voter == Voter()


def test_a_vote_is_read_within_bounds() -> None:
    record, voter = vote({"actionId": "a" * 2_000, "teams": [str(n) for n in range(1_001)]})
    assert record.message is None
    assert (len(voter.action_id or ""), len(voter.teams)) == (2_000, MOST_TEAMS)


TICKET = Escalation("OPS-1", "https://jira/OPS-1", "2026", "ann")
TOLD = {"decision": "abort", "decisionId": "d-1", "by": "ann", "via": "api", "reason": "why"}


@pytest.mark.parametrize("decision", ["abort", "cancel"])
def test_a_bundle_ends_its_components(decision: str) -> None:
    told = TOLD | {"decision": decision}
    assert read_bundle_decision((told,)) == (told, None, None)


def test_a_bundle_is_escalated_with_its_one_ticket() -> None:
    told = TOLD | {"decision": "escalate"}
    sent = told | {"escalation": to_document(TICKET)}
    assert read_bundle_decision((sent,)) == (told, TICKET, None)


@pytest.mark.parametrize(
    ("args", "told"),
    [
        ((), "this is not a decision about a bundle"),
        ((TOLD, TOLD), "this is not a decision about a bundle"),
        (("abort",), "this is not a decision about a bundle"),
        (({"decision": "abort"},), "this is not a decision about a bundle"),
        ((TOLD | {"decision": "retry"},), "only abort, escalate and cancel come from a bundle"),
        ((TOLD | {"decision": "escalate"},), "an escalation comes with the bundle's ticket"),
        ((TOLD | {"escalation": to_document(TICKET)},), "anything else without"),
    ],
)
def test_what_no_bundle_sends_is_refused(args: tuple[Any, ...], told: str) -> None:
    command, ticket, problem = read_bundle_decision(args)
    assert (command, ticket) == ({}, None)
    assert told in (problem or "")


def test_a_decision_without_an_id_has_the_same_one_when_its_signal_is_replayed() -> None:
    given = ("r-1", "retry", ({"by": "ann"},), 0)
    known = fallback_id(*given)
    assert known == fallback_id(*given) == "82f678d6-83aa-5945-b57c-a02563edb03c"
    others = [
        fallback_id("r-2", *given[1:]),
        fallback_id("r-1", "abort", *given[2:]),
        fallback_id("r-1", "retry", ({"by": "bob"},), 0),
        fallback_id("r-1", "retry", given[2], 1),
        fallback_id("r-1", "retry", (object(),), 0),
        fallback_id("r-1", "retry", ({1: "a", "1": "b"},), 0),
    ]
    assert len({known, *others}) == 7


def test_inputs_that_cannot_be_read_are_told_apart() -> None:
    payloads = [RawValue(Payload(data=data)) for data in (b"a", b"b")]
    inputs: list[Any] = [*payloads, object(), Exception()]
    ids = [fallback_id("r-1", "retry", (one,), 0) for one in inputs]
    assert len(set(ids)) == len(inputs)
    assert fallback_id("r-1", "retry", (RawValue(Payload(data=b"a")),), 0) == ids[0]


def test_what_cannot_be_written_as_json_has_an_id_as_well() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    assert fallback_id("r-1", "retry", (deep,), 0) == fallback_id("r-1", "retry", (deep,), 0)
