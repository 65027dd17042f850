"""Documents that cross rooms: one spelling, and the one of earlier versions is read as well."""

import json
from dataclasses import FrozenInstanceError, asdict
from typing import Any

import pytest

from pao.core.components import BundleDecision, read_report
from pao.core.documents import camel_case, from_document, list_from_documents, to_document
from pao.core.payloads.actions import ActionResult, FormerCall
from pao.core.payloads.error_context import CleanupStep, ExistingResource, FailedAction
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.tickets import Escalation, KnownTicketStatus, TicketResolved
from pao.core.payloads.waits import Approvers, OpenApproval, OpenWait, Pending, Vote, read_wait

FAILURE = ActionFailure(
    code="ACTION_FAILED",
    message="no",
    http_status=409,
    response_body="{}",
    retryable=True,
    outcome_unknown=True,
    partial=[PartialResource("thing", "a", cleanup="Remove a.")],
    refused=True,
    answered=True,
    whole=True,
    absent=True,
    sent="sealed",
    digest="d",
    askable=False,
    cause="conflict",
)
APPROVAL = OpenApproval(
    kind="approval",
    since="2026-01-01T00:00:00.000Z",
    deadline="2026-01-02T00:00:00.000Z",
    on_deadline="reject",
    message="May it?",
    approvers=Approvers(users=["ann"], teams=["ops"]),
    minimum=2,
    allow_self=True,
    decisions=[Vote("ann", "approve", "2026-01-01T01:00:00.000Z", via="api")],
)
DOCUMENTS = [
    FAILURE,
    APPROVAL,
    OpenWait("follow", "2026-01-01T00:00:00.000Z"),
    Pending("follow", {"status_url": "/jobs/1", "statusUrl": "/jobs/2"}),
    FormerCall(3, sealed="s", digest="d", fields={"some_field": 1}),
    Escalation("OPS-1", "https://jira/OPS-1", "2026-01-01T00:00:00.000Z", "ann", "why"),
    TicketResolved("act", "Done", "done", "completed", "Fixed", gone=True, since="2026"),
    FailedAction(0, "act", "job", 2, started_at="2026", failed_at="2026", outcome_unknown=True),
    ExistingResource("thing", "a", "https://a", "act"),
    CleanupStep("act", "a", "Remove a.", entry_id="e1"),
    BundleDecision("abort", "d1", "ann", "api", escalation=Escalation("OPS-1", "u", "2026", "ann")),
    ActionResult({"some_output": 1}, "OPS-1", "u", adopted=True, pending=Pending("resolution")),
]


@pytest.mark.parametrize("value", DOCUMENTS, ids=lambda value: type(value).__name__)
def test_a_document_is_read_back_as_it_was(value: Any) -> None:
    document = json.loads(json.dumps(to_document(value)))
    assert not [key for key in document if "_" in key]
    assert from_document(type(value), document) == value


@pytest.mark.parametrize("value", DOCUMENTS, ids=lambda value: type(value).__name__)
def test_the_spelling_of_earlier_versions_is_read(value: Any) -> None:
    assert from_document(type(value), asdict(value)) == value


@pytest.mark.parametrize("value", DOCUMENTS, ids=lambda value: type(value).__name__)
def test_a_document_is_never_changed(value: Any) -> None:
    name = next(iter(vars(value)))
    with pytest.raises(FrozenInstanceError):
        setattr(value, name, None)


def test_what_only_a_later_version_knows_is_left_out() -> None:
    document = to_document(FAILURE) | {"weight": 3}
    document["partial"] = [{**document["partial"][0], "colour": "red"}]
    assert from_document(ActionFailure, document) == FAILURE


@pytest.mark.parametrize("document", [None, [], "text", {}, {"code": "x"}, {"partial": ["x"]}])
def test_what_is_no_such_document_is_refused(document: object) -> None:
    with pytest.raises(ValueError, match=r"ActionFailure|PartialResource"):
        from_document(ActionFailure, document)


def test_a_key_is_the_name_in_camel_case() -> None:
    names = ("id", "http_status", "a_name_of_four")
    assert [camel_case(name) for name in names] == ["id", "httpStatus", "aNameOfFour"]


def test_of_no_list_nothing_is_read() -> None:
    assert list_from_documents(OpenWait, None) == []
    assert list_from_documents(OpenWait, [{"kind": "follow"}]) == [OpenWait("follow")]


def test_keys_of_authors_keep_their_spelling() -> None:
    assert to_document(ActionResult({"some_key": {"other_key": 1}}))["outputs"] == {
        "some_key": {"other_key": 1}
    }


def test_of_a_failure_people_see_what_the_api_says() -> None:
    assert FAILURE.public_document() == {
        "code": "ACTION_FAILED",
        "message": "no",
        "httpStatus": 409,
        "responseBody": "{}",
        "retryable": True,
        "outcomeUnknown": True,
        "cause": "declined",
    }


def test_a_wait_is_read_as_the_kind_that_it_is() -> None:
    assert read_wait(to_document(APPROVAL)) == APPROVAL
    assert read_wait({"kind": "follow", "since": "2026"}) == OpenWait("follow", "2026")
    assert read_wait(None) is None
    assert read_wait({}) is None


def test_of_a_ticket_that_is_gone_nothing_else_is_known() -> None:
    gone = KnownTicketStatus(status="Open", checked_at="2026", gone=True)
    assert gone.document() == {"gone": True, "checkedAt": "2026"}
    known = KnownTicketStatus(status="Open", status_category="new", checked_at="2026")
    assert from_document(KnownTicketStatus, known.document()) == known
    assert "gone" not in known.document()


def test_a_report_whose_error_is_no_object_is_none() -> None:
    report = {"component": "db", "request_id": "r", "status": "failed"}
    assert read_report(report) is not None
    assert read_report(report | {"error": "no"}) is None
