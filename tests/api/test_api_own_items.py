"""Items that no sample is like: large texts, another JIRA, a password whose key was lost."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from api.access import AccessPolicy
from api.auth.principal import Principal
from api.requests.reading import ReadingService, ReadingSettings
from db.notifications import RequestNotifications
from pao.app import assembly
from pao.app.local.ports import free_ports
from pao.app.local.postgres import PostgresAddress
from pao.clients.jira.instances import JiraInstances
from pao.core.names import MAX_FIELDS_JSON
from pao.core.states import RequestStatus
from tests.support.callers import DANA
from tests.support.postgres import cloned_database
from tests.support.requests import item
from tests.support.stack import Stack, running_stack
from tests.support.submissions import add_fault, error_of, new_host, submit

TEXTS = [
    {"id": "text", "name": "Text", "type": "textarea"},
    {"id": "more", "name": "More", "type": "textarea"},
]
PLACE = {
    "id": "ask",
    "name": "Ask for it",
    "type": "jira-ticket",
    "config": {
        "instance": "default",
        "ticket": {"project": "PLATFORM", "summaryTemplate": "It: {{fields.title}}"},
    },
}


@pytest.fixture(scope="module")
def own(
    postgres_address: PostgresAddress,
    temporal_address: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Stack]:
    """A PAO that offers one item, whose action names the JIRA instance."""
    folder = tmp_path_factory.mktemp("own-items")
    catalog = folder / "files"
    catalog.mkdir()
    document = item([PLACE], fields=TEXTS)
    (catalog / "thing.yaml").write_text(yaml.safe_dump(document))
    with (
        cloned_database(postgres_address) as database,
        running_stack(database, temporal_address, folder, catalog=catalog) as stack,
    ):
        yield stack


@pytest.fixture(scope="module")
def without_key(
    own: Stack, temporal_address: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """A second API over the same rows and catalog, which was not given the first one's key."""
    folder: Path = tmp_path_factory.mktemp("without-key")
    with running_stack(
        own.database, temporal_address, folder, catalog=own.catalog, with_worker=False
    ) as stack:
        yield stack


def thing(**fields: Any) -> dict[str, Any]:
    return {"catalogItemId": "thing", "fields": {"title": new_host(), **fields}}


@pytest.mark.parametrize("letter", ["x", "é", "😀"])
@pytest.mark.parametrize("path", ["/requests", "/validate/request"])
def test_fields_that_temporal_would_not_carry_are_refused(
    own: Stack, letter: str, path: str
) -> None:
    """Measured as they travel: with every character beyond ASCII escaped."""
    escaped = {"x": 1, "é": 6, "😀": 12}[letter]
    half = letter * (MAX_FIELDS_JSON // escaped // 2 + 1)
    answer = own.caller().post(path, json=thing(text=half, more=half))
    assert answer.status_code == 422, answer.text[:300]
    found = error_of(answer)
    assert found["details"][0]["field"] == "fields"
    assert f"{MAX_FIELDS_JSON:,}" in found["message"]
    assert own.rows("select 1 from requests where fields->>'text' = $1", half) == []


def test_fields_below_the_limit_go_all_the_way(own: Stack) -> None:
    text = "é" * ((MAX_FIELDS_JSON - 1_000) // 6)
    assert submit(own.caller(), thing(text=text))["status"] == "completed"


def test_a_live_status_is_asked_of_the_instance_that_the_plan_names(own: Stack) -> None:
    document = submit(own.caller(), thing())
    assert document["status"] == "completed"
    shown = own.run(_status_with_two_instances(own, document["id"]))
    [ticket] = shown["tickets"]
    assert ticket["live"] is True, ticket
    # By the names of that instance, over JIRA's own category.
    assert (ticket["status"], ticket["mappedStatus"]) == ("To Do", "in_progress")
    assert ticket["mapped"] is True


async def _status_with_two_instances(stack: Stack, request_id: str) -> dict[str, Any]:
    """Ask with two instances, of which the one of the ticket's project is not there."""
    [port] = free_ports(1)
    jira = JiraInstances(
        [
            stack.jira.instance(name="elsewhere", base_url=f"http://127.0.0.1:{port}"),
            stack.jira.instance(
                name="default",
                default_project="OTHER",
                status_mapping={"to do": RequestStatus.IN_PROGRESS},
            ),
        ]
    )
    database = assembly.database(stack.settings, application_name="tests")
    reading = ReadingService(
        access=AccessPolicy(admin_teams=frozenset()),
        database=database,
        jira=jira,
        notifications=RequestNotifications(stack.database.service_url),
        settings=ReadingSettings(ui_url=None, namespace="default"),
    )
    try:
        found = await reading.status(_dana(), request_id)
        return found.model_dump(mode="json")
    finally:
        jira.close()
        await database.close()


def _dana() -> Principal:
    return Principal(
        id=DANA.name,
        arn="",
        account="",
        email=DANA.email,
        session=None,
        teams=DANA.teams,
        source="keys",
        access_key_id=None,
    )


@pytest.mark.parametrize(
    "body",
    [{"fields": {"size": 2}}, {"fields": {"size": 2}, "dryRun": True}, {"dryRun": True}],
    ids=["retry", "preview of a correction", "preview"],
)
def test_a_lost_encryption_key_is_named_and_nothing_is_decided(
    own: Stack, without_key: Stack, body: dict[str, Any]
) -> None:
    before = _failed_with_password(own)
    caller: httpx.Client = without_key.caller()
    answer = caller.post(f"/requests/{before['id']}/retry", json={"reason": "a test", **body})
    assert answer.status_code == 503, answer.text
    assert error_of(answer)["code"] == "SERVICE_UNAVAILABLE"
    assert "key 'k1'" in error_of(answer)["message"]
    assert own.caller().get(f"/requests/{before['id']}").json() == before


def _failed_with_password(stack: Stack) -> dict[str, Any]:
    title = new_host()
    add_fault(stack, title, "status", status=400)
    body = thing(title=title, token="a-Passw0rd-of-the-test")
    document = submit(stack.caller(), body)
    assert document["status"] == "failed"
    return document
