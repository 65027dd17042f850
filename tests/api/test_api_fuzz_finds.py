"""What `make fuzz` has found, each kept as a plain test of the case that broke."""

import json
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.support.stack import Stack
from tests.support.submissions import error_of, submit_completed


def responses(stack: Stack) -> dict[tuple[str, str], dict[str, Any]]:
    paths = stack.anybody().get("/openapi.json").json()["paths"]
    return {
        (method.upper(), path.removeprefix("/api/v1")): operation["responses"]
        for path, operations in paths.items()
        for method, operation in operations.items()
    }


@pytest.mark.parametrize("path", ["/catalog/items/{itemId}", "/catalog/items/{itemId}/schema"])
def test_the_document_knows_that_an_id_can_be_too_long(
    stack: Stack, dana: httpx.Client, path: str
) -> None:
    answer = dana.get(path.format(itemId="0" * 201))
    assert answer.status_code == 400
    assert error_of(answer)["details"][0]["field"] == "itemId"
    assert "400" in responses(stack)["GET", path]


def test_every_error_of_the_document_is_in_the_envelope(stack: Stack) -> None:
    """FastAPI adds an error of its own shape to every operation that has parameters."""
    document = stack.anybody().get("/openapi.json").json()
    assert not {name for name in document["components"]["schemas"] if "ValidationError" in name}
    for operation, answers in responses(stack).items():
        for status, answer in answers.items():
            if status >= "400" and operation != ("GET", "/health/ready"):
                schema = answer["content"]["application/json"]["schema"]
                assert schema == {"$ref": "#/components/schemas/Error"}, (operation, status)


def test_the_document_knows_that_an_event_id_can_be_wrong(stack: Stack, dana: httpx.Client) -> None:
    path = "/requests/{requestId}/events"
    answer = dana.get(
        path.format(requestId=submit_completed(dana)["id"]), headers={"Last-Event-ID": "null"}
    )
    assert answer.status_code == 422
    assert "422" in responses(stack)["GET", path]


def test_no_parameter_can_be_null(stack: Stack, dana: httpx.Client) -> None:
    """What may be left out is null in Python; in a URL or a header it would be the word."""
    assert dana.get("/requests", params={"parent": "null"}).status_code == 404
    paths = stack.anybody().get("/openapi.json").json()["paths"]
    nullable = [
        (path, parameter["name"])
        for path, operations in paths.items()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        if "null" in str(parameter["schema"])
    ]
    assert nullable == []


@pytest.mark.parametrize("name", ["since", "until"])
@pytest.mark.parametrize("moment", ["0.5", "1767225600", "-1", "2026-01-31", "20260131T080000Z"])
def test_a_number_is_no_moment(dana: httpx.Client, name: str, moment: str) -> None:
    answer = dana.get("/requests", params={name: moment})
    assert answer.status_code == 400, answer.text
    assert error_of(answer)["details"][0]["field"] == name


@pytest.mark.parametrize(
    ("path", "methods"),
    [("/requests", {"GET", "POST"}), ("/catalog", {"GET"}), ("/validate/request", {"POST"})],
)
def test_all_methods_of_a_path_are_told(dana: httpx.Client, path: str, methods: set[str]) -> None:
    answer = dana.request("OPTIONS", path)
    assert answer.status_code == 405
    assert set(answer.headers["Allow"].split(", ")) == methods


@pytest.mark.parametrize(
    ("file", "right"),
    [
        ("data:application/pkcs10;base64,", True),
        ("data:application/pkcs10;base64,aGVsbG8=", True),
        ("data:Application/PKCS10;name=a;base64,aGVs", True),
        ("data:application/pkcs10;base64,==", False),
        ("data:application/pkcs10;base64,aGVsbG8", False),
        ("data:image/png;base64,aGVs", False),
    ],
)
def test_a_forms_schema_and_the_service_take_the_same_files(
    dana: httpx.Client, file: str, *, right: bool
) -> None:
    item = "certificate-tls-server"
    fields = {"commonName": "orders.example.com", "signingRequest": file}
    schema = dana.get(f"/catalog/items/{item}/schema").json()["jsonSchema"]
    answer = dana.post("/validate/request", json={"catalogItemId": item, "fields": fields})
    assert answer.status_code == (200 if right else 422), answer.text
    assert Draft202012Validator(schema).is_valid(fields) is right


@pytest.mark.parametrize("path", ["/validate/catalog-item", "/preview/form"])
@pytest.mark.parametrize("kind", ["application/json", "application/yaml"])
@pytest.mark.parametrize("sent", ["[null, null]", "{}", "7", '"text"'])
def test_what_is_no_document_is_judged_and_the_openapi_says_that_it_may_be_sent(
    stack: Stack, dana: httpx.Client, path: str, kind: str, sent: str
) -> None:
    answer = dana.post(path, content=sent, headers={"Content-Type": kind})
    assert answer.status_code in {200, 422}, answer.text
    assert (answer.status_code == 422) or answer.json()["findings"]
    paths = stack.anybody().get("/openapi.json").json()["paths"]
    media = paths[f"/api/v1{path}"]["post"]["requestBody"]["content"][kind]
    Draft202012Validator(media["schema"]).validate(json.loads(sent))


@pytest.mark.parametrize("sent", ["[null, null]", "7", '"text"', "null"])
@pytest.mark.parametrize(
    "path",
    ["/requests", "/validate/request", "/test/variables", "/catalog/items/network-dns-record/form"],
)
def test_a_body_that_is_no_object_is_told_so(dana: httpx.Client, path: str, sent: str) -> None:
    answer = dana.post(path, content=sent, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    assert [one["message"] for one in error_of(answer)["details"]] == [
        "The body must be a JSON object."
    ]


def test_what_a_body_lacks_or_has_wrong_is_told_in_plain_words(dana: httpx.Client) -> None:
    answer = dana.post("/requests", json={"fields": 7, "catalogItemId": ["a"]})
    assert answer.status_code == 422
    assert {one["field"]: one["message"] for one in error_of(answer)["details"]} == {
        "fields": "must be a mapping of keys to values",
        "catalogItemId": "must be a text",
    }
    [lacking] = error_of(dana.post("/requests", json={"fields": {}}))["details"]
    assert (lacking["field"], lacking["message"]) == ("catalogItemId", "is missing")
