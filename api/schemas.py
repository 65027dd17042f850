"""What all areas of the API share: base models, pages, and the error."""

from datetime import datetime
from typing import Annotated, Any, TypeVar
from uuid import UUID

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    GetJsonSchemaHandler,
    WithJsonSchema,
)
from pydantic.alias_generators import to_camel
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema

from pao.core.errors import ErrorCode
from pao.core.timestamps import timestamp

T = TypeVar("T")

JsonObject = dict[str, Any]


def _moment(value: object) -> object:
    return timestamp(value) if isinstance(value, datetime) else value


def _id(value: object) -> object:
    return str(value) if isinstance(value, UUID) else value


Moment = Annotated[
    str, BeforeValidator(_moment), WithJsonSchema({"type": "string", "format": "date-time"})
]
"""A time as ``timestamp`` writes it: RFC 3339 in UTC with milliseconds."""
Id = Annotated[str, BeforeValidator(_id), WithJsonSchema({"type": "string", "format": "uuid"})]


class _WithoutNull:
    """Describes a value that is left out rather than null."""

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        described = handler(schema)
        described.pop("default", None)
        kinds = [one for one in described.get("anyOf", ()) if one != {"type": "null"}]
        if len(kinds) != 1:
            return described
        del described["anyOf"]
        described.update(kinds[0])
        return described


def _is_none(value: object) -> bool:
    return value is None


Omittable = Annotated[T | None, Field(exclude_if=_is_none), _WithoutNull()]
"""A key that is absent from the document where there is no value; every other key is always there.

Use it with the default None: ``component: Omittable[str] = None``.
"""


class ApiModel(BaseModel):
    """A JSON object of the API: camelCase outside, snake_case in code, immutable."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        frozen=True,
        serialize_by_alias=True,
        validate_by_alias=True,
        validate_by_name=True,
    )


class RequestBody(ApiModel):
    """Base of every body: strict, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", strict=True, validate_by_name=False)


class ResponseBody(ApiModel):
    """Base of every answer: all keys are there, also those whose value is null."""

    model_config = ConfigDict(json_schema_serialization_defaults_required=True)


class Pagination(ResponseBody):
    """Where a page ends."""

    has_more: bool
    next_cursor: str | None = Field(description="`cursor` of the next page; null on the last one")


LAST_PAGE = Pagination(has_more=False, next_cursor=None)
EXAMPLE_TIME = "2026-03-05T14:07:09.123Z"


class ErrorDetail(ResponseBody):
    """One thing that is wrong, and where."""

    field: str
    constraint: str
    message: str
    received: Any
    expected: Any


class ErrorBody(ResponseBody):
    """What went wrong, and what to do next."""

    code: ErrorCode
    message: str
    details: list[ErrorDetail] = Field(description="Every problem at once, not only the first")
    correlation_id: Id
    timestamp: Moment


class Error(ResponseBody):
    """The envelope of every error."""

    error: ErrorBody
