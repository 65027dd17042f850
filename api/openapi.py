"""The OpenAPI document: what FastAPI writes, how calls are signed, and the examples unshortened."""

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute

from api.gate import BASE, OPEN_PATHS

SIGNING = {
    "type": "apiKey",
    "in": "header",
    "name": "Authorization",
    "description": "AWS Signature Version 4, service execute-api",
    "x-amazon-apigateway-authtype": "awsSigv4",
}

FRAMEWORK_ERRORS = ("HTTPValidationError", "ValidationError")


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
