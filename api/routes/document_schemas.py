"""HTTP for the JSON Schemas of catalog documents: open to editors, which cannot sign."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Path
from starlette.responses import Response

from activities.registry import published_schemas
from api.responses import documented
from pao.core.errors import ErrorCode, PaoError

router = APIRouter(prefix="/catalog/schemas", tags=["catalog"])

_MEDIA = "application/schema+json"
# Another version of PAO, or another extension, has another schema.
_CACHED = {"Cache-Control": "public, max-age=300"}
_SUFFIX = ".json"
_EXAMPLE = {"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object"}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The schema",
        "content": {_MEDIA: {"schema": {"type": "object"}, "example": _EXAMPLE}},
    }
}

Name = Annotated[
    str,
    Path(
        max_length=200,
        description="catalog-item, catalog-bundle, catalog-list or an action type, or + .json",
    ),
]


@router.get(
    "/{name}",
    summary="Get a JSON Schema of catalog documents",
    response_class=Response,
    responses=_ANSWER | documented({}, 400, 404),
)
async def get_catalog_schema(name: Name) -> Response:
    """Return the JSON Schema (draft 2020-12) of a kind of document or of an action type's config.

    Editors read it by the line `# yaml-language-server: $schema=...` of a document.
    """
    schemas = published_schemas()
    schema = schemas.get(name.removesuffix(_SUFFIX))
    if schema is None:
        names = ", ".join(sorted(schemas))
        raise PaoError(ErrorCode.NOT_FOUND, f"There is no such schema; known are {names}.")
    return Response(json.dumps(schema), media_type=_MEDIA, headers=_CACHED)
