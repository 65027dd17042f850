"""Parameters that several routes take."""

import re
from datetime import datetime
from typing import Annotated

from fastapi import Depends, Header, Path, Query
from pydantic import BeforeValidator

from api.services import Caller, ServicesDep
from pao.runtime.logging import add_log_fields

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")

_Reference = Annotated[
    str,
    Path(
        max_length=255,
        description="The request: its id, the first 8 or more characters of the id while no other "
        "visible request begins with them, the key of its ticket, or its correlation id",
        examples=["7b0c6e0a-4e8d-4b53-9f0a-5a1a4d1a7c11", "7b0c6e0a", "NET-2"],
    ),
]


async def _resolve_request_id(request_id: _Reference, services: ServicesDep, caller: Caller) -> str:
    resolved = await services.references.resolve(caller, request_id)
    add_log_fields(requestId=resolved)
    return resolved


RequestId = Annotated[str, Depends(_resolve_request_id)]
"""The id of the request that the path names, in whichever way."""
Limit = Annotated[int, Query(ge=1, le=200, description="Rows on the page")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="`nextCursor` of the previous page")
]
OtherUser = Annotated[
    str | None,
    Query(alias="userId", max_length=200, description="Another user, or `all`; for admins"),
]
EntryId = Annotated[
    str, Path(pattern=r"^[0-9a-f]{16}$", description="`entryId` of what is cleaned up")
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A repeat with the same key and body returns the first call's result.",
    ),
]


def _require_written_moment(value: object) -> object:
    """Refuse what only pydantic takes for a time: seconds since 1970, and days."""
    if isinstance(value, str) and not _MOMENT.match(value):
        raise ValueError("write a time such as 2026-01-31T08:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_require_written_moment)]
"""A date and time in RFC 3339; the time zone is checked later."""
