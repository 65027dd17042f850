"""What the framework finds wrong with a request, as details that say what was probably meant."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, get_args

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from catalog.suggestions import did_you_mean
from pao.core.errors import Detail, ErrorCode, PaoError
from pao.runtime.model_errors import message_of

# Comparing names costs time, and a hundred suggestions are of no use.
_MOST_SUGGESTIONS = 20
_WORD = re.compile(r"'([^']*)'")


def from_validation(error: RequestValidationError, route: object) -> PaoError:
    """Return pydantic's findings: 400 if nothing could be read, 422 for invalid values."""
    problems = error.errors()
    unreadable = any(
        problem["type"] == "json_invalid" or problem["loc"][:1] in {("query",), ("path",)}
        for problem in problems
    )
    details = tuple(
        Detail(
            field=_field_of(problem["loc"]),
            constraint=str(problem["type"]),
            message=_message(problem, route, suggests=number < _MOST_SUGGESTIONS),
        )
        for number, problem in enumerate(problems)
    )
    what = "cannot be read" if unreadable else "does not fit"
    return PaoError(
        ErrorCode.VALIDATION_ERROR,
        f"The request {what}; see details for each problem.",
        details=details,
        status=400 if unreadable else 422,
    )


def _field_of(place: Sequence[str | int]) -> str:
    """Return the path of a value; for a parameter its name, without the index of the value."""
    where, *parts = map(str, place)
    if where == "query":
        return parts[0] if parts else where
    return ".".join(map(to_camel, parts) if where == "path" else parts) or where


def _message(problem: Mapping[str, Any], route: object, *, suggests: bool) -> str:
    given = problem.get("input")
    match problem["type"]:
        case "model_attributes_type" if problem["loc"] == ("body",):
            return "The body must be a JSON object."
        case "extra_forbidden" if problem["loc"][0] == "body":
            name = str(problem["loc"][-1])
            names = _keys(route, problem["loc"][1:-1]) if suggests else ()
            hint = did_you_mean(name, names) or "; leave it out"
            return f"there is no key {name[:100]!r} here{hint}"
        case "enum" | "literal_error" if isinstance(given, str):
            names = _WORD.findall(str(problem.get("ctx", {}).get("expected")))
            hint = did_you_mean(given, names) if suggests else ""
            return f"{given[:100]!r} is none of {', '.join(names)}{hint}"
    return message_of(problem)


def _keys(route: object, path: Sequence[str | int]) -> Sequence[str]:
    """Return the keys of the part of a route's body to which a path leads."""
    field = route.body_field if isinstance(route, APIRoute) else None
    model = _model(field.field_info.annotation) if field else None
    for part in path:
        if model is None:
            return ()
        if isinstance(part, str):
            model = next(
                (
                    _model(info.annotation)
                    for name, info in model.model_fields.items()
                    if part in (name, info.alias)
                ),
                None,
            )
    return [info.alias or name for name, info in model.model_fields.items()] if model else ()


def _model(annotation: Any) -> type[BaseModel] | None:
    """Return the model that a value of this type is, holds or may be."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model, get_args(annotation))), None)
