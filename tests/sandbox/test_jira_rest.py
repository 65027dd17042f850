"""The stand-in answers as JIRA does, in both versions."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.jira import JiraSandbox, jira_sandbox

ADF = {
    "type": "doc",
    "version": 1,
    "content": [{"type": "paragraph", "content": [{"type": "text", "text": "Hello"}]}],
}


def issue(**changes: Any) -> dict[str, Any]:
    fields = {
        "project": {"key": "DB"},
        "issuetype": {"name": "Task"},
        "summary": "A database",
        **changes,
    }
    return {"fields": {name: value for name, value in fields.items() if value is not ...}}


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[JiraSandbox]:
    with jira_sandbox(tmp_path_factory.mktemp("jira")) as started:
        yield started


@pytest.fixture
def http(running: JiraSandbox) -> Iterator[httpx.Client]:
    running.reset()
    auth = (running.settings.username, running.settings.token)
    with httpx.Client(base_url=f"{running.url}/rest/api", auth=auth, trust_env=False) as client:
        yield client


@pytest.mark.parametrize(
    ("fields", "field", "text"),
    [
        ({"project": ...}, "project", "project is required"),
        ({"project": {"key": "NOPE"}}, "project", "valid project is required"),
        ({"issuetype": {"name": "Wish"}}, "issuetype", "valid issue type is required"),
        ({"summary": ...}, "summary", "You must specify a summary of the issue."),
        ({"summary": "x" * 256}, "summary", "Summary can't exceed 255 characters."),
        ({"summary": "a\nb"}, "summary", "contains newline characters"),
        ({"priority": {"name": "Extreme"}}, "priority", "Priority name 'Extreme' is not valid"),
        ({"labels": ["two words"]}, "labels", "contains spaces which is invalid"),
        ({"labels": "one"}, "labels", "array"),
        ({"description": ADF}, "description", "must be a string"),
        ({"urgency": "high"}, "urgency", "cannot be set"),
    ],
)
def test_a_field_that_is_wrong_is_named_as_jira_names_it(
    http: httpx.Client, *, fields: dict[str, Any], field: str, text: str
) -> None:
    answer = http.post("/2/issue", json=issue(**fields))
    assert answer.status_code == 400
    assert answer.json()["errorMessages"] == []
    assert list(answer.json()["errors"]) == [field]
    assert text in answer.json()["errors"][field]


def test_a_ticket_with_all_sorts_of_fields_is_created_and_read(http: httpx.Client) -> None:
    fields = {"priority": {"name": "High"}, "labels": ["a", "b"], "customfield_10011": "E-1"}
    made = http.post("/2/issue", json=issue(**fields, description="*text*"))
    assert made.status_code == 201
    assert made.json()["key"] == "DB-1"
    assert made.json()["id"] == "10001"
    read = http.get("/2/issue/DB-1").json()["fields"]
    assert read["priority"]["name"] == "High"
    assert read["status"]["statusCategory"]["key"] == "new"
    assert read["description"] == "*text*"
    assert read["customfield_10011"] == "E-1"
    narrow = http.get("/2/issue/DB-1", params={"fields": "status,labels"}).json()["fields"]
    assert set(narrow) == {"status", "labels"}


@pytest.mark.parametrize(
    "description",
    [
        {"type": "doc", "version": 1, "content": [{"type": "text", "text": ""}]},
        {"type": "doc", "version": 1, "content": [{"type": "heading", "attrs": {"level": 7}}]},
        {"type": "doc", "version": 1, "content": [{"type": "bulletList", "content": []}]},
        {"type": "doc", "version": 1, "content": [{"type": "marquee"}]},
        {"type": "doc", "content": []},
        {},
    ],
)
def test_v3_refuses_what_is_no_adf_document(
    http: httpx.Client, description: dict[str, Any]
) -> None:
    answer = http.post("/3/issue", json=issue(description=description))
    assert answer.status_code == 400
    assert answer.json() == {"errorMessages": ["INVALID_INPUT"], "errors": {}}


def test_v3_refuses_a_string_and_takes_a_document(http: httpx.Client) -> None:
    refused = http.post("/3/issue", json=issue(description="text"))
    assert "Atlassian Document" in refused.json()["errors"]["description"]
    assert http.post("/3/issue", json=issue(description=ADF)).status_code == 201
    assert http.get("/3/issue/DB-1").json()["fields"]["description"] == ADF
    assert http.get("/2/issue/DB-1").json()["fields"]["description"] == "Hello\n"


def test_each_version_has_its_own_search(http: httpx.Client) -> None:
    http.post("/2/issue", json=issue(labels=["pao-1"]))
    jql = {"jql": 'labels = "pao-1" ORDER BY created'}
    old = http.get("/2/search", params=jql)
    assert (old.json()["total"], old.json()["issues"][0]["key"]) == (1, "DB-1")
    assert http.get("/3/search", params=jql).status_code == 410
    assert http.get("/2/search/jql", params=jql).status_code == 404
    assert http.get("/3/search/jql", params=jql).json()["issues"] == [{"id": "10001"}]
    new = http.get("/3/search/jql", params={**jql, "fields": "summary"}).json()
    assert new["isLast"]
    assert new["issues"][0]["fields"] == {"summary": "A database"}


def test_the_new_search_pages_by_token(http: httpx.Client) -> None:
    for _ in range(3):
        http.post("/2/issue", json=issue())
    query = {"jql": "project = DB ORDER BY created ASC", "maxResults": 2}
    first = http.post("/3/search/jql", json=query).json()
    query["nextPageToken"] = first["nextPageToken"]
    second = http.post("/3/search/jql", json=query).json()
    assert [hit["id"] for hit in first["issues"] + second["issues"]] == ["10001", "10002", "10003"]
    assert not first["isLast"]
    assert second["isLast"]


@pytest.mark.parametrize(
    ("jql", "keys"),
    [
        ("key = DB-2", ["DB-2"]),
        ("key in (DB-1, 'db-2')", ["DB-2", "DB-1"]),
        ('project = "DB" AND labels = A', ["DB-1"]),
        ("labels != a", ["DB-2"]),
        ('status = "to do" order by key asc', ["DB-1", "DB-2"]),
        ('labels = "a\\" OR 1=1 --"', []),
    ],
)
def test_jql_finds_what_it_says(http: httpx.Client, jql: str, keys: list[str]) -> None:
    http.post("/2/issue", json=issue(labels=["a"]))
    http.post("/2/issue", json=issue(labels=["b"]))
    found = http.get("/2/search", params={"jql": jql}).json()["issues"]
    assert [hit["key"] for hit in found] == keys


@pytest.mark.parametrize(
    "jql", ["labels", "labels = ", "labels = a OR b = c", "wish = 1", "key ~ x", "= =", "\x00"]
)
def test_jql_that_makes_no_sense_is_a_400(http: httpx.Client, jql: str) -> None:
    answer = http.get("/2/search", params={"jql": jql})
    assert answer.status_code == 400
    assert answer.json()["errorMessages"]


def test_a_ticket_moves_through_its_transitions(http: httpx.Client) -> None:
    http.post("/2/issue", json=issue())
    moves = http.get("/2/issue/DB-1/transitions").json()["transitions"]
    done = next(move["id"] for move in moves if move["to"]["statusCategory"]["key"] == "done")
    body = {"transition": {"id": done}}
    assert http.post("/2/issue/DB-1/transitions", json=body).status_code == 204
    assert http.get("/2/issue/DB-1").json()["fields"]["resolution"] == {"name": "Done"}
    again = http.post("/2/issue/DB-1/transitions", json=body)
    assert again.status_code == 400
    assert "not valid for this issue" in again.json()["errorMessages"][0]


def test_comments_follow_the_version(http: httpx.Client) -> None:
    http.post("/2/issue", json=issue())
    assert http.post("/2/issue/DB-1/comment", json={"body": "Hi"}).status_code == 201
    assert http.post("/3/issue/DB-1/comment", json={"body": "Hi"}).status_code == 400
    assert http.post("/3/issue/DB-1/comment", json={"body": ADF}).status_code == 201
    comments = http.get("/2/issue/DB-1/comment").json()["comments"]
    assert [comment["body"] for comment in comments] == ["Hi", "Hello\n"]


def test_links_want_a_known_type_and_both_tickets(http: httpx.Client) -> None:
    http.post("/2/issue", json=issue())
    http.post("/2/issue", json=issue())
    link = {
        "type": {"name": "Blocks"},
        "inwardIssue": {"key": "DB-1"},
        "outwardIssue": {"key": "DB-2"},
    }
    assert http.post("/2/issueLink", json=link).status_code == 201
    assert http.get("/2/issue/DB-2").json()["fields"]["issuelinks"][0]["inwardIssue"] == {
        "key": "DB-1"
    }
    assert http.post("/2/issueLink", json={**link, "type": {"name": "X"}}).status_code == 404
    assert http.post("/2/issueLink", json={"type": {"name": "Blocks"}}).status_code == 404


@pytest.mark.parametrize(
    ("body", "status"), [(b"{", 400), (b"[]", 400), (b"[" * 100_000, 400), (b" " * 2**21, 413)]
)
def test_a_body_that_is_no_object_is_refused(
    http: httpx.Client, *, body: bytes, status: int
) -> None:
    headers = {"Content-Type": "application/json"}
    assert http.post("/2/issue", content=body, headers=headers).status_code == status
    assert http.post("/2/issue", content=body).status_code == 415


def test_credentials_are_wanted_for_all_but_the_servers_description(http: httpx.Client) -> None:
    http.auth = httpx.Auth()  # Sends nothing.
    assert http.get("/2/serverInfo").json()["deploymentType"] == "Server"
    assert http.get("/3/serverInfo").json()["deploymentType"] == "Cloud"
    nobody = http.get("/2/myself")
    assert nobody.status_code == 401
    assert "Authentication required" in nobody.json()["errorMessages"][0]
    wrong = http.get("/2/myself", headers={"Authorization": "Basic nonsense"})
    assert wrong.status_code == 401
    assert wrong.headers["X-Seraph-LoginReason"] == "AUTHENTICATED_FAILED"
    assert "html" in wrong.headers["Content-Type"]
    assert http.get("/3/myself", auth=("pao", "x")).json()["errorMessages"]


@pytest.mark.parametrize(
    "path",
    [
        "myself",
        "project",
        "project/search",
        "project/DB",
        "priority",
        "issuetype",
        "issueLinkType",
        "status",
        "statuscategory",
        "issue/createmeta?projectKeys=DB",
        "issue/createmeta/DB/issuetypes",
        "issue/createmeta/DB/issuetypes/10001",
    ],
)
@pytest.mark.parametrize("version", ["2", "3"])
def test_what_exists_besides_tickets_can_be_read(
    http: httpx.Client, *, version: str, path: str
) -> None:
    answer = http.get(f"/{version}/{path}")
    assert answer.status_code == 200
    assert answer.json()


@pytest.mark.parametrize("path", ["project/NOPE", "issue/createmeta/NOPE/issuetypes", "issue/X-1"])
def test_what_does_not_exist_is_a_404_in_jiras_shape(http: httpx.Client, path: str) -> None:
    answer = http.get(f"/2/{path}")
    assert answer.status_code == 404
    assert set(answer.json()) == {"errorMessages", "errors"}


async def test_parallel_creations_get_keys_without_gap_or_repeat(running: JiraSandbox) -> None:
    running.reset()
    auth = (running.settings.username, running.settings.token)
    async with httpx.AsyncClient(base_url=running.url, auth=auth, trust_env=False) as client:
        calls = [client.post("/rest/api/2/issue", json=issue()) for _ in range(50)]
        keys = {answer.json()["key"] for answer in await asyncio.gather(*calls)}
    assert keys == {f"DB-{number}" for number in range(1, 51)}


def test_tickets_and_faults_survive_a_restart(tmp_path: Path) -> None:
    with jira_sandbox(tmp_path) as first:
        auth = (first.settings.username, first.settings.token)
        url = f"{first.url}/rest/api/2/issue"
        httpx.post(url, json=issue(labels=["x"]), auth=auth, trust_env=False)
        first.move("DB-1", "Done")
        first.fault("cut-after", times=3)
    with jira_sandbox(tmp_path) as second:
        ticket = second.tickets()[0]
        assert (ticket["key"], ticket["status"], ticket["labels"]) == ("DB-1", "Done", ["x"])
        assert [fault["remaining"] for fault in second.faults()] == [3]
        second.clear_faults()
        url = f"{second.url}/rest/api/2/issue"
        answer = httpx.post(url, json=issue(), auth=auth, trust_env=False)
        assert answer.json()["key"] == "DB-2"
