"""A field of a request is passed on from package to package: a forgotten place is named.

The steps are in docs/contributing/adding-a-request-field.md. What is deliberately not passed on
stands in the tables here, each with its reason.
"""

import io
import re
from dataclasses import fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from rich.console import Console
from sqlmodel import SQLModel

from api.requests import presentation as presenting
from api.requests import schemas
from api.requests.schemas import Submission
from db.models import Request, RequestAction
from db.repositories.action_summaries import action_summaries
from db.repositories.request_pages import RequestSummary
from db.repositories.requests import NewRequest
from db.request_columns import NOT_STORED, STORED
from pao.app.cli.timeline import print_request
from pao.core.documents import to_document
from pao.core.payloads.actions import ActionState
from pao.core.payloads.context import RequestContext
from pao.core.payloads.decisions import DecisionRecord
from pao.core.payloads.failures import ActionFailure, PartialResource
from pao.core.payloads.mirror import Snapshot
from pao.core.payloads.tickets import KnownTicketStatus
from pao.core.payloads.waits import OpenWait
from pao.core.states import ActionStatus, RequestStatus

ROOT = Path(__file__).parents[2]
HOW_TO = "docs/contributing/adding-a-request-field.md"
MODEL, MIGRATIONS = "db/models/request.py", "db/migrations/"
ACTION_MODEL = "db/models/request_action.py"
ANSWER, CLI = "api/requests/schemas/", "pao/app/cli/timeline.py"

NO_COLUMN = {
    "Snapshot.request_id": "names the row",
    "Snapshot.actions": "table request_actions",
    "Snapshot.decisions": "table decisions",
    "Snapshot.audit": "table audit_logs",
    "Snapshot.stream": "table request_events",
    "Snapshot.escalation": "columns escalat*",
    "Snapshot.after_at": "tells what the write follows",
    "Snapshot.after_seq": "tells what the write follows",
    "NewRequest.context": "columns of db/request_columns.py",
    "NewRequest.computed": "stands in the audit line of the submission",
    "NewRequest.sent": "stands in the audit line of the submission",
    "NewRequest.via": "stands in the audit line of the submission",
    "ActionState.id": "column action_id",
    "ActionState.index": "column action_index",
    "ActionState.by_hand": "part of the error",
}
NOT_ANSWERED = {
    "requests.component_id": "a bundle's answer lists its components by it",
    "requests.owner_team": "decides who sees the request",
    "requests.item_sha": "for audits",
    "requests.plan": "its actions are shown",
    "requests.user_arn": "for audits",
    "requests.mirror_at": "the mirror's own",
    "requests.mirror_seq": "the mirror's own",
    "requests.settled_at": "for figures",
    "request_actions.request_id": "the request's own id",
    "request_actions.config": "templates, which people read in the catalog",
    "request_actions.cleanup": "part of the error context",
    "request_actions.resource_type": "part of the error context",
    "request_actions.partial": "part of the error context",
    "request_actions.former": "sealed",
    "request_actions.moves": "part of the mark",
    "request_actions.doubt_since": "the workflow's own",
    "request_actions.pending": "the workflow's own",
    "request_actions.started_run_id": "the mirror's own",
    "request_actions.started_seq": "the mirror's own",
    "request_actions.ever_started": "the mirror's own",
}
NOT_PRINTED = {
    "request.catalogItemName": "the id is printed, which commands take",
    "request.waitingSince": "`-o json` has it",
    "request.waitingAction": "the summary names it",
    "request.mayDecide": "commands are printed by state",
    "request.cause": "the error says it",
    "request.suggestion": "printed from the error context",
    "request.fields": "`-o json` has them",
    "request.metadata": "`-o json` has it",
    "request.possibleDecisions": "commands are printed by state; of bundles by this",
    "request.warnings": "printed by the submission",
    "request.updatedAt": "actions have their own times",
    "request.parentId": "a bundle prints its components",
    "request.attempt": "`-o json` has it",
    "action.id": "stands for a name that is missing",
    "action.index": "actions are printed in this order",
    "action.type": "the name says more",
    "action.outputs": "`-o json` has them",
    "action.adopted": "part of the log",
    "action.ticketStatus": "the live status is printed",
}


def columns(table: type[SQLModel]) -> set[str]:
    return set(SQLModel.metadata.tables[str(table.__tablename__)].columns.keys())


def names(kind: type[Any]) -> list[str]:
    return [one.name for one in fields(kind)]


