"""The OpenAPI document: what FastAPI writes, how calls are signed, and the examples unshortened."""

import re
from collections.abc import Iterator, Sequence
from functools import cache
from threading import Lock
from typing import Any, Literal

from fastapi import APIRouter, FastAPI
from fastapi.routing import APIRoute
from pydantic.alias_generators import to_camel
from pydantic.json_schema import models_json_schema

from api.requests.schemas.event import EVENTS
from api.response_headers import CORRELATION, HEADERS, RATE, references
from api.signed_calls import BASE, OPEN_PATHS, SCHEMAS

SIGNING = {
    "sigv4": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "AWS Signature Version 4, service execute-api, with an access key of PAO",
        "x-amazon-apigateway-authtype": "awsSigv4",
    },
    "sts": {
        "type": "apiKey",
        "in": "header",
        "name": "X-PAO-STS",
        "description": "AWS credentials, proven by a signed GetCallerIdentity; where switched on",
    },
    "jwt": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "A token of the configured issuer; where switched on",
    },
}

PLACE: dict[str, Any] = {
    "servers": [{"url": "/", "description": "The PAO that serves this document"}],
    "tags": [
        {"name": "catalog", "description": "What can be requested, its forms, and its refresh"},
        {
            "name": "requests",
            "description": "Submit, follow and find requests; decide about those that have failed",
        },
        {"name": "platform tools", "description": "Check documents before they are published"},
        {"name": "administration", "description": "Access keys and the audit trail"},
        {"name": "web sessions", "description": "How a browser gets to the pages"},
        {"name": "health", "description": "For probes and monitoring; unsigned"},
    ],
}
"""Where the document is served, and the groups of operations."""
LICENSE = {"name": "MIT", "identifier": "MIT"}
# Refused before anybody is known, so that nothing is counted.
UNCOUNTED = frozenset({"401", "408", "413", "431"})
EVENT_STREAM = "text/event-stream"

REFERENCE = "#/components/schemas/{model}"
_PARAMETER = re.compile(r"(?<={)\w+(?=})")
FRAMEWORK_ERRORS = ("HTTPValidationError", "ValidationError")


def operation_id(route: APIRoute) -> str:
    """Return the id of a route's operation: ``submit_request`` is ``submitRequest`` to clients."""
    return to_camel(route.name)


def install(app: FastAPI, routers: Sequence[APIRouter]) -> None:
    """Make the application serve this document; ``routers`` are those it includes."""
    make_document, lock = app.openapi, Lock()

    @cache
    def complete_document() -> dict[str, Any]:
        document = make_document()
        _describe_signing(document)
        for operation in _operations(document):
            _remove_framework_error(operation)
            _remove_null(operation.get("parameters", []))
        _remove_schemas(document)
        _describe_events(document)
        _describe_headers(document)
        _tidy_properties(document)
        for route in (route for router in routers for route in router.routes):
            if isinstance(route, APIRoute):
                _restore_examples(document["paths"][f"{BASE}{route.path}"], route)
        _describe_stream(document)
        _name_parameters(document)
        return document | PLACE

    def locked_document() -> dict[str, Any]:
        with lock:
            return complete_document()

    app.openapi = locked_document  # type: ignore[method-assign]  # FastAPI's documented way to extend it.


def _describe_signing(document: dict[str, Any]) -> None:
    """Describe how calls are signed, and which operations are open."""
    document.setdefault("components", {})["securitySchemes"] = SIGNING
    document["security"] = [{name: []} for name in SIGNING]
    open_paths = {path for path in document["paths"] if path.startswith(f"{SCHEMAS}/")}
    for path in open_paths | (OPEN_PATHS & document["paths"].keys()):
        for operation in document["paths"][path].values():
            operation["security"] = []


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in document["paths"].values():
        yield from operations.values()


def _remove_framework_error(operation: dict[str, Any]) -> None:
    """Remove the 422 that FastAPI adds to routes with parameters; we never answer that shape."""
    if FRAMEWORK_ERRORS[0] in str(operation["responses"].get("422")):
        del operation["responses"]["422"]


