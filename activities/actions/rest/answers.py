"""Reading an answer: outputs by JSONPath, conditions, the status address."""

import json
from typing import Any

import httpx

from activities.actions.rest.config import AnswerCondition, Extract, RestApiConfig, StatusUrl
from activities.outgoing import TargetResponse
from catalog import json_paths
from pao.core.answers import KEPT_CHARACTERS

_PYTHON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "object": (dict,),
    "array": (list,),
}


class ExtractError(Exception):
    """The answer lacks what the document promises, or is too large to read."""


def read_outputs(config: RestApiConfig, answer: TargetResponse) -> dict[str, Any]:
    """Return the outputs for later actions; raises ``ExtractError`` if one is missing."""
    body = read_body(answer)
    made: dict[str, Any] = {"status": answer.status, "body": body}
    if answer.truncated and config.response.extract:
        raise ExtractError("it is larger than 4 MB, too large to read outputs from")
    with json_paths.shared_budget():
        for name, given in config.response.extract.items():
            wanted = Extract(path=given) if isinstance(given, str) else given
            made[name] = _extract(name, wanted, body)
    return made


def read_body(answer: TargetResponse) -> Any:
    """Return the body as JSON, else as text; None for an empty one."""
    if not answer.body:
        return None
    try:
        return answer.json()
    except ValueError:
        return answer.text


def can_disprove(condition: AnswerCondition, answer: TargetResponse) -> bool:
    """Return whether an answer can disprove a condition: a login page cannot.

    That takes a whole JSON document, or for the path ``$`` a whole text that is not HTML.
    """
    try:
        answer.json()
    except ValueError:
        return condition.path == "$" and not answer.truncated and not answer.is_html
    return True


def holds(condition: AnswerCondition, answer: TargetResponse) -> bool:
    """Return whether a condition holds for an answer.

    A text equals a scalar that is written the same: if a look did not match ``"true"`` with
    ``true``, everything would be done twice. 1 is not true.
    """
    found = _first_match(condition.path, read_body(answer))
    if not condition.values:
        return found is not json_paths.MISSING and found is not None
    return any(_is_same(found, one) for one in condition.values)


def _is_same(found: Any, wanted: Any) -> bool:
    if found is json_paths.MISSING:
        return False
    if isinstance(found, str) != isinstance(wanted, str):
        written = [one if isinstance(one, str) else json.dumps(one) for one in (found, wanted)]
        return written[0] == written[1]
    return isinstance(found, bool) == isinstance(wanted, bool) and bool(found == wanted)


def has_value(condition: AnswerCondition, answer: TargetResponse) -> bool:
    """Return whether an answer contains the value that a condition reads."""
    return _first_match(condition.path, read_body(answer)) is not json_paths.MISSING


def status_url(where: StatusUrl, answer: TargetResponse) -> str | None:
    """Return the absolute status address in the answer; None if there is none."""
    found: Any = None
    if where.path is not None:
        found = _first_match(where.path, read_body(answer))
    elif where.header is not None:
        found = answer.headers.get(where.header.lower())
    if not isinstance(found, str) or not found:
        return None
    try:
        return str(httpx.URL(answer.url).join(found))
    except (httpx.InvalidURL, ValueError):
        return None


def _extract(name: str, wanted: Extract, body: Any) -> Any:
    found = _first_match(wanted.path, body)
    if found is json_paths.MISSING or found is None:
        if wanted.required:
            raise ExtractError(f"it has no {wanted.path}, which {name} is read from")
        return None
    if len(json.dumps(found)) > KEPT_CHARACTERS:
        raise ExtractError(f"its {wanted.path} is larger than 64 kB, too large for an output")
    kinds = _PYTHON_TYPES.get(wanted.type)
    is_bool = isinstance(found, bool) and wanted.type != "boolean"
    if kinds and (is_bool or not isinstance(found, kinds)):
        raise ExtractError(f"its {wanted.path} is not of type {wanted.type}, as {name} promises")
    return found


def _first_match(path: str, body: Any) -> Any:
    try:
        return json_paths.first(path, body)
    except json_paths.PathError as error:
        raise ExtractError(f"the JSONPath {path!r} {error}") from error
