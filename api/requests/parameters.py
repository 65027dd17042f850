"""Parameters that several routes about requests take."""

from typing import Annotated
from uuid import UUID

from fastapi import Header, Path

RequestId = Annotated[UUID, Path(description="Id of the request")]
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        pattern=r"^[\x21-\x7e]+$",
        description="A repeat with the same key and body is answered by the first call's result.",
    ),
]
