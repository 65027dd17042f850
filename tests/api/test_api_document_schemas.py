"""The JSON Schemas of documents over HTTP: for editors, which cannot sign."""

import httpx
import pytest
from jsonschema import Draft202012Validator

from tests.support.stack import Stack
from tests.support.submissions import error_of


@pytest.mark.parametrize(
    "name", ["catalog-item", "catalog-item.json", "catalog-bundle", "rest-api.json"]
)
def test_a_schema_is_open_to_who_does_not_sign(stack: Stack, name: str) -> None:
    answer = httpx.get(f"{stack.url}/api/v1/catalog/schemas/{name}")

    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/schema+json"
    Draft202012Validator.check_schema(answer.json())
    assert answer.json()["$id"].endswith(name.removesuffix(".json"))


@pytest.mark.parametrize("name", ["nothing", "..%2fitems", "catalog-item.yaml"])
def test_another_name_is_not_found(stack: Stack, name: str) -> None:
    answer = httpx.get(f"{stack.url}/api/v1/catalog/schemas/{name}")

    assert answer.status_code in {401, 404}, answer.text


def test_what_is_known_is_told(dana: httpx.Client) -> None:
    answer = dana.get("/catalog/schemas/catalog-itm")

    assert answer.status_code == 404
    assert "catalog-item" in error_of(answer)["message"]
