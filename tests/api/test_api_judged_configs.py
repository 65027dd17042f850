"""What the model of an action refuses is told at submission and in the dry run, by field."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from pao.app.local.postgres import PostgresAddress
from tests.support.callers import DANA
from tests.support.postgres import cloned_database
from tests.support.stack import Stack, running_stack
from tests.support.submissions import submit, tickets_of


def item(key: str, fields: list[dict[str, Any]], actions: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "schemaVersion": "catalog/v1",
        "kind": "CatalogItem",
        "metadata": {
            "id": key,
            "name": key,
            "description": "An item whose actions are judged before anything is sent anywhere.",
            "version": "1.0.0",
            "category": "judged",
            "owner": {"team": "team-database", "contact": "db@example.com"},
        },
        "presentation": {"form": {"groups": [{"id": "g", "name": "G", "fields": fields}]}},
        "fulfillment": {"manual": {"actions": actions}},
    }


def text(key: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "name": key.upper(), "type": "string", **more}


def ticket(**more: Any) -> dict[str, Any]:
    config = {"ticket": {"project": "DB", "summaryTemplate": "judged", **more}}
    return {"id": "t", "name": "The ticket", "type": "jira-ticket", "config": config}


ITEMS = [
    item(
        "judged-lists",
        [text("cost"), text("who"), {"id": "tags", "type": "multiselect", "enum": ["a", "b"]}],
        [
            ticket(
                labels=["db", "{{fields.cost}}", ""],
                components=["{{fields.cost}}"],
                links=[{"key": "{{fields.cost}}"}],
                assignee="{{fields.who}}",
                epicKey="{{fields.cost}}",
                priority="{{fields.cost}}",
                customFields={
                    "customfield_10050": {"value": "{{fields.cost}}"},
                    "customfield_10051": ["{{fields.cost}}", "kept"],
                },
            )
        ],
    ),
    item(
        "judged-summary",
        [text("title"), text("other")],
        [
            {**ticket(), "id": "first"},
            {**ticket(summaryTemplate="{{fields.title}}"), "id": "later"},
        ],
    ),
    item(
        "judged-condition",
        [text("title")],
        [
            {**ticket(summaryTemplate="{{fields.title}}"), "when": "fields.title"},
            ticket() | {"id": "z"},
        ],
    ),
    item(
        "judged-open",
        [text("title"), text("name")],
        [
            {**ticket(), "id": "first"},
            {
                **ticket(summaryTemplate="{{outputs.first.key}}", issueType="{{fields.title}}"),
                "id": "later",
            },
        ],
    ),
    item(
        "judged-approval",
        [text("approver"), text("note")],
        [
            {
                "id": "ok",
                "name": "The approval",
                "type": "approval",
                "config": {
                    "approvers": {"users": ["{{fields.approver}}"]},
                    "message": "Note: {{fields.note | default('none')}}",
                },
            },
            ticket(),
        ],
    ),
    item(
        "judged-call",
        [
            text("team"),
            text("repo"),
            {"id": "pin", "name": "PIN", "type": "password"},
            {"id": "note", "name": "NOTE", "type": "textarea"},
        ],
        [
            {
                "id": "call",
                "name": "The call",
                "type": "rest-api",
                "config": {
                    "endpoint": {
                        "url": "https://api.example.com/{{fields.team | default('t')}}/"
                        "{{fields.repo | default('r')}}/{{fields.pin | default('k')}}/x"
                    },
                    "headers": {"X-Note": "{{fields.note}}"},
                },
            }
        ],
    ),
    item(
        "judged-commit",
        [text("path"), text("other"), text("content"), text("branch")],
        [
            {
                "id": "commit",
                "name": "The commit",
                "type": "git-commit",
                "config": {
                    "repository": "platform/tenants",
                    "branch": "{{fields.branch | default('main')}}",
                    "files": [
                        {"path": "{{fields.path | default('a')}}", "contentTemplate": "a"},
                        {
                            "path": "{{fields.other | default('b')}}",
                            "contentTemplate": "{{fields.content | default('b')}}",
                        },
                    ],
                    "commitMessage": "Add",
                },
            }
        ],
    ),
]


@pytest.fixture(scope="module")
def judged(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("judged")
    catalog = folder / "catalog"
    write(catalog)
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder, catalog=catalog) as stack,
    ):
        yield stack


def write(catalog: Path) -> None:
    for one in ITEMS:
        file = catalog / one["metadata"]["category"] / f"{one['metadata']['id']}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(yaml.safe_dump(one))


def submission(key: str, **fields: Any) -> dict[str, Any]:
    return {"catalogItemId": key, "fields": fields}


def refusal_details(answer: httpx.Response) -> list[dict[str, Any]]:
    assert answer.status_code == 422, answer.text
    error = answer.json()["error"]
    assert error["code"] == "VALIDATION_ERROR"
    details: list[dict[str, Any]] = error["details"]
    return details


def test_what_has_no_value_is_left_out_of_lists_and_custom_fields(judged: Stack) -> None:
    caller = judged.caller(DANA)
    document = submit(caller, submission("judged-lists"))

    assert document["status"] == "completed", document
    [made] = tickets_of(judged, document)
    assert made["fields"]["labels"][0] == "db"
    assert len(made["fields"]["labels"]) == 2
    assert "customfield_10050" not in made["fields"]


def test_the_dry_run_shows_what_is_left_out_as_left_out(judged: Stack) -> None:
    answer = judged.caller(DANA).post(
        "/validate/request", json=submission("judged-lists", cost="DB-1")
    )
    [action] = answer.json()["actions"]
    assert action["config"]["ticket"]["labels"] == ["db", "DB-1"]
    assert action["config"]["ticket"]["links"] == [{"key": "DB-1"}]

    answer = judged.caller(DANA).post("/validate/request", json=submission("judged-lists"))
    ticket = answer.json()["actions"][0]["config"]["ticket"]
    assert (ticket["labels"], ticket["components"], ticket["links"]) == (["db"], [], [])
    assert ticket["customFields"] == {"customfield_10051": ["kept"]}


@pytest.mark.parametrize("path", ["/validate/request", "/requests"])
def test_a_missing_value_is_told_by_the_field_that_it_comes_from(judged: Stack, path: str) -> None:
    [detail] = refusal_details(
        judged.caller(DANA).post(path, json=submission("judged-summary", other="x"))
    )

    assert detail["field"] == "fields.title"
    assert detail["constraint"] == "required"
    assert detail["message"] == (
        "TITLE needs a value: ticket.summaryTemplate of the action The ticket is made from it"
    )


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_correction_that_an_action_cannot_use_is_refused_by_its_field(
    judged: Stack, *, dry_run: bool
) -> None:
    caller = judged.caller(DANA)
    judged.jira.fault("status", status=400, times=1)
    document = submit(caller, submission("judged-summary", title="one"))
    assert document["status"] == "failed", document

    path = f"/requests/{document['id']}/retry"
    body = {"reason": "r", "fields": {"title": None, "other": "x"}, "dryRun": dry_run}
    [detail] = refusal_details(caller.post(path, json=body))

    assert (detail["field"], detail["constraint"]) == ("fields.title", "required")
    assert caller.get(f"/requests/{document['id']}").json() == document
    body = {"reason": "r", "fields": {"title": "two"}, "dryRun": dry_run}
    assert caller.post(path, json=body).status_code == 200


def test_the_dry_run_of_a_retry_shows_what_is_left_out_as_left_out(judged: Stack) -> None:
    caller = judged.caller(DANA)
    judged.jira.fault("status", status=400, times=1)
    document = submit(caller, submission("judged-lists"))

    body = {"reason": "r", "dryRun": True}
    shown = caller.post(f"/requests/{document['id']}/retry", json=body).json()

    ticket = shown["actions"][0]["config"]["ticket"]
    assert (ticket["labels"], ticket["links"]) == (["db"], [])


def test_an_action_whose_condition_is_false_is_not_judged(judged: Stack) -> None:
    caller = judged.caller(DANA)
    answer = caller.post("/validate/request", json=submission("judged-condition"))
    assert answer.status_code == 200, answer.text
    assert [one["runs"] for one in answer.json()["actions"]] == [False, True]


def test_what_is_known_of_an_action_that_waits_for_another_is_judged(judged: Stack) -> None:
    caller = judged.caller(DANA)
    [detail] = refusal_details(caller.post("/validate/request", json=submission("judged-open")))
    assert detail["field"] == "fields.title"

    whole = caller.post("/validate/request", json=submission("judged-open", title="Task"))
    assert whole.status_code == 200, whole.text
    assert [one["complete"] for one in whole.json()["actions"]] == [True, False]


def test_an_approval_that_names_nobody_blames_the_field_without_a_value(judged: Stack) -> None:
    caller = judged.caller(DANA)
    [detail] = refusal_details(
        caller.post("/validate/request", json=submission("judged-approval", note="n"))
    )
    assert detail["field"] == "fields.approver"


@pytest.mark.parametrize(
    ("fields", "blamed", "said"),
    [
        ({"team": "..", "repo": "ok"}, ["team"], "comes out as . or .."),
        ({"team": "ok", "repo": "%2e%2e"}, ["repo"], "comes out as . or .."),
        ({"team": "..?x", "repo": ".."}, ["team", "repo"], "comes out as . or .."),
        ({"repo": "ok", "pin": ".."}, ["pin"], "comes out as . or .."),
        ({"note": "one\ntwo"}, ["note"], "cannot hold a line break"),
    ],
)
def test_of_a_call_only_the_field_at_fault_is_named(
    judged: Stack, fields: dict[str, str], blamed: list[str], said: str
) -> None:
    details = refusal_details(
        judged.caller(DANA).post("/validate/request", json=submission("judged-call", **fields))
    )
    assert [one["field"] for one in details] == [f"fields.{name}" for name in blamed]
    assert all(said in one["message"] for one in details)
    assert ".." not in [one["received"] for one in details if one["field"] == "fields.pin"]


@pytest.mark.parametrize(
    ("fields", "blamed", "said"),
    [
        ({"path": "../a", "other": "c"}, "path", "no . and no .."),
        (
            {"path": "c", "other": ".github/workflows/x.yml", "content": "x"},
            "other",
            "does not allow such files",
        ),
        ({"path": "c", "other": "c", "content": "x"}, "other", "listed twice"),
        ({"path": "c", "branch": "%2e%2e/x"}, "branch", "not a valid name of a branch"),
    ],
)
def test_of_a_commit_only_the_field_at_fault_is_named(
    judged: Stack, fields: dict[str, str], blamed: str, said: str
) -> None:
    [detail] = refusal_details(
        judged.caller(DANA).post("/validate/request", json=submission("judged-commit", **fields))
    )
    assert detail["field"] == f"fields.{blamed}"
    assert said in detail["message"]
    assert "Tuple" not in detail["message"]
