"""The OpenAPI document and its page: valid, complete, and served from here."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator

from tests.support.conformance import closed
from tests.support.stack import Stack
from tests.support.submissions import dns_body

BODIES = {"post", "put", "patch"}


@pytest.fixture
def document(stack: Stack) -> dict[str, Any]:
    answer = stack.anybody().get("/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.json()
    return found


def operations(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def test_the_document_is_valid_openapi_31(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    OpenAPIV31SpecValidator(document).validate()


def test_every_endpoint_of_the_contract_is_described(document: dict[str, Any]) -> None:
    request = "/api/v1/requests/{requestId}"
    assert set(operations(document)) >= {
        "GET /api/v1/catalog",
        "GET /api/v1/catalog/items/{itemId}",
        "GET /api/v1/catalog/items/{itemId}/schema",
        "POST /api/v1/catalog/refresh",
        "GET /api/v1/catalog/validation-errors",
        "POST /api/v1/validate/request",
        "POST /api/v1/validate/catalog-item",
        "POST /api/v1/preview/form",
        "POST /api/v1/test/variables",
        "POST /api/v1/requests",
        "GET /api/v1/requests",
        f"GET {request}",
        f"GET {request}/status",
        f"GET {request}/logs",
        f"GET {request}/events",
        f"POST {request}/retry",
        f"POST {request}/abort",
        f"POST {request}/cancel",
        f"POST {request}/escalate",
        f"POST {request}/look",
        f"GET {request}/escalation",
        "GET /api/v1/health",
        "GET /api/v1/health/live",
        "GET /api/v1/health/ready",
        "GET /api/v1/version",
        "GET /api/v1/metrics",
    }


def good_answers(document: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return what each operation answers a success with, by operation, status and media type."""
    return {
        f"{name} {status} {media}": content
        for name, operation in operations(document).items()
        for status, answer in operation["responses"].items()
        if status.startswith("2")
        for media, content in answer["content"].items()
    }


def test_every_success_has_a_schema_and_an_example_that_fits_it(document: dict[str, Any]) -> None:
    answers = good_answers(closed(document))
    assert {name.rsplit(" ", 2)[0] for name in answers} == set(operations(document))
    for name, content in answers.items():
        assert content["schema"].keys() & {"$ref", "anyOf", "oneOf", "type"}, name
        examples = [one["value"] for one in content.get("examples", {}).values()]
        examples += [content["example"]] if "example" in content else []
        assert examples, name
        if name.endswith("text/event-stream"):
            assert len(examples) == len(content["schema"]["oneOf"])
        schema = {**content["schema"], "components": closed(document)["components"]}
        for example in examples:
            Draft202012Validator(schema).validate(example)


def test_every_answer_says_which_headers_it_has(stack: Stack, document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        for status, answer in operation["responses"].items():
            assert "X-Correlation-ID" in answer["headers"], f"{name} {status}"
    described = operations(document)
    submitted = described["POST /api/v1/requests"]["responses"]["201"]["headers"]
    real = stack.caller().post("/requests", json=dns_body()).headers
    common = {"date", "server", "content-length", "content-type"}
    common |= {"cache-control", "x-content-type-options"}
    assert {name.lower() for name in submitted} >= real.keys() - common
    refused = described["GET /api/v1/requests"]["responses"]
    assert "WWW-Authenticate" in refused["401"]["headers"]
    assert {"Retry-After", "RateLimit-Limit"} <= refused["429"]["headers"].keys()


def test_an_operation_says_that_what_it_takes_may_be_refused(document: dict[str, Any]) -> None:
    for name, operation in operations(document).items():
        refusals: set[str] = set()
        for media, content in operation.get("requestBody", {}).get("content", {}).items():
            # What a delivery of a webhook holds is not ours to judge.
            is_ours = media == "application/json" and "/schemas/" in str(content["schema"])
            refusals |= {"400", "413", "422"} if is_ours else {"400", "413"}
        if any(one["in"] == "query" for one in operation.get("parameters", [])):
            refusals.add("400")
        assert operation["responses"].keys() >= refusals, name


def test_operations_have_the_names_that_clients_call_them_by(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in operations(document).values()]
    assert len(set(names)) == len(names)
    assert {"submitRequest", "listRequests", "getRequest", "retryRequest", "abortRequest"} <= set(
        names
    )
    assert all(re.fullmatch("[a-z]+([A-Z][a-z]+)*", name) for name in names)


def test_every_body_has_an_example_that_fits_its_schema(document: dict[str, Any]) -> None:
    named = document["components"]["schemas"]
    for name, operation in operations(document).items():
        content = operation.get("requestBody", {}).get("content", {})
        for media in content.values():
            references = re.findall(r"'\$ref': '#/components/schemas/(\w+)'", str(media))
            examples = [one for key in references for one in named[key].get("examples", [])]
            examples += [media["example"]] if "example" in media else []
            assert examples, name
            schema = {**media["schema"], "components": document["components"]}
            for example in examples:
                Draft202012Validator(schema).validate(example)


def test_every_operation_says_what_it_does_and_how_it_is_signed(document: dict[str, Any]) -> None:
    assert document["security"] == [{"sigv4": []}, {"sts": []}, {"jwt": []}]
    for name, operation in operations(document).items():
        assert operation["summary"], name
        assert operation["description"], name
        is_open = name.removeprefix("GET /api/v1/").split("/")[0] in {
            "health",
            "version",
            "metrics",
        }
        # The forges sign their deliveries in their own way.
        opened = ("GET /api/v1/catalog/schemas/", "POST /api/v1/webhooks/")
        is_open |= name.startswith(opened)
        assert ("security" in operation) == is_open, name


def test_the_page_loads_everything_from_here(stack: Stack) -> None:
    client = stack.anybody()
    page = client.get("/docs")
    policy = page.headers["Content-Security-Policy"]
    assert page.status_code == 200
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    linked = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(linked) >= 3
    for path in linked:
        assert path.startswith("/api/v1/docs/")
        asset = client.get(f"{stack.url}{path}")
        assert asset.status_code == 200, path
        assert len(asset.content) > 100
        assert asset.headers["X-Content-Type-Options"] == "nosniff"
    assert "http" not in "".join(linked)
    assert "<script>" not in page.text


@pytest.mark.parametrize(
    "path", ["/docs/assets/../../../pyproject.toml", "/docs/assets/%2e%2e/%2e%2e/__init__.py"]
)
def test_the_page_gives_no_other_file(stack: Stack, path: str) -> None:
    assert stack.anybody().get(path).status_code in {401, 404}
