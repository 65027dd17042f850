"""The OpenAPI document: what FastAPI writes, how calls are signed, and the examples unshortened."""

from collections.abc import Iterator, Sequence
from typing import Any, Literal

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from api.gate import BASE, OPEN_PATHS
from api.requests.schemas.event import EVENTS

SIGNING = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "AWS Signature Version 4, service execute-api",
    "x-amazon-apigateway-authtype": "awsSigv4",
}

REFERENCE = "#/components/schemas/{model}"
FRAMEWORK_ERRORS = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """Return the id of a route's operation: ``submit_request`` is ``submitRequest`` to clients."""
    return to_camel(route.name)


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Have the application describe itself so; ``routers`` are those that it has included."""
    made = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = made()
            _describe_signing(document)
            for operation in _operations(document):
                _forget_framework_error(operation)
                _forget_null(operation.get("parameters", []))
            _forget_schemas(document)
            _describe_events(document)
            _forget_defaults(document)
            for route in (route for router in routers for route in router.routes):
                if isinstance(route, APIRoute):
                    _restore_examples(document["paths"][f"{BASE}{route.path}"], route)
        return app.openapi_schema or {}

    app.openapi = described  # type: ignore[method-assign]  # FastAPI's documented way to extend it.


def _describe_signing(document: dict[str, Any]) -> None:
    """Say how calls are signed; open operations say that they are not."""
    document.setdefault("components", {})["securitySchemes"] = {"sigv4": SIGNING}
    document["security"] = [{"sigv4": []}]
    for path in OPEN_PATHS & document["paths"].keys():
        for operation in document["paths"][path].values():
            operation["security"] = []


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        yield from operations.values()


def _forget_framework_error(operation: dict[str, Any]) -> None:
    """Take out the 422 that FastAPI adds to whatever has parameters, in a shape we never answer."""
    if FRAMEWORK_ERRORS[0] in str(operation["responses"].get("422")):
        del operation["responses"]["422"]


def _forget_schemas(document: dict[str, Any]) -> None:
    for name in FRAMEWORK_ERRORS:
        document["components"].get("schemas", {}).pop(name, None)


def _describe_events(document: dict[str, Any]) -> None:
    """Say what the data of each event of a stream is; OpenAPI 3.1 has no word of its own for it."""
    mode: Literal["serialization"] = "serialization"
    made, rest = models_json_schema(
        [(model, mode) for model in EVENTS.values()], ref_template=REFERENCE
    )
    document["components"]["schemas"] |= rest["$defs"]
    stream = document["paths"][f"{BASE}/requests/{{request_id}}/events"]["get"]
    stream["responses"]["200"]["content"]["text/event-stream"]["x-events"] = {
        name: made[model, mode] for name, model in EVENTS.items()
    }


def _forget_defaults(document: dict[str, Any]) -> None:
    """Leave defaults out: generators of clients take a key that has one to be required."""
    for schema in document["components"]["schemas"].values():
        for one in schema.get("properties", {}).values():
            one.pop("default", None)


def _forget_null(parameters: list[dict[str, Any]]) -> None:
    """Let a parameter that may be left out not be null: a URL or a header cannot say it."""
    for schema in (parameter["schema"] for parameter in parameters):
        meant = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
        if len(meant) == 1:
            del schema["anyOf"]
            schema.update(meant[0])


def _restore_examples(operations: dict[str, Any], route: APIRoute) -> None:
    """Put examples back as they were written: FastAPI drops every key whose value is null."""
    for method in route.methods or ():
        answers = operations[method.lower()]["responses"]
        for status, answer in route.responses.items():
            for media, content in answer.get("content", {}).items():
                shown = answers[str(status)]["content"][media]
                shown |= {key: content[key] for key in ("example", "examples") if key in content}
