"""Strict query strings: unknown parameters are refused, not ignored."""

from fastapi import Request, params
from fastapi.dependencies.utils import get_flat_params
from fastapi.routing import APIRoute

from catalog.suggestions import did_you_mean
from pao.core.errors import Detail, ErrorCode, PaoError

# Parameters of a presigned GET, which the gate has checked.
SIGNATURE = "x-amz-"
MOST_SHOWN = 20


async def refuse_unknown_parameters(request: Request) -> None:
    """Raise ``VALIDATION_ERROR`` (400) that names every query parameter the route does not take.

    A misspelt filter that is ignored would show more than was asked for.
    """
    route = request.scope.get("route")
    if not request.query_params or not isinstance(route, APIRoute):
        return
    taken = get_flat_params(route.dependant)
    names = {field.alias for field in taken if isinstance(field.field_info, params.Query)}
    unknown = [
        name
        for name in dict.fromkeys(request.query_params)
        if name not in names and not name.lower().startswith(SIGNATURE)
    ]
    if unknown:
        raise PaoError(
            ErrorCode.VALIDATION_ERROR,
            "The query has unknown parameters; see details.",
            details=tuple(_detail(name[:100], names) for name in unknown[:MOST_SHOWN]),
            status=400,
        )


def _detail(name: str, names: set[str]) -> Detail:
    hint = did_you_mean(name, names)
    message = f"there is no parameter {name!r} here{hint or '; leave it out'}"
    return Detail(field=name, constraint="unknown", message=message)