def _remove_schemas(document: dict[str, Any]) -> None:
    for name in FRAMEWORK_ERRORS:
        document["components"].get("schemas", {}).pop(name, None)


def _describe_events(document: dict[str, Any]) -> None:
    """Describe each event of a stream: OpenAPI 3.1 has one schema for it, so it is of one event."""
    mode: Literal["serialization"] = "serialization"
    schemas, rest = models_json_schema(
        [(model, mode) for model in EVENTS.values()], ref_template=REFERENCE
    )
    document["components"]["schemas"] |= rest["$defs"]
    stream = document["paths"][f"{BASE}/requests/{{request_id}}/events"]["get"]
    stream["responses"]["200"]["content"]["text/event-stream"]["schema"] = {
        "oneOf": [_event_schema(name, schemas[model, mode]) for name, model in EVENTS.items()]
    }


def _event_schema(name: str, data: dict[str, Any]) -> dict[str, Any]:
    kind = {"type": "string", "contentMediaType": "application/json", "contentSchema": data}
    return {
        "type": "object",
        "required": ["id", "event", "data"],
        "properties": {"id": {"type": "string"}, "event": {"const": name}, "data": kind},
    }


def _describe_headers(document: dict[str, Any]) -> None:
    """Describe the headers of every answer, in addition to those of its route."""
    document["components"]["headers"] = HEADERS
    for operation in _operations(document):
        is_open = operation.get("security") == []
        for status, answer in operation["responses"].items():
            counted = RATE if status not in UNCOUNTED and not is_open else ()
            answer["headers"] = references((CORRELATION, *counted)) | answer.get("headers", {})


def _describe_stream(document: dict[str, Any]) -> None:
    """Show one event of each kind: like the schema, an example is of one event."""
    for operation in _operations(document):
        content = operation["responses"].get("200", {}).get("content", {}).get(EVENT_STREAM)
        if content is not None:
            events = map(_read_event, content.pop("example").strip().split("\n\n"))
            content["examples"] = {one["event"]: {"value": one} for one in events}


def _read_event(text: str) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in text.splitlines())


def _name_parameters(document: dict[str, Any]) -> None:
    """Name the parameters of paths as everything else is named, and headers as they are known."""
    for operation in _operations(document):
        for one in operation.get("parameters", []):
            if one["in"] == "path":
                one["name"] = to_camel(one["name"])
            elif one["in"] == "header":
                one["name"] = one["name"].title().replace("-Id", "-ID")
    document["paths"] = {
        _PARAMETER.sub(lambda found: to_camel(found[0]), path): operations
        for path, operations in document["paths"].items()
    }


def _tidy_properties(document: dict[str, Any]) -> None:
    """Remove defaults and titles of properties.

    Client generators treat a property that has a default as required, and pydantic's titles only
    repeat the name.
    """
    for schema in document["components"]["schemas"].values():
        for one in schema.get("properties", {}).values():
            one.pop("default", None)
            one.pop("title", None)


def _remove_null(parameters: list[dict[str, Any]]) -> None:
    """Remove titles from parameters, and null from optional ones: a URL cannot express it."""
    for schema in (parameter["schema"] for parameter in parameters):
        schema.pop("title", None)
        kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
        if len(kinds) == 1:
            del schema["anyOf"]
            schema.update(kinds[0])
        elif kinds:
            schema["anyOf"] = kinds


def _restore_examples(operations: dict[str, Any], route: APIRoute) -> None:
    """Restore examples as written: FastAPI drops every key whose value is null."""
    for method in route.methods or ():
        answers = operations[method.lower()]["responses"]
        for status, answer in route.responses.items():
            for media, content in answer.get("content", {}).items():
                documented = answers[str(status)]["content"][media]
                documented |= {
                    key: content[key] for key in ("example", "examples") if key in content
                }
