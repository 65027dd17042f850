"""An item that is changed or taken away after a submission: what was submitted counts."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from pao.app.local.postgres import PostgresAddress
from tests.support.callers import ADA, DANA
from tests.support.postgres import cloned_database
from tests.support.requests import Document, item, ticket
from tests.support.stack import Stack, running_stack, wait_until
from tests.support.submissions import add_fault, error_of, new_host, submit, tickets_of

OLD = item([ticket("ask", summary="old: {{fields.title}}"), ticket("then")])
OLD_FORM = OLD["presentation"]["form"]["groups"][0]["fields"]


def later_version() -> Document:
    """Return a later version, of another form, other actions and another owner."""
    document: Document = json.loads(json.dumps(OLD))
    document["metadata"] |= {"version": "2.0.0", "owner": {"team": "team-platform"}}
    form = document["presentation"]["form"]["groups"][0]
    form["fields"] = [OLD_FORM[0], {"id": "colour", "name": "Colour", "type": "string"}]
    document["fulfillment"]["manual"]["actions"] = [ticket("ask", summary="new: {{fields.title}}")]
    return document


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("changing") / "things"
    folder.mkdir()
    return folder


@pytest.fixture(scope="module")
def module_stack(
    catalog: Path,
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("changed-item")
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder, catalog=catalog.parent) as stack,
    ):
        yield stack


@pytest.fixture
def own(module_stack: Stack, catalog: Path) -> Iterator[Stack]:
    offer(module_stack, catalog, OLD)
    yield module_stack
    module_stack.jira.clear_faults()


def offer(stack: Stack, catalog: Path, document: Document | None) -> None:
    """Have the catalog hold this one item, or none."""
    (catalog / "thing.yaml").unlink(missing_ok=True)
    other = item()
    other["metadata"] = {**other["metadata"], "id": "other"}
    (catalog / "other.yaml").write_text(yaml.safe_dump(other))
    if document is not None:
        (catalog / "thing.yaml").write_text(yaml.safe_dump(json.loads(json.dumps(document))))
    answer = stack.caller(ADA).post("/catalog/refresh")
    assert answer.status_code == 200, answer.text


def submit_failing(stack: Stack) -> dict[str, Any]:
    title = new_host()
    add_fault(stack, title, "status", status=400)
    document = submit(stack.caller(DANA), {"catalogItemId": "thing", "fields": {"title": title}})
    assert document["status"] == "failed"
    return document


def decide(stack: Stack, document: dict[str, Any], kind: str, **body: Any) -> Any:
    path = f"/requests/{document['id']}/{kind}"
    return stack.caller(DANA).post(path, json={"reason": "a test", **body})


def wait_until_completed(stack: Stack, document: dict[str, Any]) -> dict[str, Any]:
    """Wait until what follows the retried action is done, too."""

    def there() -> dict[str, Any] | None:
        found: dict[str, Any] = stack.caller(DANA).get(f"/requests/{document['id']}").json()
        return found if found["status"] == "completed" else None

    found = wait_until(there)
    assert found is not None
    return found


def test_a_retry_runs_what_was_submitted_whatever_the_item_is_by_now(
    own: Stack, catalog: Path
) -> None:
    document = submit_failing(own)
    offer(own, catalog, later_version())
    new = submit(own.caller(DANA), {"catalogItemId": "thing", "fields": {"title": new_host()}})
    assert (new["catalogItemVersion"], len(new["actions"])) == ("2.0.0", 1)

    assert decide(own, document, "retry").status_code == 200
    after = wait_until_completed(own, document)
    assert after["catalogItemVersion"] == "1.0.0"
    title = document["fields"]["title"]
    assert [one["summary"] for one in tickets_of(own, after)] == [f"old: {title}", f"then: {title}"]


def test_corrections_are_judged_by_the_form_that_was_submitted(own: Stack, catalog: Path) -> None:
    document = submit_failing(own)
    offer(own, catalog, later_version())
    refused = decide(own, document, "retry", fields={"colour": "red", "size": 101})
    assert refused.status_code == 422
    wrong = {detail["field"] for detail in error_of(refused)["details"]}
    assert wrong == {"fields.colour", "fields.size"}
    assert decide(own, document, "retry", fields={"size": 100}).status_code == 200
    assert wait_until_completed(own, document)["fields"]["size"] == 100


@pytest.mark.parametrize("kind", ["retry", "escalate"])
def test_an_item_that_is_gone_leaves_its_requests_decidable(
    own: Stack, catalog: Path, kind: str
) -> None:
    document = submit_failing(own)
    offer(own, catalog, None)
    gone = own.caller(DANA).post("/requests", json={"catalogItemId": "thing", "fields": {}})
    assert gone.status_code == 404
    answer = decide(own, document, kind)
    assert answer.status_code == 200, answer.text
    if kind == "retry":
        assert wait_until_completed(own, document)["catalogItemVersion"] == "1.0.0"
        return
    after = answer.json()
    assert (after["status"], after["catalogItemVersion"]) == ("escalated", "1.0.0")
    key = after["escalation"]["ticketKey"]
    [made] = [one for one in own.jira.tickets() if one["key"] == key]
    assert "1.0.0" in made["description"]
