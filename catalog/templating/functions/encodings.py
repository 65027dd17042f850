"""Functions that write a value in another format."""

import base64
import binascii
import hashlib
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import yaml

from catalog.templating.contract import FaultError
from catalog.templating.functions.arguments import text, whole_number_between
from catalog.templating.functions.registry import FunctionContext
from catalog.templating.limits import Budget, require_room
from catalog.templating.values import JsonText, UrlText, WikiText, json_text, json_tree
from catalog.templating.wiki import jira_escape

_MOST_INDENT = 8
_DOCUMENT_END = "\n..."
_HASHES: dict[str, Callable[..., Any]] = {
    "sha256": hashlib.sha256,
    "sha384": hashlib.sha384,
    "sha512": hashlib.sha512,
    "sha1": hashlib.sha1,
    "md5": hashlib.md5,
}


def to_json(context: FunctionContext, value: Any, indent: Any = 0) -> str:
    """Return the value as JSON, compact or indented."""
    width = whole_number_between(indent, 0, _MOST_INDENT, "the indent")
    return JsonText(json_text(value, context.budget, width))


def to_yaml(context: FunctionContext, value: Any) -> str:
    """Return the value as YAML in block style, without a final newline or document end."""
    stream = _BoundedStream(context.budget)
    yaml.safe_dump(
        json_tree(value, context.budget),
        stream,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=float("inf"),
    )
    # The library ends a plain scalar, and nothing else, with a document end.
    return stream.text().removesuffix("\n").removesuffix(_DOCUMENT_END)


def to_base64(_: FunctionContext, value: Any) -> str:
    """Return the text's UTF-8 in base64."""
    return base64.b64encode(text(value).encode()).decode()


def from_base64(_: FunctionContext, value: Any) -> str:
    """Return the text whose UTF-8 is written in base64."""
    try:
        return base64.b64decode(text(value).encode("ascii"), validate=True).decode()
    except (binascii.Error, UnicodeError) as error:
        raise FaultError("template-value", "it is not the base64 of UTF-8 text") from error


def to_url(_: FunctionContext, value: Any) -> str:
    """Return the text percent-encoded."""
    return UrlText(percent_encode(text(value)))


def percent_encode(value: str) -> str:
    """Percent-encode everything but ASCII letters, digits and ``-._~``."""
    require_room(len(value))
    return quote(value, safe="")


def to_wiki(_: FunctionContext, value: Any) -> str:
    """Return the text escaped for JIRA's markup."""
    return WikiText(jira_escape(text(value)))


def digest(_: FunctionContext, value: Any, algorithm: Any = "sha256") -> str:
    """Return the hash of the text's UTF-8 in hex."""
    chosen = _HASHES.get(text(algorithm))
    if chosen is None:
        raise FaultError("template-value", f"the hash is one of {', '.join(_HASHES)}")
    return str(chosen(text(value).encode(), usedforsecurity=False).hexdigest())


class _BoundedStream:
    """Receives PyYAML's output piece by piece, and stops it at the limits of text and time."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._parts: list[str] = []
        self._size = 0

    def write(self, part: str) -> None:
        self._budget.spend()
        self._parts.append(part)
        self._size += len(part)
        require_room(self._size - 1)

    def text(self) -> str:
        return "".join(self._parts)
