"""Builds the request of a configuration: address with query, headers, body."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import httpx

from activities.action_errors import ActionFailedError
from activities.actions.rest.config import CallBody, File, RestApiConfig, Scalar, is_left_out
from pao.core.failure_classes import BAD_CALL

_CONTENT_TYPES = {
    "json": "application/json",
    "form": "application/x-www-form-urlencoded",
    "text": "text/plain; charset=utf-8",
    "xml": "application/xml",
}


def build_url(url: str, query: Mapping[str, Any]) -> str:
    """Return an address with further query parameters; null values are left out."""
    given = {name: _texts(value) for name, value in query.items() if value is not None}
    try:
        read = httpx.URL(url)
        return str(read.copy_merge_params(given) if given else read)
    except (httpx.InvalidURL, ValueError) as error:
        raise ActionFailedError(
            "The address to call is not a valid URL.", judged=BAD_CALL
        ) from error


def build_headers(config: RestApiConfig, *, correlation_id: str) -> dict[str, str]:
    """Return the headers that the document names, and the correlation id."""
    given = {name: _text(value) for name, value in config.headers.items() if value is not None}
    if "x-correlation-id" not in map(str.lower, given):
        given["X-Correlation-ID"] = correlation_id
    return given


def build_content(body: CallBody | None, mark: str) -> tuple[bytes | None, dict[str, str]]:
    """Return the body and its content type; the same configuration results in the same bytes."""
    if body is None:
        return None, {}
    if body.type == "multipart":
        return _multipart(body.content_template, mark)
    return _bytes(_encode_body(body)), {"Content-Type": _CONTENT_TYPES[body.type]}


def _encode_body(body: CallBody) -> str:
    given = body.content_template
    if isinstance(given, str):
        return given
    if body.type == "form":
        pairs = {name: _texts(value) for name, value in given.items() if value is not None}
        return str(httpx.QueryParams(pairs))
    return json.dumps(given, ensure_ascii=False, separators=(",", ":"))


def _multipart(parts: Mapping[str, Any], mark: str) -> tuple[bytes | None, dict[str, str]]:
    """Return the body and its content type, or neither if no part is left.

    No value can contain the boundary, which depends on all of them: a person who corrects a value
    for a retry knows the mark.
    """
    digest = hashlib.sha256(json.dumps([mark, parts], sort_keys=True).encode()).hexdigest()
    boundary = f"{mark}-{digest[:24]}"
    every: list[tuple[str, tuple[str | None, bytes, str | None]]] = []
    for name, part in parts.items():
        if is_left_out(part):
            continue
        if isinstance(part, dict):
            file = File.model_validate(part)
            every.append((name, (file.filename, _bytes(file.content), file.content_type)))
        else:
            every.append((name, (None, _bytes(_text(part)), None)))
    if not every:
        # A multipart body has at least one part (RFC 2046, 5.1.1); httpx sends none either.
        return None, {}
    kind = {"Content-Type": f"multipart/form-data; boundary={boundary}"}
    request = httpx.Request("POST", "http://multipart", headers=kind, files=every)
    return request.read(), kind


def _bytes(text: str) -> bytes:
    return text.encode(errors="replace")


def _texts(value: Any) -> Any:
    if not isinstance(value, list):
        return _text(value)
    return [_text(one) for one in value if one is not None]


def _text(value: Scalar | Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
