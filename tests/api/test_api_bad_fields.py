"""Values that the form of an item does not take: all are named at once, and nothing is stored."""

from typing import Any

import httpx
import pytest

from tests.support.callers import PRIYA
from tests.support.stack import Stack
from tests.support.submissions import dns_body, error_of

POSTGRES = "database-postgresql-standard"


def refused_fields(dana: httpx.Client, body: dict[str, Any]) -> dict[str, dict[str, Any]]:
    answer = dana.post("/requests", json=body)
    assert answer.status_code == 422, answer.text
    found = error_of(answer)
    assert found["code"] == "VALIDATION_ERROR"
    return {detail["field"]: detail for detail in found["details"]}


def test_an_item_that_does_not_exist_is_not_found(dana: httpx.Client) -> None:
    answer = dana.post("/requests", json={"catalogItemId": "no-such-item", "fields": {}})
    assert answer.status_code == 404
    assert error_of(answer)["code"] == "CATALOG_ITEM_NOT_FOUND"


def test_every_wrong_field_is_named_at_once(stack: Stack, dana: httpx.Client) -> None:
    before = stack.rows("select count(*) from requests")
    details = refused_fields(
        dana,
        {
            "catalogItemId": POSTGRES,
            "fields": {
                "storageSize": "much",
                "engineVersion": "9.6",
                "environment": 7,
                "colour": "blue",
                "enableEncryption": True,
            },
        },
    )
    assert set(details) == {
        "fields.instanceName",
        "fields.storageSize",
        "fields.engineVersion",
        "fields.environment",
        "fields.colour",
        "fields.encryptionKey",
    }
    assert all(detail["message"] and detail["constraint"] for detail in details.values())
    assert stack.rows("select count(*) from requests") == before


@pytest.mark.parametrize(
    "value", ["100", 100.5, True, None, [100], {"a": 1}, 10, 2010, 105, 10**30, -(10**30), 1e300]
)
def test_a_number_must_be_a_number_within_its_bounds(dana: httpx.Client, value: Any) -> None:
    fields = {"instanceName": "orders-db", "storageSize": value}
    details = refused_fields(dana, {"catalogItemId": POSTGRES, "fields": fields})
    assert set(details) == {"fields.storageSize"}


@pytest.mark.parametrize("value", [1, True, [], {}, "", "UPPER.example.com", "x" * 5000, "a b"])
def test_a_text_must_be_a_text_of_its_pattern(dana: httpx.Client, value: Any) -> None:
    body = dns_body()
    body["fields"]["hostName"] = value
    assert "fields.hostName" in refused_fields(dana, body)


def test_a_value_for_a_field_that_is_not_asked_for_is_no_problem_or_is_named(
    dana: httpx.Client,
) -> None:
    """A field whose condition does not hold is either left out of the request or refused."""
    answer = dana.post("/requests", json=dns_body(canonicalName="other.example.com"))
    if answer.status_code == 201:
        assert "canonicalName" not in answer.json()["fields"]
    else:
        assert error_of(answer)["details"][0]["field"] == "fields.canonicalName"


def test_an_item_for_other_teams_is_forbidden(stack: Stack, dana: httpx.Client) -> None:
    fields = {"repository": "acme/payments", "person": "dana@example.com"}
    body = {"catalogItemId": "access-github-repository", "fields": fields}
    for client in (dana, stack.caller(PRIYA)):
        for path in ("/requests", "/validate/request"):
            answer = client.post(path, json=body)
            assert answer.status_code == 403
            assert error_of(answer)["code"] == "FORBIDDEN"
            assert "team-security" in error_of(answer)["message"]


def test_who_may_not_request_an_item_is_not_told_about_its_form(dana: httpx.Client) -> None:
    body = {"catalogItemId": "access-github-repository", "fields": {"nonsense": 1}}
    answer = dana.post("/requests", json=body)
    assert answer.status_code == 403
    assert error_of(answer)["details"] == []