@pytest.mark.parametrize(
    ("kind", "table", "model"),
    [
        (Snapshot, Request, MODEL),
        (NewRequest, Request, MODEL),
        (ActionState, RequestAction, ACTION_MODEL),
    ],
    ids=lambda one: getattr(one, "__name__", ""),
)
def test_what_a_workflow_tells_has_a_column(
    kind: type[Any], table: type[SQLModel], model: str
) -> None:
    for name in names(kind):
        named = f"{kind.__name__}.{name}"
        assert (name in columns(table)) != (named in NO_COLUMN), (
            f"{named}: add the column to {model} and a file to {MIGRATIONS}, or say in NO_COLUMN "
            f"why there is none ({HOW_TO})"
        )


def test_what_a_snapshot_has_is_filled() -> None:
    source = (ROOT / "workflows/snapshots.py").read_text()
    for name in names(Snapshot):
        assert re.search(rf"\b{name}=", source), (
            f"Snapshot.{name}: pass it on in workflows/snapshots.py ({HOW_TO})"
        )


def test_what_an_action_has_is_set_by_the_workflow() -> None:
    source = "".join(file.read_text() for file in (ROOT / "workflows").glob("*.py"))
    for name in names(ActionState):
        assert re.search(rf"\bstate\.{name} (= |\+= )|\b{name}=action\.{name}\b", source), (
            f"ActionState.{name}: set it in workflows/ledger.py ({HOW_TO})"
        )


def test_what_a_request_is_submitted_with_has_a_column() -> None:
    for name in STORED:
        assert name in columns(Request), (
            f"the context's {name}: add the column to {MODEL} and a file to {MIGRATIONS}; one of "
            f"another name is listed in db/request_columns.py ({HOW_TO})"
        )
    assert set(NOT_STORED) < set(names(RequestContext))


def test_what_a_caller_submits_is_stored() -> None:
    kept = {*STORED, *names(NewRequest)}
    for name in Submission.model_fields:
        assert name in kept, (
            f"Submission.{name}: add it to RequestContext in pao/core/payloads/context.py and hand "
            f"it on in api/requests/preparation.py ({HOW_TO})"
        )
    examples: Any = Submission.model_config["json_schema_extra"]
    [example] = examples["examples"]
    for name, field in Submission.model_fields.items():
        assert field.alias in example, f"Submission.{name}: give it a value in the example"


@pytest.mark.parametrize("table", [Request, RequestAction], ids=["requests", "request_actions"])
async def test_a_column_is_in_a_migration(owner: asyncpg.Connection, table: type[SQLModel]) -> None:
    name = str(table.__tablename__)
    rows = await owner.fetch(
        "SELECT column_name FROM information_schema.columns WHERE table_name = $1", name
    )
    migrated = {row["column_name"] for row in rows}
    for column in sorted(columns(table) ^ migrated):
        pytest.fail(
            f"{name}.{column}: it is in the model or in the migrations, not in both; add a file to "
            f"{MIGRATIONS} and the column to db/models/ ({HOW_TO})"
        )


def filled(table: type[SQLModel], **more: Any) -> Any:
    """Return a row with a value in every column."""
    values: dict[str, Any] = {}
    for name, column in SQLModel.metadata.tables[str(table.__tablename__)].columns.items():
        kind = column.type.python_type
        attribute = "request_metadata" if name == "metadata" else name
        values[attribute] = {
            UUID: UUID(int=abs(hash(name)) % 2**64),
            datetime: datetime.fromtimestamp(abs(hash(name)) % 10**9, UTC),
            int: abs(hash(name)) % 10**6,
            bool: True,
            dict: {"value": name},
            list: [name],
        }.get(kind, name)
    return table(**values | more)


def request_row(**more: Any) -> Request:
    failure = ActionFailure("ACTION_FAILED", "error of the request")
    row: Request = filled(
        Request,
        status=RequestStatus.FAILED,
        retrying=False,
        item_definition={"lifecycle": {"deprecation": {"deprecated": True}}},
        fields={"key": "fields"},
        request_metadata={"key": "metadata"},
        error=failure.public_document(),
        plan=[],
        error_context={
            "cleanup": [{"action": "a", "resource": "r", "instructions": "remove it"}],
            "suggestedDecision": {"decision": "retry", "reason": "it may succeed"},
        },
    )
    for name, value in more.items():
        setattr(row, name, value)
    return row


def action_row(**more: Any) -> RequestAction:
    failure = ActionFailure("ACTION_FAILED", "error of the action", http_status=409)
    row: RequestAction = filled(
        RequestAction,
        status=ActionStatus.FAILED,
        error=to_document(failure),
        outputs={"key": "outputs"},
        waiting=to_document(OpenWait("resolution", "2026")),
        ticket_status=KnownTicketStatus("ticket_status").document(),
        left_behind=[to_document(PartialResource("left_behind", "left"))],
        partial=[],
        former=[],
        pending={},
    )
    for name, value in more.items():
        setattr(row, name, value)
    return row


