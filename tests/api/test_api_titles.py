"""A request's title: made at submission, and shown wherever people read about the request."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from pao.app.local.postgres import PostgresAddress
from tests.api.test_api_bundles import webapp
from tests.support.callers import DANA
from tests.support.postgres import cloned_database
from tests.support.requests import item, ticket
from tests.support.stack import Stack, running_stack
from tests.support.submissions import add_fault

TITLED = item(
    [ticket(summary="{{request.title}}: {{request.id}}")],
    fields=[{"id": "proof", "type": "file"}],
)
TITLED["metadata"] = {
    **TITLED["metadata"],
    "id": "titled",
    "name": "Titled",
    "title": "{{fields.title}},\n {{fields.size}} GB for {{request.user.id}}",
}
UNTITLED = item()


@pytest.fixture(scope="module")
def own(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A PAO that offers an item with a title, and one without."""
    folder = tmp_path_factory.mktemp("titles")
    catalog = folder / "files" / "things"
    catalog.mkdir(parents=True)
    for document in (TITLED, UNTITLED):
        name = document["metadata"]["id"]
        (catalog / f"{name}.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document))))
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder, catalog=folder / "files") as stack,
    ):
        yield stack


def ask(stack: Stack, name: str, **fields: Any) -> dict[str, Any]:
    body = {"catalogItemId": name, "fields": fields}
    answer = stack.caller(DANA).post("/requests", json=body, headers={"Prefer": "wait=20"})
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = answer.json()
    return document


def states(stack: Stack, request_id: str) -> list[dict[str, Any]]:
    """Return the data of the state events of a request that has ended."""
    text = stack.caller(DANA).get(f"/requests/{request_id}/events").text
    events = [block.splitlines() for block in text.split("\n\n") if "event: state" in block]
    return [json.loads(lines[-1].removeprefix("data: ")) for lines in events]


def test_a_title_is_shown_wherever_people_read_about_a_request(own: Stack) -> None:
    dana = own.caller(DANA)
    document = ask(own, "titled", title="orders", size=5)
    title = "orders, 5 GB for dana"
    where = f"/requests/{document['id']}"
    assert document["title"] == dana.get(where).json()["title"] == title
    assert dana.get(f"{where}/status").json()["title"] == title
    [row] = dana.get("/requests", params={"q": "orders dana"}).json()["data"]
    assert (row["id"], row["title"]) == (document["id"], title)
    assert {one["title"] for one in states(own, document["id"])} == {title}
    assert f"{title}: {document['id']}" in [one["summary"] for one in own.jira.tickets()]


async def summary_of(stack: Stack, request_id: str) -> str | None:
    handle = stack.temporal.get_workflow_handle(f"request-{request_id}")
    return await (await handle.describe()).static_summary()


def test_temporal_and_the_escalation_ticket_say_it_as_well(own: Stack) -> None:
    add_fault(own, "billing", "status", status=400)
    document = ask(own, "titled", title="billing", size=5)
    subject = "Titled: billing, 5 GB for dana"
    assert own.run(summary_of(own, document["id"])) == f"{subject} for dana@example.com"
    answer = own.caller(DANA).post(
        f"/requests/{document['id']}/escalate", json={"reason": "for ops"}
    )
    assert answer.status_code == 200, answer.text
    key = answer.json()["escalation"]["ticketKey"]
    [ticket] = [one for one in own.jira.tickets() if one["key"] == key]
    assert ticket["summary"] == f"PAO escalation: {subject} for dana"
    assert "||Title|billing, 5 GB for dana|" in ticket["description"]


def test_without_a_title_the_first_required_value_is_taken(own: Stack) -> None:
    assert ask(own, "thing", title="orders-db", token="tr0ub4dor-and-3")["title"] == "orders-db"


def test_a_dry_run_says_what_the_request_would_be_called(own: Stack) -> None:
    body = {"catalogItemId": "titled", "fields": {"title": "x" * 300}}
    answer = own.caller(DANA).post("/validate/request", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["title"] == "x" * 119 + "\N{HORIZONTAL ELLIPSIS}"


def test_a_request_of_an_earlier_version_is_called_by_its_item(own: Stack) -> None:
    document = ask(own, "thing", title="orders-db")
    mark = "5f0ce1f6-9a55-4e17-8f0c-6d0f5b6f1a10"
    own.rows(
        """
        insert into requests (id, catalog_item_id, catalog_item_version, catalog_item_name,
          item_definition, plan, user_id, user_teams, status, correlation_id, created_at)
        select gen_random_uuid(), catalog_item_id, catalog_item_version, catalog_item_name,
          item_definition, plan, user_id, user_teams, status, $2, created_at
        from requests where id = $1
        """,
        document["id"],
        mark,
    )
    dana = own.caller(DANA)
    [row] = dana.get("/requests", params={"correlationId": mark}).json()["data"]
    assert row["title"] == dana.get(f"/requests/{mark}").json()["title"] == "Thing"


def test_a_document_whose_title_holds_a_secret_is_refused(own: Stack) -> None:
    document = {**TITLED, "metadata": {**TITLED["metadata"], "title": "{{fields.token}}"}}
    answer = own.caller(DANA).post("/validate/catalog-item", json=document)
    assert answer.json()["valid"] is False
    assert [one["rule"] for one in answer.json()["findings"] if one["severity"] == "error"] == [
        "title"
    ]


def test_a_bundle_and_its_components_have_titles_of_their_own(stack: Stack) -> None:
    answer = stack.caller(DANA).post(
        "/requests", json=webapp("shop-front"), headers={"Prefer": "wait=20"}
    )
    assert answer.status_code in {200, 201}, answer.text
    document = answer.json()
    assert document["title"] == "shop-front"
    titles = {one["id"]: one["title"] for one in document["components"]}
    assert titles["app-db"].startswith("shop-front")
    [namespace] = [one for one in document["components"] if one["id"] == "app-namespace"]
    child = stack.caller(DANA).get(f"/requests/{namespace['requestId']}").json()
    assert child["title"] == namespace["title"]
    assert child["title"] == "shop-front on development"
