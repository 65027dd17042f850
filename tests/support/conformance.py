"""Holds every answer that a test gets to the OpenAPI document: successful ones, and all headers."""

import copy
import re
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from threading import Lock
from typing import Any

import httpx
import jsonschema_rs
from starlette.routing import compile_path

JSON = "application/json"


_lock = Lock()
"""Tests call from several threads."""
_made: list[dict[str, Any]] = []


def conformance(describe: Callable[[], dict[str, Any]]) -> Callable[[httpx.Response], None]:
    """Return a hook of a client's responses; ``describe`` returns the document.

    Keys that the document does not name fail, too: the document leaves room for more, for clients
    of later versions, but an answer of this version has none of these. It is the same whatever the
    settings, and takes as long as starting the application: the first one is kept for all.
    """

    def conforms(response: httpx.Response) -> None:
        with _lock:
            if not _made:
                _made.append(closed(describe()))
            [document] = _made
            path = _path(document["paths"], response.request.url.path)
        headers_conform(document, path or "", response)
        media = response.headers.get("content-type", "").partition(";")[0]
        if not response.is_success or media != JSON or path is None:
            return
        with _lock:
            check = _validator(path, response.request.method.lower(), response.status_code)
        response.read()
        problems = [
            f"{'.'.join(map(str, one.instance_path))}: {one.message}"
            for one in check.iter_errors(response.json())
        ]
        assert not problems, f"{response.request.method} {path} answered {problems}"

    return conforms


@cache
def _validator(path: str, method: str, status: int) -> jsonschema_rs.Draft202012Validator:
    [document] = _made
    answers = document["paths"][path][method]["responses"]
    content = answers[str(status)]["content"][JSON]
    schema = {**content["schema"], "components": document["components"]}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True)


def headers_conform(document: dict[str, Any], path: str, response: httpx.Response) -> None:
    """Hold the headers of an answer to the document, both ways."""
    method, status = response.request.method.lower(), str(response.status_code)
    operation = document["paths"].get(path, {}).get(method, {})
    told = operation.get("responses", {}).get(status, {}).get("headers")
    if told is None:
        return
    known = document["components"]["headers"]
    sent = {name for name in known if name in response.headers}
    what = f"{method} {path} {status}"
    assert sent <= told.keys(), f"{what} does not describe {sent - told.keys()}"
    always = {name for name in told if known[name].get("required")}
    if response.is_success and operation.get("security") != []:
        always |= {name for name in told if name.startswith("RateLimit-")}
    if response.is_success and "Location" in told:
        always.add("Location")
    assert always <= sent, f"{what} does not send {always - sent}"


def closed(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with no room for keys that a schema does not name."""
    made = copy.deepcopy(document)
    for schema in _objects(made["components"]["schemas"]):
        schema.setdefault("additionalProperties", False)
    return made


def _objects(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if isinstance(node.get("properties"), dict) and node.get("type") == "object":
            yield node
        for one in node.values():
            yield from _objects(one)
    elif isinstance(node, list):
        for one in node:
            yield from _objects(one)


@cache
def _matcher(path: str) -> re.Pattern[str]:
    return compile_path(path)[0]


def _path(paths: Iterable[str], asked: str) -> str | None:
    # A path without parameters goes before one whose parameter would match the same.
    matching = [path for path in paths if _matcher(path).fullmatch(asked)]
    return min(matching, key=lambda path: path.count("{"), default=None)