def answer(row: Request, action: RequestAction) -> dict[str, Any]:
    decision = DecisionRecord("d", "retry", "2026-01-01T00:00:00.000Z", "ann", reason="why")
    workflow = presenting.workflow_link(row, ui_url="https://ui", namespace="n")
    shown = presenting.request_document(
        row,
        actions=[action],
        attempt=1,
        components=[],
        decisions=[decision],
        done={},
        workflow=workflow,
        steps=action_summaries(row, [action]),
        may_decide=True,
    )
    return shown.model_dump(mode="json")


OTHER: dict[type, Any] = {
    UUID: UUID(int=1),
    datetime: datetime(2020, 1, 1, tzinfo=UTC),
    int: 7,
    bool: False,
    dict: {},
    list: [],
}
OTHERS: dict[str, Any] = {
    "requests.status": RequestStatus.ABORTED,
    "requests.retrying": True,
    "request_actions.status": ActionStatus.COMPLETED,
    "requests.error": None,
    "requests.error_context": None,
    "requests.fields": {},
    "requests.metadata": {},
    "requests.item_definition": {},
    "request_actions.error": None,
    "request_actions.left_behind": None,
    "request_actions.former": None,
    "request_actions.outputs": None,
    "request_actions.partial": None,
    "request_actions.pending": None,
    "request_actions.ticket_status": None,
    "request_actions.waiting": None,
}


@pytest.mark.parametrize("table", [Request, RequestAction], ids=["requests", "request_actions"])
def test_a_column_is_answered(table: type[SQLModel]) -> None:
    usual = answer(request_row(), action_row())
    for column in SQLModel.metadata.tables[str(table.__tablename__)].columns.values():
        named = f"{table.__tablename__}.{column.name}"
        other = OTHERS.get(named, OTHER.get(column.type.python_type, "another"))
        attribute = "request_metadata" if column.name == "metadata" else column.name
        rows = (
            answer(request_row(**{attribute: other}), action_row())
            if table is Request
            else answer(request_row(), action_row(**{attribute: other}))
        )
        assert (rows != usual) != (named in NOT_ANSWERED), (
            f"{named}: show it in {ANSWER}, or say in NOT_ANSWERED why it is not ({HOW_TO})"
        )


def test_what_lists_show_is_selected() -> None:
    for name in schemas.RequestSummary.model_fields:
        assert name not in columns(Request) or name in names(RequestSummary), (
            f"RequestSummary.{name}: add the field to RequestSummary in "
            f"db/repositories/request_pages.py ({HOW_TO})"
        )


def printed(document: dict[str, Any]) -> str:
    console = Console(file=io.StringIO(), width=400)
    print_request(console, document)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("part", ["request", "action"])
def test_what_is_answered_is_printed(part: str) -> None:
    document = answer(request_row(), action_row())
    waiting = answer(request_row(), action_row(status=ActionStatus.WAITING))
    retried = answer(request_row(retrying=True), action_row(error=None))
    documents = (document, waiting, retried)
    keys = document if part == "request" else document["actions"][0]
    for key in keys:
        named = f"{part}.{key}"
        seen = any(printed(one) != printed(without(one, part, key)) for one in documents)
        assert seen != (named in NOT_PRINTED), (
            f"{named}: print it in {CLI}, or say in NOT_PRINTED why it is not ({HOW_TO})"
        )


def without(document: dict[str, Any], part: str, key: str) -> dict[str, Any]:
    if part == "request":
        return {name: value for name, value in document.items() if name != key}
    [action] = document["actions"]
    shown = {name: value for name, value in action.items() if name != key}
    return document | {"actions": [shown]}


def test_the_tables_name_nothing_that_is_gone() -> None:
    kinds = {"Snapshot": Snapshot, "NewRequest": NewRequest, "ActionState": ActionState}
    known = {f"{name}.{one}" for name, kind in kinds.items() for one in names(kind)}
    known |= {
        f"{table.__tablename__}.{one}"
        for table in (Request, RequestAction)
        for one in columns(table)
    }
    document = answer(request_row(), action_row())
    known |= {f"request.{key}" for key in document}
    known |= {f"action.{key}" for key in document["actions"][0]}
    assert not {*NO_COLUMN, *NOT_ANSWERED, *NOT_PRINTED, *OTHERS} - known
