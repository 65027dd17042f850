"""Parameters that several routes about requests take."""

import re
from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import Header, Path, Query
from pydantic import BeforeValidator

_MOMENT = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d")

RequestId = Annotated[UUID, Path(description="Id of the request")]
Limit = Annotated[int, Query(ge=1, le=200, description="Rows on the page")]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="`nextCursor` of the previous page")
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


def _written_out(value: object) -> object:
    """Refuse what only pydantic takes for a time: seconds since 1970, and days."""
    if isinstance(value, str) and not _MOMENT.match(value):
        raise ValueError("write a time such as 2026-01-31T08:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_written_out)]
"""A date and time in RFC 3339; the time zone is checked later."""
